//! The flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use study::ColumnId;

/// Trains the columns of a study and predicts the test digits.
///
/// Finished columns are skipped and unfinished ones go on from their last checkpoint. The weights do not depend on
/// the number of workers, nor on how often and how training was interrupted.
///
/// Ctrl-C, SIGTERM and SIGHUP save every column after the step at work and stop; a second one stops at once, and what was
/// trained since the last end of an epoch is trained again.
#[derive(Debug, Clone, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Config of the study (JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Results folder of the study; made when it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) study: PathBuf,

    /// Folder with the four IDX files of the config's data, raw or gzip, checked by SHA-256; "sample" or nothing
    /// for a config whose data is the embedded "sample"
    #[arg(long, value_name = "DIR|sample")]
    pub(crate) data: Option<PathBuf>,

    /// Columns to train, separated by commas, like w14-1,original-2 [default: all of the study]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) columns: Vec<ColumnId>,

    /// What trains the columns
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = DeviceName::Cpu)]
    pub(crate) device: DeviceName,

    /// Columns trained side by side, each on a core; with libtorch groups of columns, each on a core or a GPU
    /// [default: one for each core or GPU, but no more than columns to train]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,

    /// Predict the test digits too, though the config holds out training digits [default: those are predicted alone, and
    /// the test digits stay unread]
    #[arg(long)]
    pub(crate) test: bool,

    /// Print no plan and no progress on stderr: only errors, interruptions and the closing line
    #[arg(long)]
    pub(crate) quiet: bool,

    /// Save and stop when stdin ends: for a parent process that holds the other end
    #[arg(long)]
    pub(crate) stop_when_stdin_closes: bool,
}

/// An engine and where it computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceName {
    /// This project's own engine, a column a core; needs nothing installed
    Cpu,
    /// libtorch on NVIDIA GPUs, all columns that fit in lockstep
    Cuda,
    /// libtorch on the CPU, to compare engines
    LibtorchCpu,
}

/// Shown under the flags.
const EXIT_CODES: &str = "\
Exit codes:
  0  every column asked for is finished
  1  a column failed, or training was interrupted; the same command continues
  2  wrong usage: a flag, the config, or a results folder of another config

Environment variables:
  CIRESAN_INSTRUCTION_SET  avx512, avx2 or portable: what to compute with [default: the fastest of this CPU];
                           a study keeps its bits only on the instruction set it was begun with";

impl Cli {
    /// The number of workers asked for.
    pub(crate) fn workers(&self) -> Option<NonZeroUsize> {
        self.workers.and_then(|n| NonZeroUsize::new(n.into()))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn columns_are_separated_by_commas() {
        let cli = Cli::try_parse_from([
            "trainer",
            "--config",
            "c",
            "--study",
            "s",
            "--columns",
            "w14-1,original-2",
        ]);
        let columns: Vec<String> = cli.unwrap().columns.iter().map(ToString::to_string).collect();
        assert_eq!(columns, ["w14-1", "original-2"]);
    }

    #[test]
    fn no_workers_are_refused() {
        let cli = Cli::try_parse_from(["trainer", "--config", "c", "--study", "s", "--workers", "0"]);
        assert!(cli.unwrap_err().to_string().contains("0 is not in 1..=65535"));
    }
}
