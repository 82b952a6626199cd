//! The built program, run as a user runs it, each test in a folder of its own and without a network.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod commit;
mod committee;
mod completions;
mod evaluate;
mod help;
mod hold;
#[cfg(feature = "libtorch")]
mod libtorch;
mod looks;
mod predict;
mod publish;
mod python;
mod readme;
mod refusals;
mod run;
#[cfg(feature = "libtorch")]
#[path = "../../../trainer/tests/it/runs.rs"]
mod runs;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(target_os = "linux")]
mod slurm;
mod status;
mod study;
mod training;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_mcdnn");
