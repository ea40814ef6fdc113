//! Calls that the clinic places, to prepare patients for their appointments: one after the other, at the hours
//! at which the site calls, and only while the line has a place that no caller needs.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::DateTime;
use radline_dialogue::Called;
use radline_phi::Phi;
use radline_store::{DialOutcome, OutgoingCall, StoreError};
use radline_telephony::{CallOutError, Dialer, Leg, LinePlace};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::Services;
use crate::call_driver::{self, AnsweredCall};
use crate::site::Site;

/// How often it is looked whether somebody is to be called.
const LOOK: Duration = Duration::from_secs(1);

/// Somebody, or something, has answered.
pub struct Answered {
    outgoing: i64,
    called: Called,
    leg: Leg,
    /// Given back when the call is over, and with it leave for the next one.
    place: LinePlace,
    over: mpsc::Sender<()>,
}

/// Places the calls that are asked for, for as long as the program runs.
pub async fn look_after(services: Arc<Services>, dialer: Dialer, answered: mpsc::Sender<Answered>) {
    loop {
        sleep(LOOK).await;
        if !may_call(&services.site, services.clock.moment().local) {
            continue;
        }
        let Some(place) = dialer.take_place() else { continue };
        let next = match services.store.next_outgoing_call(services.clock.moment().now).await {
            Ok(Some(next)) => next,
            Ok(None) => continue,
            Err(error) => {
                tracing::error!(%error, "whom to call could not be read");
                continue;
            }
        };
        let outgoing = next.id;
        match dial(&services, &dialer, next).await {
            Ok((called, leg)) => {
                let (over, mut end) = mpsc::channel(1);
                let call = Answered { outgoing, called, leg, place, over };
                if answered.send(call).await.is_err() {
                    return;
                }
                // The next patient is called when this one has been spoken with.
                end.recv().await;
            }
            Err(outcome) => {
                tracing::info!(outgoing, outcome = outcome.key(), "nobody was called");
                report(services.store.outgoing_call_ended(outgoing, outcome, None).await);
            }
        }
    }
}

/// The conversation with whoever has answered, from the greeting to the end of its record.
pub async fn talk(services: Arc<Services>, answered: Answered, shutdown: CancellationToken) {
    let Answered { outgoing, called, leg, place, over } = answered;
    let call = AnsweredCall { id: Uuid::new_v4().to_string(), leg, called: Some(called) };
    let (store, id) = (services.store.clone(), call.id.clone());
    Box::pin(call_driver::run(services, call, shutdown)).await;
    report(store.outgoing_call_ended(outgoing, DialOutcome::Answered, Some(&id)).await);
    drop((place, over));
}

/// Whether patients may be called now.
fn may_call(site: &Site, local: DateTime) -> bool {
    let outreach = &site.outreach;
    (outreach.from..outreach.until).contains(&local.time())
        && !site.office.holidays.contains(&local.date())
}

async fn dial(
    services: &Services,
    dialer: &Dialer,
    next: OutgoingCall,
) -> Result<(Called, Leg), DialOutcome> {
    let called = next.called.ok_or(DialOutcome::Withdrawn)?;
    let target = next.target.into_exposed().or_else(|| number(&services.site, &next.number));
    let target = target.ok_or(DialOutcome::Unreachable)?;
    let ring = Duration::from_secs(services.site.outreach.ring_seconds);
    tracing::info!(outgoing = next.id, "a patient is called");
    match dialer.call(&target, ring).await {
        Ok(leg) => Ok((called, leg)),
        Err(error) => {
            tracing::info!(outgoing = next.id, %error, "a patient was not reached");
            Err(match error {
                CallOutError::Busy => DialOutcome::Busy,
                CallOutError::NoAnswer => DialOutcome::NoAnswer,
                CallOutError::Declined => DialOutcome::Declined,
                CallOutError::Unreachable(_) => DialOutcome::Unreachable,
            })
        }
    }
}

/// Where the patient's number is dialled. A demonstration speaks records that nobody has signed: it dials nobody's
/// number.
fn number(site: &Site, number: &Phi<Option<String>>) -> Option<String> {
    if site.facts.demonstration {
        return None;
    }
    let number = number.expose().as_ref()?;
    Some(site.outreach.dial.as_ref()?.replace("{number}", number))
}

fn report(written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::error!(%error, "what came of a call could not be recorded");
    }
}
