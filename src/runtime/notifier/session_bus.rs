//! Notifications through the desktop's own service, over the D-Bus session: `org.freedesktop.Notifications`, version
//! 1.2 of its specification.
//!
//! The connection is made for the first notification, and kept from then on: some services only let the program that
//! sent a notification withdraw it. `zbus` runs on the program's own runtime, so no thread is added; `notify-rust`,
//! which is built on it, opens a new connection for each notification and does not expose it.

use super::without_markup;
use crate::app::effect::{Notification, Outcome};
use std::collections::{HashMap, VecDeque};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::mpsc;
use zbus::connection::Builder;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, Variant};

/// The service's name and the name of its interface.
const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// The time limit for a notification. The bus may have to start the service first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many calls may wait for the service; further ones are dropped.
const MAX_WAITING: usize = 32;
/// How many notifications (the newest ones) can be withdrawn.
const MAX_SHOWN: usize = 64;

enum ServiceCall {
    Show {
        new: Notification,
        /// The bell has rung for the notification.
        has_rung: bool,
    },
    /// The number of a notification.
    Withdraw(u64),
}

/// The task that talks to the service.
pub struct SessionBus {
    /// The address of the bus; `None` for the one in the environment.
    address: Option<String>,
    patience: Duration,
    calls: OnceLock<mpsc::Sender<ServiceCall>>,
}

impl Default for SessionBus {
    fn default() -> Self {
        Self { address: None, patience: PATIENCE, calls: OnceLock::new() }
    }
}

impl SessionBus {
    /// Shows a notification. The lack of a service for it is reported as an outcome. False if too many are waiting.
    pub fn show(
        &self,
        new: &Notification,
        has_rung: bool,
        outcomes: &mpsc::Sender<Outcome>,
    ) -> bool {
        let calls = self.calls.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(MAX_WAITING);
            let desktop = Desktop { address: self.address.clone(), ..Desktop::default() };
            tokio::spawn(carry_out(receiver, desktop, self.patience, outcomes.clone()));
            sender
        });
        let is_taken = calls.try_send(ServiceCall::Show { new: new.clone(), has_rung }).is_ok();
        if !is_taken {
            tracing::info!("too many notifications are waiting for the notification service");
        }
        is_taken
    }

    /// Withdraws a notification, if it was shown here.
    pub fn withdraw(&self, number: u64) {
        if let Some(calls) = self.calls.get()
            && calls.try_send(ServiceCall::Withdraw(number)).is_err()
        {
            tracing::info!("a notification is not withdrawn: too many are waiting");
        }
    }
}

async fn carry_out(
    mut calls: mpsc::Receiver<ServiceCall>,
    mut desktop: Desktop,
    patience: Duration,
    outcomes: mpsc::Sender<Outcome>,
) {
    while let Some(call) = calls.recv().await {
        match call {
            ServiceCall::Show { new, mut has_rung } => {
                let shown = tokio::time::timeout(patience, desktop.show(&new)).await;
                if matches!(shown, Ok(Ok(()))) {
                    continue;
                }
                tracing::info!("there is no notification service on the D-Bus session bus");
                if shown.is_err() {
                    // The service hangs: the waiting calls would hang one after the other.
                    while let Ok(call) = calls.try_recv() {
                        has_rung &= !matches!(call, ServiceCall::Show { has_rung: false, .. });
                    }
                }
                // The loop may have ended in the meantime.
                let _ = outcomes.send(Outcome::NoNotificationService { has_rung }).await;
            }
            ServiceCall::Withdraw(number) => {
                // The user may have closed it, which the service reports as an error.
                let _ = tokio::time::timeout(patience, desktop.withdraw(number)).await;
            }
        }
    }
}

/// A notification shown by the service.
struct Shown {
    /// As [`Notification::number`].
    number: u64,
    id: u32,
    /// The service that shows it. After a restart, a service uses the same ids for other notifications.
    service: Option<OwnedUniqueName>,
}

#[derive(Default)]
struct Desktop {
    address: Option<String>,
    connection: Option<Connection>,
    /// The newest last.
    shown: VecDeque<Shown>,
}

impl Desktop {
    async fn show(&mut self, new: &Notification) -> zbus::Result<()> {
        let shown = match self.connection.take() {
            Some(connection) => match notify(&connection, new).await {
                // The session's bus may have been restarted.
                Err(error) if !matches!(error, zbus::Error::MethodError(..)) => {
                    self.connect_and_notify(new).await?
                }
                answer => {
                    self.connection = Some(connection);
                    answer?
                }
            },
            None => self.connect_and_notify(new).await?,
        };
        self.shown.push_back(shown);
        if self.shown.len() > MAX_SHOWN {
            self.shown.pop_front();
        }
        Ok(())
    }

    async fn connect_and_notify(&mut self, new: &Notification) -> zbus::Result<Shown> {
        self.shown.clear();
        let bus = self.address.as_deref().map_or_else(Builder::session, Builder::address);
        let connection = bus.build().await?;
        let shown = notify(&connection, new).await?;
        self.connection = Some(connection);
        Ok(shown)
    }

    async fn withdraw(&mut self, number: u64) -> zbus::Result<()> {
        let Some(index) = self.shown.iter().position(|shown| shown.number == number) else {
            return Ok(());
        };
        let (Some(shown), Some(connection)) = (self.shown.remove(index), &self.connection) else {
            return Ok(());
        };
        let service = shown.service.as_ref().map_or(SERVICE, |name| name.as_str());
        connection
            .call_method(Some(service), PATH, Some(SERVICE), "CloseNotification", &(shown.id,))
            .await?;
        Ok(())
    }
}

/// Shows a notification.
async fn notify(connection: &Connection, new: &Notification) -> zbus::Result<Shown> {
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
    let id = reply.body().deserialize()?;
    let service = reply.header().sender().map(|name| name.to_owned().into());
    Ok(Shown { number: new.number, id, service })
}

#[cfg(test)]
#[path = "../../../tests/common/session_bus.rs"]
mod fake;

#[cfg(test)]
mod tests {
    use super::fake::{Asked, Service};
    use super::*;
    use crate::model::SafeText;

    const MISSING: Option<Outcome> = Some(Outcome::NoNotificationService { has_rung: false });

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
        assert!(bus.show(&new(1, "Joe & Co", "<b>Hi</b>"), false, &outcomes));
        assert_eq!(desktop.asked(), shown("Joe ＆ Co", "‹b›Hi‹/b›"));
        for number in [1, 1, 5] {
            bus.withdraw(number);
        }
        assert_eq!(desktop.asked(), Asked::Close(7));
        assert!(bus.show(&new(2, "Mia", "Hello"), false, &outcomes));
        assert_eq!(desktop.asked(), shown("Mia", "Hello"));
        assert!(desktop.is_quiet() && failed.try_recv().is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_bus_that_was_started_again_gets_the_next_notification() {
        let dir = tempfile::tempdir().unwrap();
        let desktop = fake::SessionBus::start(dir.path(), Service::Shows);
        let (bus, outcomes, mut failed) = at(&desktop.address());
        assert!(bus.show(&new(1, "Joe", "one"), false, &outcomes));
        assert_eq!(desktop.asked(), shown("Joe", "one"));
        drop(desktop);
        let desktop = fake::SessionBus::start(dir.path(), Service::Shows);
        assert!(bus.show(&new(2, "Joe", "two"), false, &outcomes));
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
                assert!(bus.show(&new(number, "Joe", "Hi"), false, &outcomes));
                bus.withdraw(number);
                assert_eq!(failed.recv().await, MISSING, "{address}");
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_service_that_hangs_counts_as_missing_once_for_all_that_wait() {
        let dir = tempfile::tempdir().unwrap();
        let desktop = fake::SessionBus::start(dir.path(), Service::NeverAnswers);
        let (mut bus, outcomes, mut failed) = at(&desktop.address());
        bus.patience = Duration::from_millis(500);
        assert!(bus.show(&new(0, "Joe", "Hi"), true, &outcomes));
        assert_eq!(desktop.asked(), shown("Joe", "Hi"));
        let taken =
            (1..=MAX_WAITING + 5).filter(|n| bus.show(&new(*n as u64, "", ""), false, &outcomes));
        assert_eq!(taken.count(), MAX_WAITING, "the caller rings for the others");
        assert_eq!(failed.recv().await, MISSING);
        drop(bus);
        drop(outcomes);
        assert_eq!(failed.recv().await, None);
        assert!(desktop.is_quiet(), "the others were not sent");
    }
}
