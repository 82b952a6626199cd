//! Downloads from a mirror: started again when they break off.

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use flate2::bufread::GzDecoder;
use ureq::http::header::ACCEPT_ENCODING;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use super::cache::{CHUNK, Cache};
use super::error::Trouble;
use super::{Event, Failure, FetchError};
use crate::collection::KnownFile;

/// Where there is no mirror, there is one quickly known not to be: then the next source has its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that sends nothing for so long has broken off.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Tries of one file: a server that breaks off each time is no mirror.
const MAX_TRIES: u32 = 3;

/// Wait before another try, once for each try before it.
const PAUSE: Duration = Duration::from_millis(100);

/// How a gzip file starts.
const GZIP_MARK: [u8; 2] = [0x1f, 0x8b];

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

/// Downloads one gzipped file into the cache, where it is stored inflated and verified. One that is not gzipped is taken
/// as it is.
pub(super) fn bring(
    agent: &Agent,
    url: &str,
    file: KnownFile,
    cache: &Cache<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), Trouble> {
    let bytes = download(agent, url, file, observe)?;
    if bytes.starts_with(&GZIP_MARK) {
        cache.store(file, &mut GzDecoder::new(&bytes[..]), observe)
    } else {
        cache.store(file, &mut &bytes[..], observe)
    }
}

/// The bytes of a file, by the first of several tries that gets them all.
fn download(
    agent: &Agent,
    url: &str,
    file: KnownFile,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<u8>, Failure> {
    let mut n_tries = 0;
    loop {
        observe(Event::Started { source: url });
        let failure = match receive(agent, url, file, observe) {
            Ok(bytes) => return Ok(bytes),
            Err(failure) => failure,
        };
        n_tries += 1;
        // Who has sent something may send all of it, and who answered once may answer again.
        let may_come = match failure {
            Failure::BrokenOff { got, .. } => got > 0,
            Failure::Unreachable { .. } => n_tries > 1,
            _ => false,
        };
        if !may_come || n_tries == MAX_TRIES {
            return Err(failure);
        }
        observe(Event::BrokenOff { source: url, failure: &failure });
        thread::sleep(PAUSE * n_tries);
    }
}

/// One request and its whole answer.
fn receive(
    agent: &Agent,
    url: &str,
    file: KnownFile,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<u8>, Failure> {
    let request = agent.get(url).header(ACCEPT_ENCODING, "identity");
    let response = request.call().map_err(|error| Failure::Unreachable { reason: error.to_string() })?;
    if response.status() != 200 {
        return Err(Failure::Status { got: response.status().as_u16() });
    }
    let total = response.body().content_length();
    // Gzip at its worst adds a few bytes to every block; whatever is longer is not the file.
    let n_max = file.n_bytes + file.n_bytes / 64 + CHUNK as u64;
    let mut body = response.into_body().into_reader();
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let broken = |got, reason| Failure::BrokenOff { got, want: total, reason };
    loop {
        let n = match body.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(bytes.len() as u64, error.to_string())),
        };
        bytes.extend_from_slice(&chunk[..n]);
        let n_bytes = bytes.len() as u64;
        if n_bytes > n_max {
            return Err(Failure::TooLong { name: file.name.to_owned(), got: n_bytes, want: n_max });
        }
        observe(Event::Progress { source: url, n_bytes, total });
    }
    if total.is_some_and(|total| (bytes.len() as u64) < total) {
        return Err(broken(bytes.len() as u64, "the connection was closed".to_owned()));
    }
    Ok(bytes)
}
