//! The program `mcdnn`.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 not done; 2 wrong usage; 75 saved, to be run again.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use mcdnn::{App, Command, Place, Terminal, WORKSPACE_VARIABLE, called, failure, matches, signals};

/// Reproduce the multi-column networks of Cireşan, Meier and Schmidhuber for MNIST (CVPR 2012).
#[derive(Debug, Parser)]
#[command(name = "mcdnn", version, subcommand_required = true)]
struct Cli {
    /// The folder with the results of all studies, one sub-folder each [default: results in the current folder]
    #[arg(long, value_name = "DIR", global = true)]
    results: Option<PathBuf>,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    #[command(flatten)]
    Product(Command),
    /// Print a script with which a shell completes commands and flags
    ///
    /// For bash: `mcdnn completions bash > ~/.local/share/bash-completion/completions/mcdnn`. For zsh: save it as
    /// the file _mcdnn in a folder of `$fpath`. For fish: `mcdnn completions fish > ~/.config/fish/completions/mcdnn.fish`.
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    // `cargo xtask` starts the program that was built with libtorch in its own place.
    let workspace = env::var_os(WORKSPACE_VARIABLE);
    let place = workspace.map_or_else(Place::here, |root| Place::workspace(Path::new(&root)));
    // Clap itself leaves with 2 when a flag is wrong.
    let matches = matches(called(Cli::command().bin_name(place.name), place.name));
    let Cli { results, task } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let app = App {
        place: match results {
            Some(results) => Place { results, ..place },
            None => place,
        },
        arguments: env::args_os().skip(1).collect::<Vec<OsString>>(),
        terminal: Terminal::standard(),
        listen: signals::listen,
    };
    let done = match task {
        Task::Product(command) => command.run(&app),
        Task::Completions { shell } => app.terminal.result(completions(shell)).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::tell(&error, &app.terminal),
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcdnn", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
