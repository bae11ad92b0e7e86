//! Sending messages: one ordered queue per conversation, which is on disk before anything is sent. An attempt is
//! accepted, rejected, or its outcome is unknown. In the last case the message is looked up on the server before it is
//! sent again, under the same client id.

mod lookup;
mod new_chat;
mod outcome;
mod rejection;
mod seen;

pub use rejection::TokenRejection;

use super::{Shared, wall_clock};
use crate::client::Error;
use crate::model::{
    ClientMessageId, ConversationId, Delivery, Delta, Draft, Fault, FaultKind, MessageKey, Outgoing,
};
use crate::store::{OutboxItem, OutboxState};
use outcome::{NextStep, SendOutcome, wait_after};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// The stored reason of a message that the user wants to send again.
const WANTED: &str = "wanted";

/// Threads that messages were moved to and whose queues have not been woken yet.
const MOVED: usize = 16;

pub enum OutboxCommand {
    /// There is something new in this conversation's queue.
    Wake {
        conversation: ConversationId,
    },
    Resend {
        conversation: ConversationId,
        client_id: ClientMessageId,
    },
}

/// Runs one worker per conversation, so that a message that cannot be sent only blocks its own chat.
pub async fn run(
    shared: Arc<Shared>,
    mut commands: mpsc::Receiver<OutboxCommand>,
    pending: Vec<OutboxItem>,
) {
    let mut workers: HashMap<ConversationId, Arc<Notify>> = HashMap::new();
    let (moved, mut threads) = mpsc::channel(MOVED);
    let mut wake = |shared: &Arc<Shared>, id: &ConversationId| {
        let notify = workers.entry(id.clone()).or_insert_with(|| {
            let notify = Arc::new(Notify::new());
            let worker = OutboxWorker {
                shared: Arc::clone(shared),
                id: id.clone(),
                wake: Arc::clone(&notify),
                moved: moved.clone(),
            };
            let stop = shared.stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = worker.run() => {}
                }
            });
            notify
        });
        notify.notify_one();
    };
    for item in pending {
        if let Some(within) = shared.options.seen_within
            && item.state == OutboxState::Sent
        {
            // Its outcome was not known when the program ended.
            let wake = Arc::new(Notify::new());
            let id = item.conversation.clone();
            let moved = moved.clone();
            let worker = OutboxWorker { shared: Arc::clone(&shared), id, wake, moved };
            seen::watch(&worker, item, None, within);
            continue;
        }
        if item.state == OutboxState::Held {
            // The time to cancel starts for all of them now, not for one after the other.
            shared.held.due(&item.client_id, Instant::now(), shared.options.grace);
        }
        wake(&shared, &item.conversation);
    }
    loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            thread = threads.recv() => {
                thread.map(|conversation| OutboxCommand::Wake { conversation })
            }
        };
        let Some(command) = command else { return };
        match command {
            OutboxCommand::Wake { conversation } => wake(&shared, &conversation),
            OutboxCommand::Resend { conversation, client_id } => {
                if let Err(error) =
                    shared.store.set_outbox_state(&client_id, OutboxState::Unknown, WANTED).await
                {
                    shared.notice(&error.to_string()).await;
                }
                report(&shared, &conversation, &client_id, Delivery::Queued, None).await;
                wake(&shared, &conversation);
            }
        }
    }
}

/// Adds a message to the queue on disk, and reports whether that worked. If not, the text stays on the screen.
pub async fn enqueue(
    shared: &Shared,
    conversation: &ConversationId,
    client_id: &ClientMessageId,
    outgoing: &Outgoing,
) -> bool {
    let held = !shared.options.grace.is_zero();
    let state = if held { OutboxState::Held } else { OutboxState::Queued };
    let result = shared.store.enqueue(conversation, client_id, outgoing, wall_clock(), state).await;
    let delivery = match &result {
        Ok(()) if held => {
            shared.held.due(client_id, Instant::now(), shared.options.grace);
            Delivery::Held
        }
        Ok(()) => Delivery::Queued,
        Err(error) => {
            let reason = crate::model::SafeText::line(&error.to_string());
            Delivery::Failed { reason, can_retry: false }
        }
    };
    report(shared, conversation, client_id, delivery, None).await;
    result.is_ok()
}

/// Removes a message from the queue if it has not been sent. If a draft is given, it is saved in the same step.
pub async fn cancel(
    shared: &Shared,
    conversation: ConversationId,
    client_id: ClientMessageId,
    draft: Option<Draft>,
) {
    let result = match shared.store.cancel(&conversation, &client_id, draft).await {
        Ok(true) => {
            shared.held.release(&client_id);
            Ok(())
        }
        Ok(false) => Err(Fault::new(FaultKind::AlreadySent, "it is already being sent")),
        Err(error) => Err(Fault::from(&error)),
    };
    shared.send(Delta::Discarded { conversation, client_id, result }).await;
}

/// When held messages are sent.
#[derive(Default)]
pub struct HeldMessages(Mutex<HashMap<ClientMessageId, Instant>>);

impl HeldMessages {
    /// When a held message is sent: `grace` after the first `now` that this was called with.
    fn due(&self, client_id: &ClientMessageId, now: Instant, grace: Duration) -> Instant {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held.entry(client_id.clone()).or_insert(now + grace)
    }

    /// Forgets a message that is no longer held.
    fn release(&self, client_id: &ClientMessageId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(client_id);
    }
}

async fn report(
    shared: &Shared,
    conversation: &ConversationId,
    client_id: &ClientMessageId,
    delivery: Delivery,
    sent: Option<MessageKey>,
) {
    shared
        .send(Delta::Delivery {
            conversation: conversation.clone(),
            client_id: client_id.clone(),
            delivery,
            sent,
        })
        .await;
}

/// What was tried for the first message of a queue.
#[derive(Debug, Default)]
struct ChatProgress {
    attempts: u32,
    /// How often it was looked for and not found.
    looks: u32,
    /// The thread that it could not be moved to yet.
    thread: Option<ConversationId>,
}

/// Sends one conversation's messages in order.
struct OutboxWorker {
    shared: Arc<Shared>,
    id: ConversationId,
    wake: Arc<Notify>,
    /// Wakes the queue of a thread that messages were moved to.
    moved: mpsc::Sender<ConversationId>,
}

impl OutboxWorker {
    async fn run(self) {
        loop {
            self.wake.notified().await;
            let mut progress = ChatProgress::default();
            loop {
                match self.shared.store.next_to_send(&self.id).await {
                    Ok(Some(item)) if NextStep::of(item.state) == NextStep::Wait => break,
                    Ok(Some(item)) => self.step(item, &mut progress).await,
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(%error, "the outbox cannot be read");
                        self.pause(&mut progress, None).await;
                    }
                }
            }
        }
    }

    /// Does what the first message in the queue needs next.
    async fn step(&self, item: OutboxItem, progress: &mut ChatProgress) {
        match NextStep::of(item.state) {
            NextStep::Hold => return self.hold(&item).await,
            NextStep::Send => {}
            NextStep::Wait => return,
            NextStep::LookUp => return self.resolve_outcome(item, progress).await,
        }
        let _turn = self.shared.connection.token_rejection.turn().await;
        if let Some(due) = self.shared.connection.token_rejection.due() {
            return self.wait_for_token(due).await;
        }
        if self.shared.client.server_time().is_none()
            // Any answer tells the server's time, by which the message is looked for if its own answer is lost.
            && let Err(error) = self.shared.client.conversations(1).await
            && error.is_transient()
        {
            return self.pause(progress, Some(&error)).await;
        }
        if let Some(person) = self.shared.needs_thread(&self.id).await {
            return self.begin_thread(&item, &person, progress).await;
        }
        let client_id = item.client_id.clone();
        // Recorded before the request is made, so that after a crash the message is looked up.
        let now = self.shared.client.server_time();
        match self.shared.store.start_sending(&client_id, now).await {
            Ok(true) => {}
            // Cancelled at the last moment.
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be written");
                return self.pause(progress, None).await;
            }
        }
        self.report(&client_id, Delivery::Sending, None).await;
        match self.try_once(&item).await {
            SendOutcome::Accepted(key) => {
                *progress = ChatProgress::default();
                self.token_accepted().await;
                self.shared.connection.note_answer();
                self.shared.sending_accepted(&self.id).await;
                self.set_state(&client_id, OutboxState::Sent, "").await;
                if let Some(key) = &key {
                    self.shared.receipts.sent(&self.id, key.at);
                }
                if let Some(within) = self.shared.options.seen_within {
                    return seen::watch(self, item, key, within);
                }
                self.report(&client_id, Delivery::Sent, key.clone()).await;
                match key {
                    Some(key) => self.prove_reads(&key).await,
                    None => self.find_key(&client_id).await,
                }
            }
            SendOutcome::Rejected(error) => {
                *progress = ChatProgress::default();
                self.fail(&client_id, &error.shown()).await;
                self.forget_if_gone(&error).await;
                self.shared.sending_refused(&self.id, &error).await;
            }
            SendOutcome::NotSent(error) => {
                self.set_state(&client_id, OutboxState::Queued, "").await;
                self.report(&client_id, Delivery::Queued, None).await;
                if rejection::is_of_token(&error) {
                    return self.token_rejected(&error).await;
                }
                self.pause(progress, Some(&error)).await;
            }
            SendOutcome::Unknown(error) => {
                self.set_state(&client_id, OutboxState::Unknown, "").await;
                self.report(&client_id, Delivery::Unconfirmed, None).await;
                self.pause(progress, Some(&error)).await;
            }
        }
    }

    /// Waits until a held message is due or cancelled.
    async fn hold(&self, item: &OutboxItem) {
        // That it is held was reported when it was queued, or at the start of the program.
        let until =
            self.shared.held.due(&item.client_id, Instant::now(), self.shared.options.grace);
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
        if Instant::now() < until {
            return;
        }
        self.shared.held.release(&item.client_id);
        let (from, to) = (OutboxState::Held, OutboxState::Queued);
        match self.shared.store.advance(&item.client_id, from, to).await {
            Ok(true) => self.report(&item.client_id, Delivery::Queued, None).await,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be written");
                self.pause(&mut ChatProgress::default(), None).await;
            }
        }
    }

    async fn try_once(&self, item: &OutboxItem) -> SendOutcome {
        let name = self.shared.my_name();
        let client = &self.shared.client;
        let sent = client.send(&self.id, &item.outgoing, &item.client_id, &name).await;
        SendOutcome::of(sent.map(|sent| sent.key))
    }

    async fn set_state(&self, client_id: &ClientMessageId, state: OutboxState, reason: &str) {
        if let Err(error) = self.shared.store.set_outbox_state(client_id, state, reason).await {
            tracing::error!(%error, "the outbox cannot be written");
        }
    }

    async fn fail(&self, client_id: &ClientMessageId, reason: &str) {
        self.set_state(client_id, OutboxState::Failed, reason).await;
        let reason = crate::model::SafeText::line(reason);
        self.report(client_id, Delivery::Failed { reason, can_retry: true }, None).await;
    }

    async fn report(
        &self,
        client_id: &ClientMessageId,
        delivery: Delivery,
        sent: Option<MessageKey>,
    ) {
        report(&self.shared, &self.id, client_id, delivery, sent).await;
    }

    /// Waits before the next attempt. The connection coming back or the user ends the wait.
    async fn pause(&self, progress: &mut ChatProgress, error: Option<&Error>) {
        let asked_for = wait_after(error.map(|e| e.kind), self.shared.options.backoff_cap);
        let wait = asked_for.unwrap_or_else(|| {
            progress.attempts += 1;
            self.shared.backoff(progress.attempts)
        });
        tokio::select! {
            () = self.shared.connection.wait(wait) => {}
            () = self.shared.connection.came_online() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_take_a_message_back_starts_once() {
        let held = HeldMessages::default();
        let (id, grace) = (ClientMessageId::from("1"), Duration::from_secs(5));
        let (queued, later) = (Instant::now(), Instant::now() + Duration::from_secs(3));
        assert_eq!(held.due(&id, queued, grace), queued + grace);
        assert_eq!(held.due(&id, later, grace), queued + grace);
        held.release(&id);
        assert_eq!(held.due(&id, later, grace), later + grace, "queued again it starts anew");
    }
}
