//! Who may ask, how often, and what a browser may do with the answers.
//!
//! A page of another site can send requests to this computer's loopback address, under that address or under a name of its own
//! that leads there (DNS rebinding). `Host` tells the second, `Origin` the first.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refused::Refused;

/// Requests a second in the long run: more than a page sends while one draws.
const RATE: f64 = 100.0;

/// Requests at once.
const BURST: f64 = 200.0;

/// What every answer says to the browser: load and send nothing but from and to here, in no frame of another page.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The names that this server has, and how many requests it still takes.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
    bucket: Mutex<Bucket>,
}

impl Guard {
    /// For a server on this port of the loopback address.
    pub(super) fn new(port: u16) -> Self {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(names.map(str::to_owned)); // browsers leave this one out
        }
        Self { hosts, bucket: Mutex::new(Bucket { left: BURST, at: Instant::now() }) }
    }

    fn is_own(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// Whether the request may pass.
    fn check(&self, request: &Request) -> Result<(), Refused> {
        let forbidden = |sentence: String| Err(Refused::new(StatusCode::FORBIDDEN, sentence));
        let own = &self.hosts[0];
        let host = only(request.headers(), &header::HOST);
        let named = request.uri().authority().map(|authority| authority.as_str());
        if !host.is_some_and(|host| self.is_own(host)) || !named.is_none_or(|named| self.is_own(named)) {
            return forbidden(format!("the demo is called http://{own}/, and answers to no other host"));
        }
        let origin = only(request.headers(), &header::ORIGIN);
        let is_own = origin.and_then(|origin| origin.strip_prefix("http://")).is_some_and(|o| self.is_own(o));
        if request.headers().contains_key(header::ORIGIN) && !is_own {
            return forbidden(format!("the demo answers to its own page, http://{own}/, and to no other"));
        }
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if !bucket.take(Instant::now()) {
            let sentence = format!("more than {RATE} requests a second: try again in a second");
            return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, sentence));
        }
        Ok(())
    }
}

/// The value of a header that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// Lets a request pass or not, and gives every answer its headers.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = match guard.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// What is left of the requests that may come at once; it fills up with time.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * RATE).min(BURST);
        self.at = now;
        let is_left = self.left >= 1.0;
        if is_left {
            self.left -= 1.0;
        }
        is_left
    }
}
