//! The paths of the server: the page's files, and what its script asks.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::{Deserialize, Serialize};

use super::classify::classify;
use super::distort::{Wish, distort};
use super::guard::{Guard, guard};
use super::maps::maps;
use super::ready::About;
use super::refused::Refused;
use super::upload::Room;
use super::worker::Worker;

/// The page's files: path, type, content.
const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/demo.js", "text/javascript; charset=utf-8", include_str!("page/demo.js")),
    ("/demo.css", "text/css; charset=utf-8", include_str!("page/demo.css")),
];

/// What all requests share.
#[derive(Debug, Clone)]
struct Shared {
    about: Arc<About>,
    worker: Worker,
    room: Room,
}

/// All paths, guarded.
pub(super) fn router(about: About, worker: Worker, port: u16) -> Router {
    let files = FILES.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || async move { ([(header::CONTENT_TYPE, kind)], text) }))
    });
    files
        .route("/api/study", get(async |State(shared): State<Shared>| Json(About::clone(&shared.about))))
        .route("/api/classify", post(asked_to_classify))
        .route("/api/maps", post(asked_for_maps))
        .route("/api/distort", post(asked_to_distort))
        .fallback(async |uri: Uri| {
            Refused::new(StatusCode::NOT_FOUND, format!("{}: not found; the page is at /", uri.path()))
        })
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            let sentence = format!("{}: the method {method} is not allowed", uri.path());
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
        })
        .layer(middleware::from_fn_with_state(Arc::new(Guard::new(port)), guard))
        .with_state(Shared { about: Arc::new(about), worker, room: Room::new() })
}

/// What an image is called in messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

/// Which column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfColumn {
    column: String,
}

async fn asked_to_classify(
    State(shared): State<Shared>,
    query: Result<Query<Named>, QueryRejection>,
    request: Request,
) -> Result<Response, Refused> {
    let Named { name } = read(query)?;
    let upload = shared.room.read(request).await?;
    timed(shared.worker.ask(move |ready| classify(ready, &upload.bytes, &name)).await?)
}

async fn asked_for_maps(
    State(shared): State<Shared>,
    query: Result<Query<OfColumn>, QueryRejection>,
    request: Request,
) -> Result<Response, Refused> {
    let OfColumn { column } = read(query)?;
    let upload = shared.room.read(request).await?;
    timed(shared.worker.ask(move |ready| maps(ready, &column, &upload.bytes)).await?)
}

async fn asked_to_distort(
    State(shared): State<Shared>,
    query: Result<Query<Wish>, QueryRejection>,
    request: Request,
) -> Result<Response, Refused> {
    let wish = read(query)?;
    let upload = shared.room.read(request).await?;
    timed(shared.worker.ask(move |ready| distort(ready, wish, &upload.bytes)).await?)
}

fn read<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Refused> {
    let Query(query) = query.map_err(|error| Refused::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    Ok(query)
}

/// An answer as JSON, and in a header how long it took, in milliseconds.
fn timed((answer, took): (impl Serialize, Duration)) -> Result<Response, Refused> {
    let took = format!("answer;dur={:.3}", 1_000.0 * took.as_secs_f64());
    Ok(([(header::HeaderName::from_static("server-timing"), took)], Json(answer)).into_response())
}
