//! The record of a caller who was gone before the call began.

use std::sync::Arc;

use radline_call::{CallEvent, EndReason, EventKind};
use radline_store::{CallStart, StoreError};
use radline_telephony::{MissedCall, MissedReason};
use uuid::Uuid;

use crate::app::Services;

/// Records it like a call, so that whoever looks for it finds it in one place.
pub async fn record(services: Arc<Services>, missed: MissedCall) {
    let what = match missed.reason {
        MissedReason::GaveUp => "the caller gave up before the call began",
        MissedReason::NeverAcknowledged => "the answer was never acknowledged",
        MissedReason::NoCommonMedia => "there was no common way to send audio",
    };
    if let Err(error) = write(&services, &missed, what).await {
        tracing::error!(%error, "a call that came to nothing could not be recorded");
    }
}

async fn write(services: &Services, missed: &MissedCall, what: &str) -> Result<(), StoreError> {
    let (id, now) = (Uuid::new_v4().to_string(), services.clock.moment().now);
    let scenario = services.site.scenario.name();
    let start = CallStart { id: id.clone(), started: now, peer: missed.peer.to_string(), scenario };
    services.store.begin_call(&start).await?;
    let reason = EndReason::NotConnected;
    let events = [EventKind::Problem { what: what.to_owned() }, EventKind::Ended { reason }]
        .map(|kind| CallEvent { at_ms: 0, turn: 0, kind });
    for event in &events {
        services.metrics.count(event);
    }
    services.store.append(&id, 0, &events).await?;
    services.store.end_call(&id, now, reason, None).await
}
