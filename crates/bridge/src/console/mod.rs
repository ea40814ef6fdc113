//! The console: what providers open in a browser. Static files and a JSON interface beside them, both
//! below `/console/`; the page is plain HTML, CSS and JavaScript and needs no build.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{delete, get, post};
use jiff::Timestamp;
use jiff::civil::DateTime;
use radline_audio::AudioFrame;
use radline_store::Store;
use tokio::sync::{Semaphore, mpsc};

use crate::bridge::{Bridge, ReadClock};
use crate::limits;

mod accounts;
mod answer;
mod assets;
mod calls;
mod live;
mod recording;
mod records;
mod replies;
mod session;
mod talk;

use session::Sessions;
use talk::Talks;

/// The audio of a browser: what its microphone hears, and what it plays. The voice ends with the
/// connection; dropping either end hangs up.
#[derive(Debug)]
pub struct BrowserAudio {
    /// What the microphone hears, 20 ms at a time.
    pub voice: mpsc::Receiver<AudioFrame>,
    /// What the browser plays.
    pub ear: mpsc::Sender<AudioFrame>,
}

/// What comes of a browser's offer: the answer and the audio, or why there is none.
pub type Opened = Result<(String, BrowserAudio), String>;

/// Answers a browser's offer, given where the browser is.
pub type OpenAudio =
    Arc<dyn Fn(String, SocketAddr) -> Pin<Box<dyn Future<Output = Opened> + Send>> + Send + Sync>;

/// Tells what a point in time is on the site's clock.
pub type LocalTime = Arc<dyn Fn(Timestamp) -> DateTime + Send + Sync>;

/// The site, as the console shows it.
#[derive(Debug, Clone)]
pub struct SiteCard {
    /// The hospital's name.
    pub hospital: String,
    /// The department's name.
    pub department: String,
    /// Whether the site only demonstrates.
    pub demonstration: bool,
}

/// What the console needs.
pub struct ConsoleParts {
    /// Calls and providers.
    pub bridge: Arc<Bridge>,
    /// Accounts, calls, tasks.
    pub store: Store,
    /// Reads the time.
    pub clock: ReadClock,
    /// Tells the site's time.
    pub local: LocalTime,
    /// The site.
    pub site: SiteCard,
    /// Answers browsers.
    pub open_audio: OpenAudio,
    /// Allows the first account to be made, while there is none.
    pub setup_token: String,
    /// Whether browsers come over TLS, by a proxy in front.
    pub secure: bool,
}

/// The console.
pub(crate) struct Console {
    parts: ConsoleParts,
    sessions: Mutex<Sessions>,
    talks: Mutex<Talks>,
    /// Passwords that are checked at once.
    hashing: Semaphore,
}

/// The console's routes.
pub fn router(parts: ConsoleParts) -> Router {
    let console = Arc::new(Console {
        parts,
        sessions: Mutex::default(),
        talks: Mutex::new(HashMap::new()),
        hashing: Semaphore::new(1),
    });
    let api = Router::new()
        .route("/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/setup", post(accounts::set_up))
        .route("/accounts", get(accounts::list).post(accounts::add))
        .route("/accounts/{name}", delete(accounts::remove))
        .route("/presence", post(live::presence))
        .route("/alive", post(live::alive))
        .route("/live", get(live::queue))
        .route("/calls/search", post(records::search))
        .route("/calls/{id}", get(records::call))
        .route("/calls/{id}/live", get(live::call))
        .route("/calls/{id}/claim", post(calls::claim))
        .route("/calls/{id}/decline", post(calls::decline))
        .route("/calls/{id}/audio", post(calls::audio))
        .route("/calls/{id}/hand_back", post(calls::hand_back))
        .route("/calls/{id}/finish", post(calls::finish))
        .route("/calls/{id}/drafts/{draft}", post(calls::judge))
        .route("/calls/{id}/recording", get(recording::audio))
        .route("/calls/{id}/waveform", get(recording::waveform))
        .route("/tasks", get(records::tasks))
        .route("/tasks/{id}/done", post(records::task_done))
        .route("/replies", get(replies::list))
        .route("/replies/{state}/grant", post(replies::grant).delete(replies::revoke))
        .route("/today", get(records::today))
        .layer(DefaultBodyLimit::max(limits::REQUEST_MAX))
        .with_state(console);
    Router::new()
        .route("/console", get(assets::index))
        .route("/console/", get(assets::index))
        .route("/console/{file}", get(assets::file))
        .nest("/console/api", api)
        .layer(map_response(answer::guarded))
}

impl Console {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn talks(&self) -> MutexGuard<'_, Talks> {
        self.talks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a session goes on: used lately, its page alive, its account still there.
    async fn goes_on(&self, session: &session::Session) -> bool {
        let now = self.now();
        let open = self.sessions().is_open(session, now);
        open && session.presence.is_alive(now)
            && matches!(self.parts.store.account(&session.provider.name).await, Ok(Some(_)))
    }

    fn now(&self) -> Timestamp {
        (self.parts.clock)()
    }
}
