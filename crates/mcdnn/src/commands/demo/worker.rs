//! One thread that asks the columns, one request after the other, so that the server itself never waits.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::oneshot;

use super::ready::Ready;
use super::refused::Refused;

/// Requests that wait at most; one more is sent away.
const QUEUE: usize = 128;

type Job = Box<dyn FnOnce(&Ready) + Send>;

/// The way to the thread. It ends when all of these are dropped.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    queue: SyncSender<Job>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(ready: Ready) -> io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let work = move || jobs.into_iter().for_each(|job| job(&ready));
        thread::Builder::new().name("columns".to_owned()).spawn(work)?;
        Ok(Self { queue })
    }

    /// Has the thread answer, unless nobody waits for the answer any more when its turn comes. Returns how long the answer took, too.
    ///
    /// # Errors
    /// Those of the question, and when the queue is full.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Ready) -> Result<T, Refused> + Send + 'static,
    ) -> Result<(T, Duration), Refused> {
        let (answer, answered) = oneshot::channel();
        let job = move |ready: &Ready| {
            if answer.is_closed() {
                return;
            }
            let start = Instant::now();
            // A decoder that panics must not take the demo with it. What it leaves behind is not looked at again: columns put
            // nothing back that is half done.
            let said = catch_unwind(AssertUnwindSafe(|| question(ready)));
            let said = said.unwrap_or_else(|_| Err(failed())).map(|said| (said, start.elapsed()));
            drop(answer.send(said)); // whoever asked may have gone
        };
        self.queue.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{QUEUE} requests wait already: try again in a second"),
            ),
            TrySendError::Disconnected(_) => failed(),
        })?;
        answered.await.map_err(|_| failed())?
    }
}

fn failed() -> Refused {
    Refused::failure("this request made the program fail; the terminal says where")
}
