//! The client against answers that no gateway should give: decompression bombs, half an answer, none at all.

use crate::common::ANNA;
use skchat::client::{BaseUrl, Client, ClientOptions, ErrorKind, Secret, TokenSource};
use skchat::model::UserId;
use std::io::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that answers every request with these bytes and hangs up, or never answers.
async fn serve(answer: Option<Vec<u8>>) -> Client {
    serve_with(move |_| answer.clone()).await
}

/// A server that answers each request according to its first line, and hangs up, or never answers.
async fn serve_with(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = BaseUrl::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let count = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            match answer(request.lines().next().unwrap_or_default()) {
                Some(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                }
                None => kept.push(stream),
            }
        }
    });
    let mut options =
        ClientOptions::new(UserId::new(ANNA), base, TokenSource::Fixed(Secret::new("t")));
    options.auth = skchat::model::AuthStyle::SkypeToken;
    options.timeout = Duration::from_secs(2);
    Client::new(options)
}

fn response(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n\r\n")
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_stopped_at_eight_mebibytes_after_decompression() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1024 * 1024];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let small = encoder.finish().unwrap();
    assert!(small.len() < 200_000);
    let headers = format!("Content-Encoding: gzip\r\nContent-Length: {}", small.len());
    let error = serve(Some(response(&headers, &small))).await.conversations(10).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::BadAnswer, "the answer is larger than 8 MiB")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_is_not_an_answer() {
    let answer = response("Content-Length: 5000", b"{\"conversations\": [{\"id\": \"8:joe.4\"}");
    let error = serve(Some(answer)).await.conversations(10).await.unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Unreachable, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_ends_by_itself_and_leaves_the_outcome_open() {
    let error = serve(None).await.conversations(10).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.outcome_unknown, "it may have been carried out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_means_certainly_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = BaseUrl::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let client = Client::new(ClientOptions::new(
        UserId::new(ANNA),
        base,
        TokenSource::Fixed(Secret::new("t")),
    ));
    let error = client.conversations(10).await.unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Unreachable, false));
}

fn conversation(number: usize, content: usize) -> String {
    let text = "x".repeat(content);
    format!("{{\"id\":\"8:p.{number}\",\"version\":1,\"lastMessage\":{{\"content\":\"{text}\"}}}}")
}

fn page_of(items: &[String]) -> Vec<u8> {
    let body = format!("{{\"_metadata\":{{}},\"conversations\":[{}]}}", items.join(","));
    response(&format!("Content-Length: {}", body.len()), body.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_too_large_costs_that_item_only() {
    let items = [conversation(1, 10), conversation(2, 9 * 1024 * 1024), conversation(3, 10)];
    let page = serve(Some(page_of(&items))).await.conversations(10).await.unwrap();
    let ids: Vec<&str> = page.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!((ids, page.bad), (vec!["8:p.1", "8:p.3"], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_over_its_cap_is_asked_for_again_in_smaller_pages() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sizes = std::sync::Arc::clone(&asked);
    let client = serve_with(move |line| {
        let size = line.split("pageSize=").nth(1).unwrap().split('&').next().unwrap();
        let size: usize = size.parse().unwrap();
        sizes.lock().unwrap().push(size);
        let items: Vec<String> = (0..size).map(|i| conversation(i, 1024 * 1024)).collect();
        Some(page_of(&items))
    })
    .await;
    let page = client.conversations(100).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [100, 25, 6]);
    assert_eq!((page.items.len(), page.bad), (6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_404_with_a_location_names_another_host_and_one_without_does_not() {
    let answer = |headers: &str| {
        format!("HTTP/1.1 404 Not Found\r\n{headers}Content-Length: 0\r\n\r\n").into_bytes()
    };
    let to = "Location: https://db5-client-s.gateway.messenger.live.com/v1/users/ME/endpoints\r\n";
    // A server on this machine moves nobody to other hosts (see the tests of base URLs), but it is understood.
    let error = serve(Some(answer(to))).await.conversations(10).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    let error = serve(Some(answer(""))).await.conversations(10).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}
