#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod app;
mod commands;
mod configs;
pub mod device;
pub mod digits;
mod drawing;
#[cfg(all(test, unix))]
mod executable;
pub mod failure;
mod help;
mod holding;
pub mod host;
mod instruction_set;
mod layout;
pub mod libtorch;
mod machine_args;
pub mod numbers;
pub mod plan;
mod share;
pub mod signals;
mod status;
mod studies;
mod terminal;
mod training;
mod verification;
mod views;

pub use app::{App, Place, WORKSPACE_VARIABLE, same_command_again, shown};
pub use commands::Command;
pub use device::Device;
pub use help::{called, matches};
pub use terminal::Terminal;
