//! The built program, run as a user runs it, each test in a folder of its own and without a network.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[cfg(target_os = "linux")]
#[path = "../../../crates/mcdnn/src/executable.rs"]
mod executable;
mod handing_over;
mod help;
mod libtorch;
mod refusals;
#[path = "../../../crates/mcdnn/tests/it/run.rs"]
mod run;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");
