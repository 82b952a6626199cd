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
pub(super) fn agent(proxy: Option<&str>, no_proxy: &[String]) -> Result<Agent, FetchError> {
    let proxy = match proxy.map(|address| (address, through(address, no_proxy))) {
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

/// A proxy for all hosts but those, and those below them.
fn through(address: &str, no_proxy: &[String]) -> Result<Proxy, ureq::Error> {
    let proxy = Proxy::new(address)?;
    let mut builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
    if let Some(name) = proxy.username() {
        builder = builder.username(name);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    builder = builder.resolve_target(proxy.resolve_target());
    for host in no_proxy {
        builder = builder.no_proxy(host).no_proxy(&format!(".{host}"));
    }
    builder.build()
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
    if bytes.trim_ascii_start().starts_with(b"<") {
        return Err(Failure::WebPage.into());
    }
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

/// Whose certificate nobody knows is most often a proxy that looks into what passes.
fn unreachable(reason: &str) -> Failure {
    let hint = if reason.contains("UnknownIssuer") {
        "; where a proxy inspects traffic, add its certificate to the system's store or name its PEM file in SSL_CERT_FILE"
    } else {
        ""
    };
    Failure::Unreachable { reason: format!("{reason}{hint}") }
}

/// One request and its whole answer.
fn receive(
    agent: &Agent,
    url: &str,
    file: KnownFile,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<u8>, Failure> {
    let request = agent.get(url).header(ACCEPT_ENCODING, "identity");
    let response = request.call().map_err(|error| unreachable(&error.to_string()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_certificate_says_where_to_put_it() {
        let known = unreachable("invalid peer certificate: UnknownIssuer").to_string();
        assert!(known.contains("SSL_CERT_FILE") && known.starts_with("no answer (invalid peer"), "{known}");
        assert_eq!(unreachable("timeout").to_string(), "no answer (timeout)");
    }

    #[test]
    fn proxies_of_every_kind_are_taken_and_hosts_left_out() {
        let left_out = ["example.org".to_owned()];
        for address in [
            "http://me:se%20cret@localhost:3128",
            "socks4://localhost",
            "socks4a://localhost:9",
            "socks5://a:b@localhost",
            "socks5h://localhost",
        ] {
            let proxy = through(address, &left_out).unwrap();
            let plain = Proxy::new(address).unwrap();
            let parts = |proxy: &Proxy| {
                let [name, password] =
                    [proxy.username(), proxy.password()].map(|part| part.map(str::to_owned));
                (proxy.protocol(), proxy.host().to_owned(), proxy.port(), name, password)
            };
            assert_eq!(parts(&proxy), parts(&plain));
            let is_left_out = |uri: &str| proxy.is_no_proxy(&uri.parse().unwrap());
            assert!(is_left_out("https://example.org/a") && is_left_out("https://files.example.org/a"));
            assert!(!is_left_out("https://example.com/a") && !is_left_out("https://counterexample.org/a"));
        }
        assert!(through("gopher://localhost", &[]).is_err());
    }
}
