//! Notifications by the desktop's own service, over the D-Bus session: `org.freedesktop.Notifications`, version 1.2 of its
//! specification.
//!
//! Nothing is connected before the first notification. The connection is kept from then on: some services take a
//! notification back only for the program that sent it. `zbus` runs on the program's own runtime, so no thread is added;
//! `notify-rust`, which is built on it, makes a connection for each notification and hides it.

use super::without_markup;
use crate::app::effect::{Notification, Outcome};
use std::collections::{HashMap, VecDeque};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::mpsc;
use zbus::connection::Builder;
use zbus::{Connection, Variant};

/// The service's name and the name of its interface.
const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// How long a notification may take. The bus may have to start the service first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many notifications may wait for the service; further ones are not shown.
const MAX_WAITING: usize = 8;
/// How many notifications can be taken back: the newest ones.
const MAX_SHOWN: usize = 64;

enum ServiceCall {
    Show(Notification),
    /// The number of a notification.
    Withdraw(u64),
}

/// The task that talks to the service.
#[derive(Default)]
pub struct SessionBus {
    /// Where the bus is; `None`: as the environment says.
    address: Option<String>,
    calls: OnceLock<mpsc::Sender<ServiceCall>>,
}

impl SessionBus {
    /// Shows a notification. That there is no service for it comes back as an outcome.
    pub fn show(&self, new: &Notification, outcomes: &mpsc::Sender<Outcome>) {
        let calls = self.calls.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(MAX_WAITING);
            let desktop = Desktop { address: self.address.clone(), ..Desktop::default() };
            tokio::spawn(carry_out(receiver, desktop, outcomes.clone()));
            sender
        });
        if calls.try_send(ServiceCall::Show(new.clone())).is_err() {
            tracing::info!("too many notifications are waiting for the notification service");
        }
    }

    /// Takes a notification back, if it was shown here.
    pub fn withdraw(&self, number: u64) {
        if let Some(calls) = self.calls.get()
            && calls.try_send(ServiceCall::Withdraw(number)).is_err()
        {
            tracing::info!("a notification is not taken back: too many are waiting");
        }
    }
}

async fn carry_out(
    mut calls: mpsc::Receiver<ServiceCall>,
    mut desktop: Desktop,
    outcomes: mpsc::Sender<Outcome>,
) {
    while let Some(call) = calls.recv().await {
        match call {
            ServiceCall::Show(new) => {
                let shown = tokio::time::timeout(PATIENCE, desktop.show(&new)).await;
                if !matches!(shown, Ok(Ok(()))) {
                    tracing::info!("there is no notification service on the D-Bus session");
                    // The loop may have ended meanwhile.
                    let _ = outcomes.send(Outcome::NoNotificationService).await;
                }
            }
            ServiceCall::Withdraw(number) => {
                // The user may have closed it, which the service calls an error.
                let _ = tokio::time::timeout(PATIENCE, desktop.withdraw(number)).await;
            }
        }
    }
}

#[derive(Default)]
struct Desktop {
    address: Option<String>,
    connection: Option<Connection>,
    /// Numbers of notifications, with those of the service; the newest last.
    shown: VecDeque<(u64, u32)>,
}

impl Desktop {
    async fn show(&mut self, new: &Notification) -> zbus::Result<()> {
        let id = match self.connection.take() {
            Some(connection) => match notify(&connection, new).await {
                Ok(id) => {
                    self.connection = Some(connection);
                    id
                }
                // The session's bus may have been started again.
                Err(_) => self.connect_and_notify(new).await?,
            },
            None => self.connect_and_notify(new).await?,
        };
        self.shown.push_back((new.number, id));
        if self.shown.len() > MAX_SHOWN {
            self.shown.pop_front();
        }
        Ok(())
    }

    async fn connect_and_notify(&mut self, new: &Notification) -> zbus::Result<u32> {
        let bus = self.address.as_deref().map_or_else(Builder::session, Builder::address);
        let connection = bus.build().await?;
        let id = notify(&connection, new).await?;
        self.connection = Some(connection);
        Ok(id)
    }

    async fn withdraw(&mut self, number: u64) -> zbus::Result<()> {
        let Some(index) = self.shown.iter().position(|(shown, _)| *shown == number) else {
            return Ok(());
        };
        let (Some((_, id)), Some(connection)) = (self.shown.remove(index), &self.connection) else {
            return Ok(());
        };
        connection
            .call_method(Some(SERVICE), PATH, Some(SERVICE), "CloseNotification", &(id,))
            .await?;
        Ok(())
    }
}

/// Shows a notification and returns the service's number for it.
async fn notify(connection: &Connection, new: &Notification) -> zbus::Result<u32> {
    let hints: HashMap<&str, Variant<'_>> = HashMap::from([
        ("category", Variant::from("im.received")),
        ("urgency", Variant::from(1_u8)),
    ]);
    let (replaces, icon, actions) = (0_u32, "", [""; 0]);
    // The service decides how long it is shown.
    let timeout = -1_i32;
    let (title, text) = (without_markup(&new.title), without_markup(&new.text));
    let arguments =
        ("skchat", replaces, icon, title.as_str(), text.as_str(), &actions[..], hints, timeout);
    let reply =
        connection.call_method(Some(SERVICE), PATH, Some(SERVICE), "Notify", &arguments).await?;
    reply.body().deserialize()
}

#[cfg(test)]
#[path = "../../../tests/common/session_bus.rs"]
mod fake;

#[cfg(test)]
mod tests {
    use super::fake::{Asked, Service};
    use super::*;
    use crate::model::SafeText;

    fn new(number: u64, title: &str, text: &str) -> Notification {
        Notification { number, title: SafeText::line(title), text: SafeText::line(text) }
    }

    fn shown(title: &str, text: &str) -> Asked {
        Asked::Show { title: title.to_owned(), text: text.to_owned() }
    }

    fn at(address: &str) -> (SessionBus, mpsc::Sender<Outcome>, mpsc::Receiver<Outcome>) {
        let (sender, outcomes) = mpsc::channel(MAX_WAITING);
        let bus = SessionBus { address: Some(address.to_owned()), ..SessionBus::default() };
        (bus, sender, outcomes)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_notification_is_shown_without_markup_and_taken_back_once() {
        let dir = tempfile::tempdir().unwrap();
        let desktop = fake::SessionBus::start(dir.path(), Service::Shows);
        let (bus, outcomes, mut failed) = at(&desktop.address());
        bus.withdraw(1);
        bus.show(&new(1, "Joe & Co", "<b>Hi</b>"), &outcomes);
        assert_eq!(desktop.asked(), shown("Joe ＆ Co", "‹b›Hi‹/b›"));
        for number in [1, 1, 5] {
            bus.withdraw(number);
        }
        assert_eq!(desktop.asked(), Asked::Close(7));
        bus.show(&new(2, "Mia", "Hello"), &outcomes);
        assert_eq!(desktop.asked(), shown("Mia", "Hello"));
        assert!(desktop.is_quiet() && failed.try_recv().is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_bus_that_was_started_again_gets_the_next_notification() {
        let dir = tempfile::tempdir().unwrap();
        let desktop = fake::SessionBus::start(dir.path(), Service::Shows);
        let (bus, outcomes, mut failed) = at(&desktop.address());
        bus.show(&new(1, "Joe", "one"), &outcomes);
        assert_eq!(desktop.asked(), shown("Joe", "one"));
        drop(desktop);
        let desktop = fake::SessionBus::start(dir.path(), Service::Shows);
        bus.show(&new(2, "Joe", "two"), &outcomes);
        assert_eq!(desktop.asked(), shown("Joe", "two"));
        assert!(failed.try_recv().is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_bus_or_a_service_each_notification_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let desktop = fake::SessionBus::start(dir.path(), Service::Missing);
        for address in [&desktop.address(), "unix:path=/nonexistent/bus", "no address", ""] {
            let (bus, outcomes, mut failed) = at(address);
            for number in 1..3 {
                bus.show(&new(number, "Joe", "Hi"), &outcomes);
                bus.withdraw(number);
                assert_eq!(failed.recv().await, Some(Outcome::NoNotificationService), "{address}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_never_answers_counts_as_missing_and_holds_nothing_up() {
        let dir = tempfile::tempdir().unwrap();
        let desktop = fake::SessionBus::start(dir.path(), Service::NeverAnswers);
        let (bus, outcomes, mut failed) = at(&desktop.address());
        let many = MAX_WAITING as u64 + 5;
        for number in 1..=many {
            bus.show(&new(number, "Joe", "Hi"), &outcomes);
        }
        for _ in 0..MAX_WAITING {
            assert_eq!(failed.recv().await, Some(Outcome::NoNotificationService));
        }
        drop(bus);
        drop(outcomes);
        assert_eq!(failed.recv().await, None, "the others were not kept");
    }
}
