//! `cargo xtask bench`: how fast this project is, alone or in one run with what people use.

mod contender;
mod libtorch;
mod origin;
mod preprocess;
mod python;
mod race;
mod report;
mod results;
mod training;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use mcdnn::Device;
use mcdnn::failure::usage_error;
use mcdnn::host::Machine;

use crate::terminal;
use crate::test::step;
use crate::workspace::{Workspace, same_command_again};

/// Measure speed: the project's own benches, or a comparison with other libraries.
///
/// Without options, runs every criterion bench of the workspace.
///
/// With --peers, compares this project's programs with other libraries on the same images and the same number of threads. In every
/// round, each program works for about 0.4 s, one after the other; the order changes from round to round. Ratios are computed in each
/// round; the tables show their median, lowest and highest. pip installs the other libraries, in pinned versions, into an environment
/// of their own. When all is measured, the results are written to results/bench/, to a file for each instruction set.
///
/// With --device cuda, downloads libtorch and runs the tests of the engine on it. Then it measures training steps (by columns, batch,
/// precision and convolution method; alone and with the next batch prepared meanwhile) and two epochs of the paper's study. It records
/// a profile if Nsight Systems is installed, and writes results/bench/cuda.json. With libtorch-cpu, it measures less and writes nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Compare with other libraries
    #[arg(long, value_name = "WHAT")]
    peers: Option<Peers>,
    /// Test and measure the engine on libtorch, on this device
    #[arg(long, value_name = "DEVICE", value_enum, conflicts_with = "peers")]
    device: Option<OnLibtorch>,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value = "9", requires = "peers")]
    rounds: NonZeroUsize,
    /// Compare only these tasks (by their names in the tables) and write no results [default: all tasks]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', requires = "peers")]
    tasks: Vec<String>,
    /// The Python, 3.11 or later, for the other libraries' environment
    #[arg(long, value_name = "PROGRAM", default_value = "python3", requires = "peers")]
    python: PathBuf,
    /// Print the results as one JSON object instead of tables
    #[arg(long, requires = "peers")]
    json: bool,
}

/// The devices of libtorch's engine. The CPU with this project's own engine is measured without `--device`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OnLibtorch {
    /// NVIDIA GPUs
    Cuda,
    /// The CPU; a short trial that writes no results
    LibtorchCpu,
}

impl From<OnLibtorch> for Device {
    fn from(device: OnLibtorch) -> Self {
        match device {
            OnLibtorch::Cuda => Device::Cuda,
            OnLibtorch::LibtorchCpu => Device::LibtorchCpu,
        }
    }
}

/// What there are peers for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Peers {
    /// Distortion, width and loading: scipy, OpenCV, albumentations, torch, Pillow, torchvision, python-mnist
    Preprocess,
    /// Training steps of the paper's network: PyTorch as usually written, channels-last, bf16; candle; burn
    Training,
}

/// This project's contenders.
const OURS: &str = "this project";

/// What is to be raced.
struct Lineup {
    tasks: Vec<race::Task>,
    /// Versions of what is not a contender, such as the compiler.
    tools: BTreeMap<String, String>,
}

const AFTER_HELP: &str = "\
Examples:
  cargo xtask bench
  cargo xtask bench --peers preprocess
  cargo xtask bench --peers training
  cargo xtask bench --peers preprocess --tasks distort --rounds 3 --json
  cargo xtask bench --device cuda

Exit codes:
  0  all benches, or all programs of the comparison, ran
  1  a bench or program failed (the output and the results say why), or there is no such device
  2  wrong usage

Environment variables:
  CIRESAN_CACHE  folder for downloaded digits, about 55 MB, and for the other libraries, about 5 GB
                 after a download of 2.5 GB (torch's wheel contains CUDA)
                 [default: ciresan-mcdnn in the user's cache folder]
  HTTPS_PROXY    proxy for downloads, such as http://localhost:3128 [default: none];
                 https_proxy, ALL_PROXY and all_proxy work too";

/// Runs the benches or the race.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    if let Some(device) = args.device {
        return on_device(&workspace, device.into());
    }
    let Some(peers) = args.peers else {
        let mut command = workspace.cargo();
        command.args(["bench", "--workspace", "--bench", "*"]);
        return step("criterion: cargo bench --workspace --bench '*'", &mut command);
    };
    let (name, known) = match peers {
        Peers::Preprocess => ("preprocess", preprocess::TASKS),
        Peers::Training => ("training", training::TASKS),
    };
    if let Some(unknown) = args.tasks.iter().find(|asked| !known.contains(&asked.as_str())) {
        let known = known.join(", ");
        return Err(usage_error(format_args!("--peers {name} has no task {unknown}, only {known}")));
    }
    let is_asked = |task: &str| args.tasks.is_empty() || args.tasks.iter().any(|asked| asked == task);
    let lineup = match peers {
        Peers::Preprocess => preprocess::lineup(&workspace, &args.python, is_asked)?,
        Peers::Training => training::lineup(&workspace, &args.python, is_asked)?,
    };
    let mut tasks = Vec::new();
    for task in lineup.tasks {
        tasks.push(race::run(task, args.rounds.get()));
    }
    let comparison = results::Comparison {
        schema: results::SCHEMA,
        peers: name.to_owned(),
        command: same_command_again(),
        commit: origin::clean_commit(&workspace),
        machine: Machine::this(),
        tools: lineup.tools,
        rounds: args.rounds.get(),
        turn_s: race::TURN.as_secs_f64(),
        tasks,
    };

    if args.tasks.is_empty() {
        let instructions = comparison.machine.instruction_set.to_lowercase().replace('-', "");
        write(&workspace, &format!("{name}-{instructions}"), &comparison.to_json()?)?;
    }
    terminal::result(if args.json {
        serde_json::to_string(&comparison)?
    } else {
        report::all_tables(&comparison)
    })?;

    let failed = comparison.failed();
    for sentence in &failed {
        terminal::note(format_args!("failed: {sentence}"));
    }
    if !failed.is_empty() {
        bail!("{} contenders failed; each is named above", failed.len());
    }
    Ok(())
}

fn on_device(workspace: &Workspace, device: Device) -> Result<()> {
    let report = libtorch::run(workspace, device)?;
    if device == Device::Cuda {
        write(workspace, "cuda", &report)?;
    }
    Ok(terminal::result(report)?)
}

/// Writes `results/bench/<name>.json`.
fn write(workspace: &Workspace, name: &str, json: &str) -> Result<()> {
    let path = workspace.results().join("bench").join(format!("{name}.json"));
    let folder = path.parent().context("a file in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot make the folder", folder.display()))?;
    study::write_whole(&path, json.as_bytes())?;
    terminal::note(format_args!("results: {}", mcdnn::shown(&path)));
    Ok(())
}
