//! Puts the console together: the bridge's page and interface, the site's card, the browsers' audio.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use radline_bridge::console::{BrowserAudio, ConsoleParts, OpenAudio, Opened, SiteCard, router};
use radline_bridge::{Bridge, credentials};
use radline_store::Store;
use radline_telephony::{route_to, webrtc};

use crate::clock::Clock;
use crate::config::Config;
use crate::site::Site;

/// What the console is made of.
pub struct Parts<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The site.
    pub site: &'a Site,
    /// Its clock.
    pub clock: &'a Clock,
    /// The database.
    pub store: &'a Store,
    /// The desk.
    pub bridge: &'a Arc<Bridge>,
}

/// The console's routes; none where a browser could only reach it in the clear.
pub async fn routes(parts: Parts<'_>) -> Router {
    let Parts { config, site, clock, store, bridge } = parts;
    if !config.http.ip().is_loopback() && !config.console.behind_proxy {
        tracing::warn!(
            "no console: set [console] behind_proxy when a proxy in front speaks TLS, or let http \
             listen on 127.0.0.1"
        );
        return Router::new();
    }
    let setup_token = credentials::new_token().0;
    if matches!(store.accounts().await.as_deref(), Ok([])) {
        // Whoever reads the server's log may make the first account, and nobody else.
        tracing::info!(token = %setup_token, "the console has no accounts yet: open /console/ and set it up");
    }
    let fact = |name: &str| site.facts.values.get(name).cloned().unwrap_or_default();
    let (now, local) = (clock.clone(), clock.clone());
    router(ConsoleParts {
        bridge: Arc::clone(bridge),
        store: store.clone(),
        clock: Arc::new(move || now.moment().now),
        local: Arc::new(move |at| local.local(at)),
        site: SiteCard {
            hospital: fact("hospital"),
            department: fact("department"),
            demonstration: site.facts.demonstration,
        },
        open_audio: open_audio(config.console.audio, config.http),
        setup_token,
        secure: config.console.behind_proxy,
    })
}

/// Answers browsers from an address that they can reach: the configured one, the one that the console
/// listens on, or the one that packets to them leave from.
fn open_audio(configured: Option<IpAddr>, http: SocketAddr) -> OpenAudio {
    let listens = Some(http.ip()).filter(|ip| !ip.is_unspecified());
    Arc::new(move |offer, peer| {
        Box::pin(async move {
            let local = match configured.or(listens) {
                Some(local) => Some(local),
                None => route_to(peer).await,
            };
            answered(&offer, local).await
        })
    })
}

async fn answered(offer: &str, local: Option<IpAddr>) -> Opened {
    let local = local.ok_or_else(|| "no address of ours reaches the browser".to_owned())?;
    let (answer, leg) = webrtc::answer(offer, local).await.map_err(|error| error.to_string())?;
    Ok((answer, BrowserAudio { voice: leg.voice, ear: leg.ear }))
}
