//! `mcdnn demo`: a page on this computer to draw a digit on, and what the columns of a study say of it.

use anyhow::Result;

use crate::app::App;
use crate::studies::StudyArgs;
use crate::views::ViewArgs;

#[cfg(feature = "demo")]
mod classify;
#[cfg(feature = "demo")]
mod distort;
#[cfg(feature = "demo")]
mod guard;
#[cfg(feature = "demo")]
mod maps;
#[cfg(feature = "demo")]
mod ready;
#[cfg(feature = "demo")]
mod refused;
#[cfg(feature = "demo")]
mod routes;
#[cfg(feature = "demo")]
mod server;
#[cfg(feature = "demo")]
mod upload;
#[cfg(feature = "demo")]
mod worker;

/// Draw a digit in the browser and see what each column of a study says.
///
/// Serves a page on 127.0.0.1, which only this computer can reach, and prints its address. Draw a digit on it with mouse, pen,
/// finger or keyboard, or drop an image: the page shows the answer of the committee with its ten probabilities, each width's
/// view of the digit and its vote, the answer of each column, the maps of one column, and how the answer changes when the
/// digit is distorted as in training. Images are read as `$mcdnn predict` reads them.
///
/// The page needs no network and loads nothing from elsewhere. Ctrl-C ends the demo.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    views: ViewArgs,
    /// The port of 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 7878)]
    port: u16,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn demo
  $mcdnn demo --study results/quick --port 0

Exit codes:
  0  ended by Ctrl-C or SIGTERM
  1  the port is taken, or no column is finished
  2  wrong usage, or this program was built without the demo";

/// Serves the page until a signal ends it.
///
/// # Errors
/// See the exit codes of `--help`.
#[cfg(feature = "demo")]
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let ready = ready::Ready::open(args.study.given(), args.views.views(), app)?;
    server::serve(ready, args.port, app)
}

/// Says how to get a program with the demo.
///
/// # Errors
/// [`WithoutDemo`](crate::failure::WithoutDemo), always.
#[cfg(not(feature = "demo"))]
pub(crate) fn run(_: &Args, _: &App) -> Result<()> {
    Err(crate::failure::WithoutDemo.into())
}
