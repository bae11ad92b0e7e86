//! Accepts connections, enforces their limits, and shuts down.

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

/// Time to finish pending requests after the shutdown signal.
const GRACE: Duration = Duration::from_millis(1_500);
/// Pause after a failure to accept a connection, for example when there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);
/// Size of a connection's buffers in bytes. The head of a request must fit.
const MAX_BUFFER: usize = 16 * 1024;

/// Answers requests until `shutdown` completes, and pending requests for 1.5 seconds more.
///
/// # Errors
/// None at present: failures to accept a connection are logged.
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
        tracing::info!("closing the remaining connections");
    }
    connections.close_all();
    Ok(())
}

/// Answers the requests of one connection until it ends or has to be closed.
async fn answer(
    stream: TcpStream,
    info: Arc<ConnectionInfo>,
    router: TowerToHyperService<Router>,
    stop: CancellationToken,
) {
    // Answers are written in one piece, so there is nothing to wait for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was closed by its client");
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
                // The connection stays busy until the body was sent.
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

/// Removes slashes at the end of the path: some clients put one before the `?`.
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
