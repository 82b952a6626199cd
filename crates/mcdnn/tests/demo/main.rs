//! The demo: the built program, asked over HTTP and by a browser.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod api;
mod browser;
mod limits;
mod page;
#[path = "../it/run.rs"]
mod run;
mod server;
mod strokes;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_mcdnn");
