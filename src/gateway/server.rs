//! Accepting connections and ending them: in time, in number, and at the end of the program.

use super::connection::{ConnectionInfo, Connections, WatchedStream};
use super::http;
use super::state::GatewayState;
use axum::Router;
use axum::http::Request;
use axum::http::uri::{PathAndQuery, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Requests that are being answered have this long once the gateway is told to stop.
const GRACE: Duration = Duration::from_millis(1_500);
/// How long accepting rests when the system has no more files to give.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a connection's buffers; heads of requests and single header lines must fit.
const MAX_BUFFER: usize = 16 * 1024;

/// Answers until `shutdown` is done, and then at most for `GRACE` more.
///
/// # Errors
/// None at present; accepting goes on after its errors.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<GatewayState>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let connections = Arc::new(Connections::new(gateway.limits));
    let service = TowerToHyperService::new(http::router(Arc::clone(&gateway)));
    let stop = CancellationToken::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(info) = connections.admit(peer) {
                    tokio::spawn(answer(stream, info, service.clone(), stop.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    gateway.close();
    stop.cancel();
    if tokio::time::timeout(GRACE, connections.ended()).await.is_err() {
        tracing::info!("connections are cut off");
    }
    connections.close_all();
    Ok(())
}

/// Answers the requests of one connection until it ends, its time is up, or it has to make room for another.
async fn answer(
    stream: TcpStream,
    info: Arc<ConnectionInfo>,
    router: TowerToHyperService<Router>,
    stop: CancellationToken,
) {
    // Answers are written whole; waiting for more to send would only hold them up.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection has gone away");
        return;
    }
    let answers = {
        let info = Arc::clone(&info);
        service_fn(move |mut request: Request<Incoming>| {
            let busy = info.begin_request();
            request.extensions_mut().insert(Arc::clone(&info));
            without_last_slash(request.uri_mut());
            let answer = router.call(request);
            async move {
                let answer = answer.await;
                // Until the answer's body has been written, too.
                answer.map(|answer| answer.map(|body| busy.around(body)))
            }
        })
    };
    let io = TokioIo::new(WatchedStream::new(stream, Arc::clone(&info)));
    let connection = http1::Builder::new().max_buf_size(MAX_BUFFER).serve_connection(io, answers);
    let mut connection = pin!(connection);
    let over = async {
        tokio::select! {
            () = info.time_is_up() => {}
            () = info.closed() => {}
        }
    };
    let mut over = pin!(over);
    let mut stopping = false;
    loop {
        tokio::select! {
            _ended = connection.as_mut() => return,
            () = &mut over => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Some clients put a slash before the `?`; it means nothing.
fn without_last_slash(uri: &mut Uri) {
    let path = uri.path();
    if path.len() < 2 || !path.ends_with('/') {
        return;
    }
    let mut text = path.trim_end_matches('/').to_owned();
    if text.is_empty() {
        text.push('/');
    }
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
    let Ok(path) = text.parse::<PathAndQuery>() else { return };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    if let Ok(changed) = Uri::from_parts(parts) {
        *uri = changed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_of_a_path_means_nothing() {
        let changed = |text: &str| {
            let mut uri: Uri = text.parse().unwrap();
            without_last_slash(&mut uri);
            uri.to_string()
        };
        assert_eq!(
            changed("/v1/users/ME/conversations/?a=%2F/"),
            "/v1/users/ME/conversations?a=%2F/"
        );
        assert_eq!(changed("/join/"), "/join");
        assert_eq!(changed("/join"), "/join");
        assert_eq!(changed("/"), "/");
        assert_eq!(changed("//"), "/");
        assert_eq!(changed("http://h:1/v1/?x"), "http://h:1/v1?x");
    }
}
