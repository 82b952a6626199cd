//! `mcdnn info`: what a config asks for, counted.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use anyhow::Result;
use ciresan_net::{EngineSpec, Precision};
use preprocess::Width;
use serde::Serialize;
use study::{ResultsFolder, Study};

use super::status;
use crate::app::App;
use crate::configs::{Config, ConfigArgs};
use crate::numbers::{count, thousands};
use crate::plan::Plan;

/// Print what a config needs: columns, parameters, steps, memory, time.
///
/// Memory is an upper estimate for libtorch; it depends on the batch and on how many columns train in lockstep. With --device cuda,
/// columns that do not fit together train in groups. Time is an estimate for this project's own engine on this machine's cores; if
/// the study's results folder has finished epochs, it is computed from their speed. Trains nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print the progress of the study in this results folder instead, as `$mcdnn status` does: a path, or a name in the folder
    /// with all results
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "set"])]
    study: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn info
  $mcdnn info --config quick --json
  $mcdnn info --config quick --set epochs=20 --set widths=[14,20]

Exit codes: 0 printed; 1 with --study: a column is unfinished or damaged; 2 wrong usage, such as an invalid config.";

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;

/// What the Theano project's README counts for the paper's network, and why not.
const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";
const THEANO_COUNT: &str = "the Theano project's README says 171,940 parameters: it counts 5·5·40 inputs to the layer of 150, but its own \
                            pooling leaves 3·3·40; and 5·5·40 would give 172,040";

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Info {
    schema: u32,
    study: String,
    columns: usize,
    widths: Vec<Width>,
    columns_per_width: u16,
    network: String,
    parameters: usize,
    /// Why another source counts otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_elsewhere: Option<&'static str>,
    multiply_adds_forward: u64,
    epochs: u32,
    batch: u32,
    training_digits: u32,
    /// Of one column.
    steps_per_epoch: u32,
    steps: u64,
    precision: Precision,
    /// Only where the config has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_below: Option<f32>,
    libtorch_memory: Vec<Memory>,
    /// Still to be shown, all columns together.
    images_left: u64,
    estimated_seconds: f64,
    workers: usize,
}

/// A prediction of the memory of libtorch's engine.
#[derive(Debug, Serialize)]
struct Memory {
    columns: usize,
    batch: usize,
    bytes: u64,
}

/// Prints the config's counts.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    if args.study.is_some() {
        return status::print(args.study.as_deref(), args.json, app);
    }
    let Config { study, source } = Config::chosen(&args.config)?;
    let n_workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let folder = ResultsFolder::open(app.place.results.join(&study.name));
    let plan = Plan::new(&study, &folder, n_workers);
    let info = Info::new(&study, &plan, n_workers.get());
    if args.json {
        return Ok(app.terminal.result(serde_json::to_string(&info)?)?);
    }
    let time = plan.time().unwrap_or_default();
    let about = plan.study(info.parameters_elsewhere);
    let (work, lines) = (plan.work(), info.lines());
    let text = format!("study     {} ({source})\n{time}\n{about}\n{work}\n{lines}", study.name);
    Ok(app.terminal.fitted_result(text)?)
}

impl Info {
    fn new(study: &Study, plan: &Plan<'_>, workers: usize) -> Self {
        let n_columns = study.columns().len();
        let run = study.run_length();
        let network = study.network.to_string();
        Self {
            schema: SCHEMA,
            study: study.name.clone(),
            columns: n_columns,
            widths: study.widths.clone(),
            columns_per_width: study.columns_per_width,
            parameters: study.network.n_params(),
            parameters_elsewhere: (network == PAPER).then_some(THEANO_COUNT),
            network,
            multiply_adds_forward: study.network.multiply_adds(),
            epochs: study.epochs,
            batch: study.batch,
            training_digits: study.n_training_digits(),
            steps_per_epoch: run.steps_per_epoch,
            steps: run.steps(),
            precision: study.precision,
            skip_below: study.skip_below,
            libtorch_memory: memory(study, n_columns),
            images_left: plan.n_images(),
            estimated_seconds: plan.estimate().as_secs_f64(),
            workers,
        }
    }

    /// What the plan does not say.
    fn lines(&self) -> String {
        let mut lines = Vec::new();
        lines.push(format!(
            "steps     {} for each column: {} epochs of {} steps, {} images a step",
            thousands(self.steps),
            self.epochs,
            thousands(self.steps_per_epoch.into()),
            self.batch
        ));
        lines.push(format!("memory    of libtorch with {}, an upper estimate:", self.precision));
        for Memory { columns, batch, bytes } in &self.libtorch_memory {
            lines.push(format!(
                "          {:>11} of batch {batch:>4}: {:>6.2} GB",
                count(*columns, "column"),
                *bytes as f64 / 1e9
            ));
        }
        lines.join("\n")
    }
}

/// One column, one of each width and all, at the config's batch and at four times that.
fn memory(study: &Study, n_columns: usize) -> Vec<Memory> {
    let mut columns = vec![1, study.widths.len(), n_columns];
    columns.dedup();
    let batch = study.batch as usize;
    let pairs = [batch, 4 * batch].into_iter().flat_map(|batch| columns.iter().map(move |&n| (n, batch)));
    let bytes = |n, max_batch| EngineSpec { max_batch, ..study.engine_spec() }.training_memory(n);
    pairs.map(|(columns, batch)| Memory { columns, batch, bytes: bytes(columns, batch) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_study_is_counted() {
        let study = Study::from_json(include_str!("../../configs/paper.json")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(&study, &ResultsFolder::open(folder.path()), NonZeroUsize::MIN);
        let info = Info::new(&study, &plan, 1);
        assert_eq!((info.columns, info.parameters, info.epochs), (35, 76_040, 800));
        assert_eq!((info.steps_per_epoch, info.steps), (469, 375_200));
        assert_eq!(info.images_left, 35 * 800 * 60_000);
        let sum = 20 * (16 + 1) + 40 * (20 * 25 + 1) + 150 * (5 * 5 * 40 + 1) + 10 * 151;
        assert!(sum == 172_040 && info.parameters_elsewhere.unwrap().contains("172,040"));
        let columns: Vec<usize> = info.libtorch_memory.iter().map(|memory| memory.columns).collect();
        assert_eq!(columns, [1, 7, 35, 1, 7, 35]);
        let text = info.lines();
        assert!(
            text.contains("375,200 for each column: 800 epochs of 469 steps, 128 images a step"),
            "{text}"
        );
    }
}
