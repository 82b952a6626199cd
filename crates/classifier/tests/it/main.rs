//! The crate as its users see it.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![allow(clippy::float_cmp, reason = "values that must be exact")]

mod answers;
mod clear;
mod errors;
mod made_up;
mod scenes;
