//! Reports on made-up studies.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod made_up;
mod reports;
mod summaries;
