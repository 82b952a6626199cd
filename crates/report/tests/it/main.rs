//! Reports on made-up studies.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod browser;
mod evidence;
mod figures;
mod made_up;
mod page;
mod reports;
mod summaries;
