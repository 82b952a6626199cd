//! The program `trainer`: trains the columns of a study and predicts the test digits.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

mod program;

use program::{Cli, End};

fn main() -> ExitCode {
    // Clap itself leaves with 2 when a flag is wrong.
    let cli = Cli::parse();
    match program::train(&cli) {
        Ok(End::Finished) => ExitCode::SUCCESS,
        Ok(End::Unfinished) => ExitCode::from(1),
        Err(error) => {
            program::say(format_args!("error: {error:#}"));
            ExitCode::from(if program::is_wrong_usage(&error) { 2 } else { 1 })
        }
    }
}
