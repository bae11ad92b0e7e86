//! A D-Bus session with nothing but a notification service on it.

use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zbus::connection::Builder;
use zbus::{Connection, Guid, Message, Variant};

const PATIENCE: Duration = Duration::from_secs(20);

/// How the service responds when asked for a notification.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Shows,
    /// There is none on the bus.
    Missing,
    NeverAnswers,
}

/// What the service was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Show { title: String, text: String },
    Close(u32),
}

/// A bus with its service; both end with it.
pub struct SessionBus {
    socket: PathBuf,
    asked: Receiver<Asked>,
    end: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl SessionBus {
    /// A bus whose socket is in a folder.
    pub fn start(folder: &Path, service: Service) -> Self {
        let socket = folder.join("bus");
        let _ = std::fs::remove_file(&socket);
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let (sender, asked) = channel();
        let end = CancellationToken::new();
        let ended = end.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::UnixListener::from_std(listener).expect("a socket");
                let accept = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let stream = stream.into_std().expect("a stream");
                        tokio::spawn(serve(stream, service, sender.clone()));
                    }
                };
                ended.run_until_cancelled(accept).await;
            });
        });
        Self { socket, asked, end, thread: Some(thread) }
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` says.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket.display())
    }

    /// The next request to the service.
    pub fn asked(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("the service is asked")
    }

    /// There were no more requests up to now.
    pub fn is_quiet(&self) -> bool {
        self.asked.try_recv().is_err()
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        self.end.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    stream: std::os::unix::net::UnixStream,
    service: Service,
    asked: Sender<Asked>,
) -> zbus::Result<()> {
    let server = Builder::unix_stream(stream).server(Guid::generate()).p2p();
    let mut calls = server.build_message_stream().await?;
    let connection = Connection::from(&calls);
    let mut last = 6_u32;
    while let Some(call) = calls.next().await {
        answer(&connection, &call?, service, &mut last, &asked).await?;
    }
    Ok(())
}

async fn answer(
    connection: &Connection,
    call: &Message,
    service: Service,
    last: &mut u32,
    asked: &Sender<Asked>,
) -> zbus::Result<()> {
    type Hints<'h> = std::collections::HashMap<&'h str, Variant<'h>>;
    type Notify<'n> = (&'n str, u32, &'n str, &'n str, &'n str, Vec<&'n str>, Hints<'n>, i32);
    let header = call.header();
    let member = header.member().map(ToString::to_string).unwrap_or_default();
    match (member.as_str(), service) {
        ("Hello", _) => connection.reply(&header, &":1.1").await,
        (_, Service::Missing) => {
            let name = "org.freedesktop.DBus.Error.ServiceUnknown";
            connection.reply_error(&header, name, &"there is no such service").await
        }
        ("Notify", _) => {
            let body = call.body();
            let (app, replaces, _, title, text, actions, _, timeout): Notify<'_> =
                body.deserialize()?;
            assert_eq!((app, replaces, actions.len(), timeout), ("skchat", 0, 0, -1));
            *last += 1;
            let _ = asked.send(Asked::Show { title: title.to_owned(), text: text.to_owned() });
            if service == Service::NeverAnswers {
                return Ok(());
            }
            connection.reply(&header, &*last).await
        }
        ("CloseNotification", _) => {
            let _ = asked.send(Asked::Close(call.body().deserialize()?));
            connection.reply(&header, &()).await
        }
        _ => {
            let name = "org.freedesktop.DBus.Error.UnknownMethod";
            connection.reply_error(&header, name, &"there is no such method").await
        }
    }
}
