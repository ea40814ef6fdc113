//! Every wait and every bound of the provider's side, in one place.

use std::time::Duration;

use jiff::SignedDuration;

use crate::escalation::Urgency;

/// Longest that a caller waits on the line before a call-back is promised instead. A published script
/// looks for another way after three minutes (domain notes on emergency call centres).
pub const WAIT_MAX: Duration = Duration::from_mins(3);
/// How long a provider who has claimed a call may take to open its audio. The caller waits meanwhile.
pub const JOIN_MAX: Duration = Duration::from_secs(15);
/// How long nobody may be there before a waiting caller is told so: a browser that reloads is back
/// within this.
pub const ABSENCE_MAX: Duration = Duration::from_secs(8);
/// How often the desk looks at its deadlines.
pub const TICK: Duration = Duration::from_millis(250);
/// Events of a call that can still be followed; older ones are in the record.
pub const FEED_MAX: usize = 4096;
/// Calls at the desk.
pub const CALLS_MAX: usize = 4096;
/// Providers' connections at the desk.
pub const PRESENCES_MAX: usize = 1024;
/// Words to one call's driver that it has not taken up.
pub const WORDS_MAX: usize = 64;
/// Frames between provider and call, each way: more than this is a line that has stalled, and the
/// oldest are of no use any more.
pub const FRAMES_MAX: usize = 50;
/// Frames kept when a stalled line moves again. Fewer would cut words at the jitter of a browser, more
/// would be heard as delay.
pub const FRAMES_KEPT: usize = 5;
/// The caller's words that tell how they feel, on a brief.
pub const FEELINGS_MAX: usize = 3;

/// How often a gRPC connection is probed; one that does not answer within as long again is closed.
pub const KEEPALIVE: Duration = Duration::from_secs(4);
/// Streams of one gRPC connection.
pub const STREAMS_MAX: u32 = 64;
/// Longest message from a client, bytes.
pub const MESSAGE_MAX: usize = 64 * 1024;
/// Longest wait for the first message of a conversation.
pub const FIRST_MESSAGE: Duration = Duration::from_secs(10);
/// Shortest time between two states of the queue on one stream.
pub const QUEUE_EVERY: Duration = Duration::from_millis(50);
/// How often a provider who is there hears how many wait.
pub const PRESENCE_EVERY: Duration = Duration::from_secs(5);
/// Items of a call that wait for a client.
pub const STREAM_AHEAD: usize = 64;
/// How long streams may take to end once the service is told to stop.
pub const STREAMS_END: Duration = Duration::from_secs(1);

/// Longest wait for the first sound of a browser.
pub const FIRST_SOUND: Duration = Duration::from_secs(12);
/// How often a console's stream looks whether its session goes on.
pub const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A console's page says every ten seconds that it is alive; this long without a word, it is not.
pub const PAGE_ALIVE: SignedDuration = SignedDuration::from_secs(35);
/// Longest request to the console, bytes; an offer of a browser has a few thousand.
pub const REQUEST_MAX: usize = 64 * 1024;
/// A session that nobody uses ends after this.
pub const SESSION_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// No session lasts longer: about a shift.
pub const SESSION_MAX: SignedDuration = SignedDuration::from_hours(12);
/// Sessions at once.
pub const SESSIONS_MAX: usize = 1000;
/// Failed attempts to sign in with one name before it has to wait.
pub const TRIES_MAX: usize = 5;
/// How long it has to wait.
pub const TRIES_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Names whose failed attempts are counted.
pub const NAMES_MAX: usize = 1000;
/// Calls that are looked through for those of a day.
pub const OF_A_DAY_MAX: u32 = 20_000;
/// Calls that a search shows.
pub const FOUND_MAX: u32 = 100;

/// Drafts of a reply that persons must have decided about before it can be granted. Below it the interval
/// says little: with 30 of 30 approved, the true share is above 88 %.
pub const GRANT_DRAFTS_MIN: u64 = 30;

/// Words that were not spoken, shown for review.
pub const BLOCKED_SHOWN: u32 = 50;

/// Longest wrap-up note, characters.
pub const NOTE_MAX: usize = 4000;
/// Longest outcome, characters.
pub const WORD_MAX: usize = 40;

/// How soon a person should be there.
pub const fn service_level(urgency: Urgency) -> Duration {
    match urgency {
        Urgency::Emergency => Duration::from_secs(20),
        Urgency::Urgent => Duration::from_mins(1),
        Urgency::Routine => Duration::from_mins(2),
    }
}
