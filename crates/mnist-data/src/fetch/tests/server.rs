//! A web server on the loopback that behaves as badly as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the server does with a request.
pub(super) enum Reply {
    /// Sends the body.
    Body(Vec<u8>),
    /// Announces the whole body, and closes after so many bytes of it.
    BrokenOff(Vec<u8>, usize),
    /// Announces the whole body, and holds the connection after so many bytes of it.
    Stalled(Vec<u8>, usize),
    /// Sends the body without announcing its length.
    Endless(Vec<u8>),
    /// Sends a status and nothing more.
    Status(u16),
}

/// Serves until dropped.
pub(super) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
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

    /// The files asked for so far, without the mirror's folder.
    pub(super) fn requests(&self) -> Vec<String> {
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
    log: &Mutex<Vec<String>>,
    is_stopped: &AtomicBool,
    answer: &dyn Fn(&str) -> Reply,
) {
    let Some(name) = read_request(&stream) else { return };
    log.lock().unwrap().push(name.clone());
    // A client that goes away in the middle is none of the server's trouble.
    let _ = match answer(&name) {
        Reply::Body(body) => send(&mut stream, &body, body.len()),
        Reply::BrokenOff(body, n) => send(&mut stream, &body, n),
        Reply::Stalled(body, n) => {
            let sent = send(&mut stream, &body, n);
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

/// Reads a request to its end; the name of the file.
fn read_request(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.strip_prefix("GET ")?.split(' ').next()?;
    let name = path.strip_prefix("/some/folder/")?.to_owned();
    lines.map_while(Result::ok).find(String::is_empty)?;
    Some(name)
}

/// Announces the body and sends the first `n` bytes of it.
fn send(stream: &mut TcpStream, body: &[u8], n: usize) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body[..n])
}
