//! Writes a call's events to the store, in order, off the call's own path.

use std::sync::Arc;

use radline_call::CallEvent;
use radline_store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::metrics::Metrics;

/// Events that wait to be written: minutes of a busy call.
const BOUND: usize = 2048;
/// Events written at once.
const BATCH: usize = 64;
/// Attempts to write a batch, for a database that is busy for a moment.
const ATTEMPTS: usize = 3;

/// One call's way to the store.
pub struct EventLog {
    sender: mpsc::Sender<CallEvent>,
    writer: JoinHandle<()>,
    metrics: Arc<Metrics>,
}

impl EventLog {
    /// Starts the writer of a call whose record has begun.
    pub fn start(store: Store, call: String, metrics: Arc<Metrics>) -> Self {
        let (sender, events) = mpsc::channel(BOUND);
        let writer = tokio::spawn(write(store, call, events, Arc::clone(&metrics)));
        Self { sender, writer, metrics }
    }

    /// Keeps an event. A full queue loses it, and counts that.
    pub fn keep(&self, event: CallEvent) {
        self.metrics.count(&event);
        if self.sender.try_send(event).is_err() {
            self.metrics.events_lost.inc();
            tracing::warn!("a call event was lost: the store does not keep up");
        }
    }

    /// Waits until everything is written.
    pub async fn finish(self) {
        drop(self.sender);
        if self.writer.await.is_err() {
            tracing::error!("the writer of a call's events failed");
        }
    }
}

async fn write(
    store: Store,
    call: String,
    mut events: mpsc::Receiver<CallEvent>,
    metrics: Arc<Metrics>,
) {
    let (mut next, mut batch) = (0, Vec::with_capacity(BATCH));
    while events.recv_many(&mut batch, BATCH).await > 0 {
        let mut written = false;
        for _ in 0..ATTEMPTS {
            match store.append(&call, next, &batch).await {
                Ok(()) => {
                    written = true;
                    break;
                }
                Err(error) => tracing::warn!(%error, "call events could not be written"),
            }
        }
        if !written {
            metrics.events_lost.inc_by(batch.len() as u64);
        }
        next += batch.len() as u64;
        batch.clear();
    }
}
