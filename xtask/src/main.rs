//! The command line of the project: the commands of the product, in this workspace, and its own: measure, test, lint.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 not done; 2 wrong usage.

#![forbid(unsafe_code)]

mod bench;
mod build;
#[cfg(all(test, unix))]
#[path = "../../crates/mcdnn/src/executable.rs"]
mod executable;
mod lint;
mod product;
mod terminal;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use mcdnn::{Terminal, called, failure, matches};

/// Reproduce the multi-column networks of Cireşan, Meier and Schmidhuber for MNIST (CVPR 2012).
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    #[command(flatten)]
    Product(mcdnn::Command),
    Bench(bench::Args),
    Test(test::Args),
    Lint(lint::Args),
}

fn main() -> ExitCode {
    let matches = matches(called(Cli::command(), "cargo xtask"));
    let Cli { command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::tell(&error, &Terminal::standard()),
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Product(command) => product::run(command),
        Task::Bench(args) => bench::run(args),
        Task::Test(args) => test::run(args),
        Task::Lint(args) => lint::run(args),
    }
}
