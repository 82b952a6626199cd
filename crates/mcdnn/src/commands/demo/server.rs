//! Connections on the loopback address: how many, for how long, and until when.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::ready::Ready;
use super::routes::router;
use super::worker::Worker;
use crate::app::App;

/// Connections at once; others wait until one of them ends, which the times below make sure of.
const N_CONNECTIONS: usize = 128;

/// How long a request's head may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(3);

/// How long a connection may take as a whole: one request, and its answer.
const TIME: Duration = Duration::from_secs(30);

/// Memory for a connection's head and what is read ahead of its body, in bytes.
const MAX_BUFFER: usize = 64 << 10;

/// How soon a signal is noticed.
const POLL: Duration = Duration::from_millis(50);

/// Serves the page on this port of 127.0.0.1, or on any free one for port 0, until a signal comes. Prints the address.
///
/// # Errors
/// When the port cannot be had.
pub(super) fn serve(ready: Ready, port: u16, app: &App) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
                ErrorKind::AddrInUse => {
                    anyhow!("port {port} of 127.0.0.1 is taken; --port 0 takes a free one")
                }
                _ => anyhow!("port {port} of 127.0.0.1 cannot be used: {error}"),
            })?;
        let port = listener.local_addr()?.port();
        let about = ready.about();
        let router = router(about, Worker::start(ready)?, port);
        let stop = (app.listen)()?;
        app.terminal.result(format_args!("http://127.0.0.1:{port}/"))?;
        app.terminal.note("open this address in a browser; Ctrl-C ends the demo");
        accept(&listener, &router, &stop).await;
        Ok(())
    })
}

/// Takes connections until `stop` is set; what is still open then is dropped with the runtime.
async fn accept(listener: &TcpListener, router: &Router, stop: &AtomicBool) {
    let places = Arc::new(Semaphore::new(N_CONNECTIONS));
    while !stop.load(Ordering::SeqCst) {
        let Ok(Ok(place)) = timeout(POLL, Arc::clone(&places).acquire_owned()).await else { continue };
        let stream = match timeout(POLL, listener.accept()).await {
            Err(_) => continue,
            // The other side has gone already, or there are no more files to be had: some will be, soon.
            Ok(Err(_)) => {
                sleep(POLL).await;
                continue;
            }
            Ok(Ok((stream, _))) => stream,
        };
        let router = router.clone();
        tokio::spawn(async move {
            answer(stream, router).await;
            drop(place);
        });
    }
}

/// One request and its answer. Nothing is kept open for a second one, so there is nothing idle to watch over.
async fn answer(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MAX_BUFFER)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // That a client breaks off or is too slow is its own affair.
    drop(timeout(TIME, served).await);
}
