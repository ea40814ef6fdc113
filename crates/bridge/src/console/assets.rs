//! The page itself: files of `crates/bridge/console`, part of the program.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "console"]
struct Files;

pub(super) async fn index(uri: axum::http::Uri, headers: HeaderMap) -> Response {
    if uri.path().ends_with('/') {
        return serve("index.html", &headers);
    }
    // The page names its parts relative to the folder.
    Redirect::permanent("/console/").into_response()
}

pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&name, &headers)
}

fn serve(name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let hash = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", hex::encode(&hash[..16]));
    // Asked for every time and sent only when it is another: a new version of the program never meets
    // half of an old page.
    let fresh = [(header::CACHE_CONTROL, "no-cache".to_owned()), (header::ETAG, tag.clone())];
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    if known {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    (fresh, [(header::CONTENT_TYPE, kind)], file.data).into_response()
}
