//! Invariants of committees, and what they refuse.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![allow(clippy::float_cmp, reason = "values that must be exact")]

mod invariants;
mod refused;
mod rules;
mod samples;
mod study;
