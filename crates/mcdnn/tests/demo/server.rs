//! A demo that runs, and plain HTTP to ask it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use mnist_data::Data;
use serde_json::Value;

use crate::run::{Place, Ran};

/// No answer takes longer, but one that never comes.
const LIMIT: Duration = Duration::from_secs(60);

/// The published study with the most columns.
pub(crate) fn published() -> String {
    format!("{}/../../results/published/best", env!("CARGO_MANIFEST_DIR"))
}

/// A demo, ended with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// What it printed: its address.
    pub(crate) address: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The status line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// Of the published study.
    pub(crate) fn start() -> Self {
        Self::started(&Place::new(), &format!("--study {}", published()))
    }

    /// In this place, with these flags, on a free port.
    pub(crate) fn started(place: &Place, flags: &str) -> Self {
        let mut child = place.command(&format!("demo --port 0 {flags}")).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let port = address.trim().strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
        let Some(port) = port.and_then(|port| port.parse().ok()) else {
            panic!("{address:?}: {:#?}", Ran::from(child.wait_with_output().unwrap()));
        };
        Self { child, port, address: address.trim().to_owned() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// Sends a request with these headers as they are, besides the length of the body, and its own `Host` where none is given.
    pub(crate) fn send(&self, line: &str, headers: &[&str], body: &[u8]) -> Response {
        let host = format!("Host: 127.0.0.1:{}", self.port);
        let has_host = headers.iter().any(|header| header.starts_with("Host:"));
        let mut head = format!("{line} HTTP/1.1\r\n");
        for header in headers.iter().copied().chain((!has_host).then_some(host.as_str())) {
            head += &format!("{header}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.send_raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    /// Sends these bytes, and reads what comes back to its end.
    pub(crate) fn send_raw(&self, bytes: &[u8]) -> Response {
        let mut stream = self.connect();
        // A request may be refused before all of it is written.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head, body: answer[end + 4..].to_vec() }
    }

    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Response {
        self.send(&format!("POST {path}"), &[], body)
    }

    /// Ended by this signal, it leaves with this exit code.
    #[cfg(unix)]
    pub(crate) fn end(mut self, signal: rustix::process::Signal) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Response {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Was refused with this status, and one sentence that has these words.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, words: &str) {
        let json = self.json();
        let sentence = json["error"].as_str().unwrap_or_default();
        assert_eq!(self.status, status, "{}", self.head);
        assert!(sentence.contains(words), "no {words:?} in {sentence:?}");
        assert!(self.head.contains("content-security-policy: default-src 'none';"), "{}", self.head);
    }
}

/// The sample's first test digit with this label as a photograph has it: dark on uneven light paper, each pixel `scale` by `scale`.
pub(crate) fn photograph(label: u8, scale: u32, format: ImageFormat) -> Vec<u8> {
    let data = Data::sample();
    let index = data.test.labels().iter().position(|of| *of == label).unwrap();
    let digit = data.test.images().index_axis_move(ndarray::Axis(0), index).to_owned();
    let side = 40 * scale;
    let pixel = |x: u32, y: u32| {
        let at = |at: u32| (at / scale).wrapping_sub(6) as usize;
        let ink = digit.get([at(y), at(x)]).copied().unwrap_or(0);
        let paper = 235 - 40 * x / side - 20 * y / side + (x * 7 + y * 13) % 5;
        Luma([(paper - (paper - 50) * u32::from(ink) / 255) as u8])
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = DynamicImage::from(DynamicImage::from(GrayImage::from_fn(side, side, pixel)).to_rgb8());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
