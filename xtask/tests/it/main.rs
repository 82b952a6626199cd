//! The built program, run as a user runs it, each test in a folder of its own and without a network.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod committee;
mod help;
mod libtorch;
mod looks;
mod predict;
mod refusals;
mod run;
mod study;
