//! The library, on the embedded sample with a tiny network.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends with the reason; clippy knows only #[test] functions as tests"
)]

mod early_stopping;
mod finished;
mod format_1;
mod library;
mod runs;
