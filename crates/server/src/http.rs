//! Health, metrics, and the console beside them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use radline_store::Store;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What the HTTP side shows.
#[derive(Clone)]
pub struct Http {
    /// Models are loaded and warmed, and the line is open.
    pub ready: Arc<AtomicBool>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// For asking whether the database answers.
    pub store: Store,
}

/// Serves `/healthz`, `/readyz`, `/metrics` and the console's routes.
pub async fn serve(listener: TcpListener, http: Http, console: Router) {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(http)
        .merge(console)
        .into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "the HTTP side ended");
    }
}

async fn readyz(State(http): State<Http>) -> impl IntoResponse {
    if !http.ready.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the models are being loaded\n");
    }
    if http.store.is_alive().await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}

async fn metrics(State(http): State<Http>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], http.metrics.text())
}
