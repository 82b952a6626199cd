//! The commands, a file each: its flags are `Args`, and `run` does it.

use anyhow::Result;
use clap::Subcommand;

use crate::app::App;

mod committee;
mod demo;
mod doctor;
mod evaluate;
mod info;
mod predict;
mod publish;
mod report;
mod reproduce;
mod setup;
mod status;
mod tune;
mod verify;

/// Makes of a list of commands and their files what the command line is parsed to, and what runs it.
macro_rules! commands {
    ($($name:ident in $file:ident,)*) => {
        /// What the program is asked to do.
        #[derive(Debug, Subcommand)]
        #[allow(missing_docs, reason = "each is described where its flags are")]
        #[allow(private_interfaces, reason = "flags are the command's own: they are parsed, and run")]
        pub enum Command {
            $($name($file::Args),)*
        }

        impl Command {
            /// Does it.
            ///
            /// # Errors
            /// With the exit codes of the command's `--help`: [`failure::tell`](crate::failure::tell) knows them.
            pub fn run(&self, app: &App) -> Result<()> {
                match self {
                    $(Self::$name(args) => $file::run(args, app),)*
                }
            }
        }
    };
}

// In the order of `--help`.
commands! {
    Reproduce in reproduce,
    Committee in committee,
    Report in report,
    Status in status,
    Predict in predict,
    Demo in demo,
    Evaluate in evaluate,
    Verify in verify,
    Publish in publish,
    Tune in tune,
    Info in info,
    Setup in setup,
    Doctor in doctor,
}
