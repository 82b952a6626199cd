//! Downloads from a mirror: resumed when broken off, redone when wrong.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use flate2::bufread::GzDecoder;
use ureq::http::Response;
use ureq::http::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

use super::cache::{CHUNK, Cache};
use super::error::Trouble;
use super::{Event, Failure, FetchError};
use crate::KnownFile;

/// Where there is no mirror, there is one quickly known not to be: then the next source has its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that sends nothing for so long has broken off.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Tries in a row that bring nothing new before a mirror is given up.
const MAX_IDLE_TRIES: u32 = 2;

/// Tries of one file in all: a server that breaks off after every few bytes is no mirror.
const MAX_TRIES: u32 = 50;

/// Wait before a try, once for each idle one.
const PAUSE: Duration = Duration::from_millis(100);

/// # Errors
/// [`FetchError::Proxy`].
pub(super) fn agent(proxy: Option<&str>) -> Result<Agent, FetchError> {
    let proxy = match proxy.map(|address| (address, Proxy::new(address))) {
        None => None,
        Some((_, Ok(proxy))) => Some(proxy),
        Some((address, Err(_))) => return Err(FetchError::Proxy { got: address.to_owned() }),
    };
    let certificates = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(certificates)
        .proxy(proxy)
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .build();
    Ok(config.new_agent())
}

/// Downloads one gzipped file into the cache, where it is stored inflated and verified.
pub(super) fn bring(
    agent: &Agent,
    url: &str,
    file: KnownFile,
    cache: &Cache<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), Trouble> {
    let path = cache.part(file, url);
    let mut may_redo = true;
    loop {
        let download = Download { agent, url, file, path: &path };
        let origin = download.run(observe)?;
        let outcome = inflate(&path, file, cache, observe);
        if let Err(Trouble::Here(error)) = outcome {
            return Err(Trouble::Here(error));
        }
        fs::remove_file(&path).map_err(FetchError::io(&path, "remove"))?;
        match outcome {
            // Two halves that do not fit are no reason to doubt the mirror: once more, in one piece.
            Err(Trouble::There(failure)) if origin == Origin::Pieces && may_redo => {
                may_redo = false;
                observe(Event::BrokenOff { source: url, failure: &failure });
            }
            outcome => return outcome,
        }
    }
}

/// Stores a downloaded file; one that is not gzipped is taken as it is.
fn inflate(
    path: &Path,
    file: KnownFile,
    cache: &Cache<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), Trouble> {
    let mut part = File::open(path).map_err(FetchError::io(path, "open"))?;
    let mut mark = Vec::new();
    (&mut part).take(2).read_to_end(&mut mark).map_err(FetchError::io(path, "read"))?;
    part.rewind().map_err(FetchError::io(path, "read"))?;
    let mut buffered = BufReader::with_capacity(CHUNK, part);
    if mark == [0x1f, 0x8b] {
        cache.store(file, &mut GzDecoder::new(buffered), observe)
    } else {
        cache.store(file, &mut buffered, observe)
    }
}

/// How a download came to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From one answer.
    OnePiece,
    /// From several, some perhaps to an earlier process.
    Pieces,
}

/// What is there of a download.
struct Part<'a> {
    path: &'a Path,
    file: File,
    n_bytes: u64,
    origin: Origin,
}

impl<'a> Part<'a> {
    fn open(path: &'a Path) -> Result<Self, FetchError> {
        let opened = File::options().write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(FetchError::io(path, "open"))?;
        let n_bytes = file.seek(SeekFrom::End(0)).map_err(FetchError::io(path, "open"))?;
        Ok(Part { path, file, n_bytes, origin: Origin::OnePiece })
    }

    fn clear(&mut self) -> Result<(), FetchError> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.rewind());
        cleared.map_err(FetchError::io(self.path, "write"))?;
        (self.n_bytes, self.origin) = (0, Origin::OnePiece);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(FetchError::io(self.path, "write"))?;
        self.n_bytes += bytes.len() as u64;
        Ok(())
    }
}

struct Download<'a> {
    agent: &'a Agent,
    url: &'a str,
    file: KnownFile,
    path: &'a Path,
}

impl Download<'_> {
    /// Completes the file at `path`, in as many requests as it takes.
    fn run(&self, observe: &mut dyn FnMut(Event<'_>)) -> Result<Origin, Trouble> {
        let mut part = Part::open(self.path)?;
        let (mut n_most, mut n_tries, mut n_idle) = (part.n_bytes, 0, 0);
        loop {
            observe(Event::Started { source: self.url, resumed_at: part.n_bytes });
            let failure = match self.ask(&mut part, observe) {
                Ok(()) => return Ok(part.origin),
                Err(Trouble::There(failure)) => failure,
                Err(here) => return Err(here),
            };
            n_tries += 1;
            n_idle = if part.n_bytes > n_most { 0 } else { n_idle + 1 };
            n_most = n_most.max(part.n_bytes);
            let is_final = match failure {
                Failure::Unreachable { .. } => n_tries == 1,
                Failure::Status { .. } | Failure::TooLong { .. } => true,
                _ => n_most == 0,
            };
            if is_final || n_idle >= MAX_IDLE_TRIES || n_tries >= MAX_TRIES {
                return Err(Trouble::There(failure));
            }
            observe(Event::BrokenOff { source: self.url, failure: &failure });
            thread::sleep(PAUSE * n_idle);
        }
    }

    /// One request, for what is missing.
    fn ask(&self, part: &mut Part<'_>, observe: &mut dyn FnMut(Event<'_>)) -> Result<(), Trouble> {
        let mut request = self.agent.get(self.url).header(ACCEPT_ENCODING, "identity");
        if part.n_bytes > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.n_bytes));
        }
        let response = request.call().map_err(|error| Failure::Unreachable { reason: error.to_string() })?;
        let range = ContentRange::of(&response);
        let total = match response.status().as_u16() {
            // The whole file, asked for or not.
            200 => {
                part.clear()?;
                response.body().content_length()
            }
            206 if part.n_bytes > 0 && range.start == Some(part.n_bytes) => {
                part.origin = Origin::Pieces;
                range.total
            }
            // Nothing after the end: it was whole already.
            416 if part.n_bytes > 0 && range.total == Some(part.n_bytes) => {
                part.origin = Origin::Pieces;
                return Ok(());
            }
            206 | 416 if part.n_bytes > 0 => {
                let (got, reason) = (part.n_bytes, "the server does not go on there".to_owned());
                part.clear()?;
                return Err(Trouble::There(Failure::BrokenOff { got, want: range.total, reason }));
            }
            got => return Err(Trouble::There(Failure::Status { got })),
        };
        self.receive(response, total, part, observe)
    }

    fn receive(
        &self,
        response: Response<Body>,
        total: Option<u64>,
        part: &mut Part<'_>,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Trouble> {
        // Gzip at its worst adds a few bytes to every block; whatever is longer is not the file.
        let n_max = self.file.n_bytes + self.file.n_bytes / 64 + CHUNK as u64;
        let broken = |got, reason| Trouble::There(Failure::BrokenOff { got, want: total, reason });
        let mut body = response.into_body().into_reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = match body.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(part.n_bytes, error.to_string())),
            };
            part.append(&chunk[..n])?;
            if part.n_bytes > n_max {
                let (name, got) = (self.file.name.to_owned(), part.n_bytes);
                part.clear()?;
                return Err(Trouble::There(Failure::TooLong { name, got, want: n_max }));
            }
            observe(Event::Progress { source: self.url, n_bytes: part.n_bytes, total });
        }
        if total.is_some_and(|total| part.n_bytes < total) {
            return Err(broken(part.n_bytes, "the connection was closed".to_owned()));
        }
        Ok(())
    }
}

/// The header `Content-Range: bytes <start>-<last>/<total>`, or `bytes */<total>`, as far as it is there (RFC 9110).
#[derive(Debug, Default, PartialEq, Eq)]
struct ContentRange {
    start: Option<u64>,
    total: Option<u64>,
}

impl ContentRange {
    fn of(response: &Response<Body>) -> Self {
        let value = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        value.map_or_else(Self::default, Self::parse)
    }

    fn parse(value: &str) -> Self {
        let Some((range, total)) =
            value.trim().strip_prefix("bytes ").and_then(|value| value.split_once('/'))
        else {
            return Self::default();
        };
        let start = range.split_once('-').and_then(|(start, _)| start.trim().parse().ok());
        ContentRange { start, total: total.trim().parse().ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_understood_or_ignored() {
        let range = |start, total| ContentRange { start, total };
        assert_eq!(ContentRange::parse("bytes 5-9/10"), range(Some(5), Some(10)));
        assert_eq!(ContentRange::parse("bytes 5-9/*"), range(Some(5), None));
        assert_eq!(ContentRange::parse("bytes */10"), range(None, Some(10)));
        for other in ["", "bytes", "bytes 5-9", "lines 5-9/10", "bytes x-y/z"] {
            assert_eq!(ContentRange::parse(other), ContentRange::default(), "{other}");
        }
    }
}
