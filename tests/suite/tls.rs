//! Certificates, with a TLS server: a bad one is reported, and `ca_file` adds an issuer.

use crate::common::ANNA;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use skchat::client::{BaseUrl, Client, ClientOptions, ErrorKind, Secret, TokenSource};
use skchat::model::{AuthStyle, UserId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An issuer that no system trusts.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, for `ca_file`.
    file: PathBuf,
}

impl Authority {
    fn new(dir: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let file = dir.join("ca.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// A server with a certificate of this issuer, for this name and these years. Returns its port.
    async fn serve(&self, name: &str, (from, to): (i32, i32)) -> u16 {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.not_before, params.not_after) =
            (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust the certificate goes away here.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = vec![0; 4096];
                    let _ = stream.read(&mut request).await;
                    let body = "{\"conversations\":[],\"_metadata\":{}}";
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
                    let length = body.len();
                    let answer = format!(
                        "{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        port
    }
}

async fn ask(port: u16, ca_file: Option<&Path>) -> Result<(), (ErrorKind, bool, String)> {
    let base = BaseUrl::parse(&format!("https://localhost:{port}/v1")).unwrap();
    let token = TokenSource::Fixed(Secret::new("token"));
    let mut options = ClientOptions::new(UserId::new(ANNA), base, token);
    options.auth = AuthStyle::SkypeToken;
    options.ca_file = ca_file.map(Path::to_owned);
    let asked = Client::new(options).conversations(1).await;
    asked.map(drop).map_err(|e| (e.kind, e.outcome_unknown, e.message))
}

/// What `doctor` prints.
async fn doctor(dir: &Path, port: u16, ca_file: Option<&Path>) -> String {
    let ca_file =
        ca_file.map_or_else(String::new, |file| format!("ca_file = \"{}\"\n", file.display()));
    let config = format!(
        "[accounts.home]\nuser_id = \"{ANNA}\"\ngateway = \"https://localhost:{port}/v1\"\n\
         auth = \"skypetoken\"\ntoken = {{ env = \"TEST_TOKEN\" }}\n{ca_file}"
    );
    std::fs::write(dir.join("config.toml"), config).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_skchat"))
        .arg("doctor")
        .env("SKCHAT_CONFIG", dir.join("config.toml"))
        .env("SKCHAT_DATA_DIR", dir)
        .env("TEST_TOKEN", "token")
        .output()
        .await
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_certificate_is_reported_as_such_and_a_ca_file_adds_its_issuer() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path());
    let known = Some(authority.file.as_path());
    let now = (2020, 2120);
    for (name, years, ca_file, told) in [
        ("localhost", now, known, None),
        ("localhost", now, None, Some("the issuer of the server's certificate is unknown")),
        ("localhost", (2000, 2001), known, Some("the server's certificate has expired")),
        ("localhost", (2110, 2120), known, Some("the server's certificate is not valid yet")),
        ("other.example", now, known, Some("the server's certificate is for another name")),
    ] {
        let port = authority.serve(name, years).await;
        let case = format!("{name} {years:?} {ca_file:?}");
        let printed = doctor(dir.path(), port, ca_file).await;
        match (ask(port, ca_file).await, told) {
            (Ok(()), None) => assert!(printed.contains("PASS  gateway:"), "{case}: {printed}"),
            (Err((kind, unknown, message)), Some(told)) => {
                assert!(message.contains(told), "{case}: {message}");
                assert!(printed.contains("FAIL  gateway:") && printed.contains(told), "{printed}");
                // Nothing was sent.
                assert_eq!((kind, unknown), (ErrorKind::Unreachable, false), "{case}");
            }
            (result, _) => panic!("{case}: {result:?}"),
        }
    }
}
