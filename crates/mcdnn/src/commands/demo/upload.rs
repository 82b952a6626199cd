//! The body of a request, read within limits of size, time and memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::refused::Refused;

/// Largest body, in bytes.
pub(super) const MAX_BYTES: usize = 32 << 20;

/// Memory for all bodies that are held at once, in KiB.
const ROOM_KIB: usize = 64 << 10;

/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(10);

/// Memory for bodies.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// A body, and its share of the memory.
pub(super) struct Upload {
    pub(super) bytes: Bytes,
    _share: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_KIB)))
    }

    /// Reads a request's body. Its size is announced, so that memory is taken only for what fits.
    ///
    /// # Errors
    /// A sentence for a body without a length, too large, too slow, or cut off.
    pub(super) async fn read(&self, request: Request) -> Result<Upload, Refused> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let Some(length) = length else {
            return Err(Refused::new(StatusCode::LENGTH_REQUIRED, "Content-Length is missing"));
        };
        if length > MAX_BYTES {
            let sentence = format!("{length} bytes, expected at most {} MiB", MAX_BYTES >> 20);
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, sentence));
        }
        let share = length.div_ceil(1 << 10) as u32;
        let share = Arc::clone(&self.0).try_acquire_many_owned(share).map_err(|_| {
            let sentence = "other images take all the memory there is for them: try again in a second";
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
        })?;
        let Ok(read) = timeout(TIME, to_bytes(request.into_body(), length)).await else {
            let sentence = format!("the body did not arrive within {} s", TIME.as_secs());
            return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, sentence));
        };
        let bytes =
            read.map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the body is not as long as announced"))?;
        Ok(Upload { bytes, _share: share })
    }
}
