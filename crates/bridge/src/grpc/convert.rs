//! From our types to the messages of the wire, by hand: neither side has to follow the other.

use radline_call::EscalationOutcome;
use radline_dialogue::{Answer, CallbackReason, Disposition};
use radline_phi::Phi;

use super::v1;
use crate::brief::Brief;
use crate::desk::{Place, QueuedCall};
use crate::escalation::{Escalation, Urgency};
use crate::feed::{CallState, FeedItem, Speaker};
use crate::limits;

pub(super) fn queued(call: QueuedCall) -> v1::QueuedCall {
    let provider = match &call.place {
        Place::Claimed(provider) | Place::Provider(provider) => provider.display.clone(),
        Place::Agent | Place::Waiting | Place::Finished => String::new(),
    };
    let state = match call.place {
        Place::Agent => v1::CallState::WithAgent,
        Place::Waiting | Place::Claimed(_) => v1::CallState::Waiting,
        Place::Provider(_) => v1::CallState::WithProvider,
        Place::Finished => v1::CallState::Ended,
    };
    v1::QueuedCall {
        call_id: call.call,
        state: state.into(),
        escalation: call.escalation.as_ref().map(escalation),
        caller_name: exposed(call.name),
        verified: call.verified,
        about: exposed(call.about),
        provider,
        began_unix_ms: call.began.as_millisecond(),
        draft: call.draft,
    }
}

fn exposed(value: Option<Phi<String>>) -> String {
    value.map(Phi::into_exposed).unwrap_or_default()
}

pub(super) fn escalation(need: &Escalation) -> v1::Escalation {
    let reason = match need.reason {
        CallbackReason::RedFlag(_) => v1::Reason::RedFlag,
        CallbackReason::Screening => v1::Reason::ScreeningStop,
        CallbackReason::Asked => v1::Reason::Requested,
        CallbackReason::NotUnderstood => v1::Reason::NotUnderstood,
        CallbackReason::Distress => v1::Reason::Distress,
        CallbackReason::Failure | CallbackReason::PersonLost => v1::Reason::Failure,
        _ => v1::Reason::Policy,
    };
    let urgency = match need.urgency {
        Urgency::Routine => v1::Urgency::Routine,
        Urgency::Urgent => v1::Urgency::Urgent,
        Urgency::Emergency => v1::Urgency::Emergency,
    };
    let since = need.since.as_millisecond();
    v1::Escalation {
        reason: reason.into(),
        detail: need.reason.key(),
        text: need.text().to_owned(),
        urgency: urgency.into(),
        skills: need.skills.iter().map(|skill| (*skill).to_owned()).collect(),
        language: need.language.clone(),
        trigger: exposed(need.trigger.clone()),
        since_unix_ms: since,
        due_unix_ms: since + limits::service_level(need.urgency).as_millis() as i64,
    }
}

pub(super) fn outcome(outcome: EscalationOutcome) -> v1::Outcome {
    match outcome {
        EscalationOutcome::Taken => v1::Outcome::Taken,
        EscalationOutcome::Declined => v1::Outcome::Declined,
        EscalationOutcome::NoAnswer => v1::Outcome::NoAnswer,
        EscalationOutcome::Busy => v1::Outcome::Busy,
        EscalationOutcome::CallerLeft => v1::Outcome::CallerLeft,
        EscalationOutcome::ProviderDropped => v1::Outcome::ProviderDropped,
        EscalationOutcome::HandedBack => v1::Outcome::HandedBack,
        EscalationOutcome::CallbackPromised => v1::Outcome::CallbackPromised,
    }
}

pub(super) fn brief(brief: Brief) -> v1::Brief {
    let Brief { story, escalation: need, feelings, next } = brief;
    let (next, next_source) = next.unwrap_or_default();
    let (appointment, appointment_pending) = story
        .appointment
        .map(|(words, pending)| (words.into_exposed(), pending))
        .unwrap_or_default();
    let settled = story.settled.into_iter().map(|settled| v1::Settled {
        label: settled.label.to_owned(),
        value: settled.value.into_exposed(),
        confirmed: settled.confirmed,
    });
    let safety = story.safety.into_iter().map(|answer| v1::SafetyAnswer {
        question: answer.question,
        answer: answer_key(answer.answer).to_owned(),
        level: level_key(answer.level).to_owned(),
        quote: answer.quote.into_exposed(),
    });
    v1::Brief {
        name: exposed(story.name),
        date_of_birth: exposed(story.date_of_birth),
        verified: story.verified,
        outbound: story.outbound,
        escalation: need.as_ref().map(escalation),
        settled: settled.collect(),
        open: story.open.into_iter().map(str::to_owned).collect(),
        safety: safety.collect(),
        order: exposed(story.order),
        appointment,
        appointment_pending,
        feelings: feelings.into_iter().map(Phi::into_exposed).collect(),
        next,
        next_source,
    }
}

pub(crate) const fn answer_key(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unsure => "unsure",
    }
}

pub(crate) const fn level_key(level: Disposition) -> &'static str {
    match level {
        Disposition::Stop => "stop",
        Disposition::Review => "review",
        Disposition::Note => "note",
        Disposition::Clear => "clear",
    }
}

pub(super) fn followed(sequence: u64, item: FeedItem) -> v1::FollowCallResponse {
    use v1::follow_call_response::What;
    let what = match item {
        FeedItem::Line { at_ms, who, text, source, cut } => What::Line(v1::Line {
            begin_at_ms: at_ms,
            speaker: match who {
                Speaker::Caller => v1::Speaker::Caller,
                Speaker::Agent => v1::Speaker::Agent,
                Speaker::Provider => v1::Speaker::Provider,
            }
            .into(),
            text: text.into_exposed().unwrap_or_default(),
            source,
            cut,
        }),
        FeedItem::Happening { at_ms, what, text } => {
            What::Happening(v1::Happening { happened_at_ms: at_ms, kind: what.to_owned(), text })
        }
        FeedItem::Brief(known) => What::Brief(brief(*known)),
        FeedItem::Draft(draft) => What::Draft(v1::Draft {
            draft_id: draft.reply.draft,
            text: draft.reply.text.into_exposed(),
            sources: draft.reply.sources,
            deadline_unix_ms: draft.deadline.as_millisecond(),
            policy: draft.reply.unanswered.key().to_owned(),
        }),
        FeedItem::DraftOver { draft, verdict } => {
            What::DraftOver(v1::DraftOver { draft_id: draft, verdict: verdict.key().to_owned() })
        }
        FeedItem::State(state) => What::State(
            match state {
                CallState::WithAgent => v1::CallState::WithAgent,
                CallState::Waiting => v1::CallState::Waiting,
                CallState::WithProvider => v1::CallState::WithProvider,
                CallState::Ended => v1::CallState::Ended,
            }
            .into(),
        ),
    };
    v1::FollowCallResponse { sequence, what: Some(what) }
}
