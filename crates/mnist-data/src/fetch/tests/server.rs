//! A web server on the loopback that behaves as badly as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Name of the file, without the mirror's folder.
    pub(super) name: String,
    /// First byte asked for, of a request for a range.
    pub(super) start: Option<usize>,
}

/// What the server does with a request.
pub(super) enum Reply {
    /// Sends the body, or the range of it that was asked for.
    Body(Vec<u8>),
    /// Sends the whole body, whatever was asked for.
    NoRanges(Vec<u8>),
    /// Announces what [`Reply::Body`] would, and closes after so many bytes of it.
    BrokenOff(Vec<u8>, usize),
    /// Announces the whole body, whatever was asked for, and closes after so many bytes of it.
    NoRangesBrokenOff(Vec<u8>, usize),
    /// Announces what [`Reply::Body`] would, and holds the connection after so many bytes of it.
    Stalled(Vec<u8>, usize),
    /// Sends the body without announcing its length.
    Endless(Vec<u8>),
    /// Sends a status and nothing more.
    Status(u16),
}

/// Serves until dropped.
pub(super) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let is_stopped = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let thread = thread::spawn({
            let (log, is_stopped) = (Arc::clone(&log), Arc::clone(&is_stopped));
            move || {
                for stream in listener.incoming() {
                    if is_stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    let (log, is_stopped, answer) =
                        (Arc::clone(&log), Arc::clone(&is_stopped), Arc::clone(&answer));
                    thread::spawn(move || serve(stream.unwrap(), &log, &is_stopped, &*answer));
                }
            }
        });
        Server { address, log, is_stopped, thread: Some(thread) }
    }

    /// The address of the mirror.
    pub(super) fn url(&self) -> String {
        format!("http://{}/some/folder/", self.address)
    }

    /// What was asked for so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is to stop.
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    is_stopped: &AtomicBool,
    answer: &dyn Fn(&Request) -> Reply,
) {
    let Some(request) = read_request(&stream) else { return };
    log.lock().unwrap().push(request.clone());
    let start = request.start.unwrap_or(0);
    // A client that goes away in the middle is none of the server's trouble.
    let _ = match answer(&request) {
        Reply::Body(body) => send(&mut stream, &body, request.start, usize::MAX),
        Reply::NoRanges(body) => send(&mut stream, &body, None, usize::MAX),
        Reply::BrokenOff(body, n) => send(&mut stream, &body, request.start, start + n),
        Reply::NoRangesBrokenOff(body, n) => send(&mut stream, &body, None, n),
        Reply::Stalled(body, n) => {
            let sent = send(&mut stream, &body, request.start, start + n);
            while !is_stopped.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            sent
        }
        Reply::Endless(body) => {
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body))
        }
        Reply::Status(status) => {
            let head = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes())
        }
    };
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.strip_prefix("GET ")?.split(' ').next()?;
    let name = path.strip_prefix("/some/folder/")?.to_owned();
    let mut start = None;
    for line in lines {
        let line = line.ok()?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = Some(range.strip_suffix('-')?.parse().ok()?);
        }
    }
    Some(Request { name, start })
}

/// Sends the body from `start` to its end, but stops before `stop`.
fn send(stream: &mut TcpStream, body: &[u8], start: Option<usize>, stop: usize) -> std::io::Result<()> {
    let n = body.len();
    let head = match start {
        None => format!("200 OK\r\nContent-Length: {n}"),
        Some(start) if start < n => {
            format!(
                "206 Partial\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{n}",
                n - start,
                n - 1
            )
        }
        Some(_) => format!("416 No\r\nContent-Length: 0\r\nContent-Range: bytes */{n}"),
    };
    stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes())?;
    stream.write_all(&body[start.unwrap_or(0).min(n)..stop.min(n)])
}
