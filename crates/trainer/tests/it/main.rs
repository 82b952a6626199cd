//! The built program and the library, on the embedded sample with a tiny network.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends with the reason; clippy knows only #[test] functions as tests"
)]

mod commit;
mod failures;
mod finished;
mod fixture;
mod format_1;
mod help;
mod interruption;
mod library;
#[cfg(feature = "libtorch")]
mod libtorch;
mod refusals;
mod results;
