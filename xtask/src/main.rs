//! The command line of the project: reproduce a study, ask its committees, set up, measure, test.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 not done; 2 wrong usage.

#![forbid(unsafe_code)]

mod bench;
mod build;
mod committee;
mod device;
mod digits;
mod doctor;
mod drawing;
#[cfg(all(test, unix))]
mod executable;
mod failure;
mod info;
mod libtorch;
mod lint;
mod plan;
mod predict;
mod report;
mod reproduce;
mod setup;
mod studies;
mod terminal;
mod test;
mod trainer;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Reproduces Cireşan, Meier and Schmidhuber's multi-column networks for MNIST (CVPR 2012).
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Reproduce(reproduce::Args),
    Committee(committee::Args),
    Report(report::Args),
    Predict(predict::Args),
    Info(info::Args),
    Setup(setup::Args),
    Doctor(doctor::Args),
    Bench(bench::Args),
    Test(test::Args),
    Lint(lint::Args),
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (code, told) = failure::exit(&error);
            if let Some(sentence) = told {
                terminal::note(format_args!("error: {sentence}"));
            }
            code
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Reproduce(args) => reproduce::run(args),
        Task::Committee(args) => committee::run(args),
        Task::Report(args) => report::run(args),
        Task::Predict(args) => predict::run(args),
        Task::Info(args) => info::run(args),
        Task::Setup(args) => setup::run(args),
        Task::Doctor(args) => doctor::run(args),
        Task::Bench(args) => bench::run(args),
        Task::Test(args) => test::run(args),
        Task::Lint(args) => lint::run(args),
    }
}
