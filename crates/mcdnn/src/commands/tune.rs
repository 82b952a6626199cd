//! `mcdnn tune`: recipes compared on held-out digits.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use study::{ResultsFolder, Study, write_whole};

use self::comparison::{Comparison, Outcome};
use self::recipes::{Recipe, Variation};
use crate::app::{App, shown};
use crate::configs::{Config, ConfigArgs};
use crate::device::Device;
use crate::digits::{self, DataArgs, Digits};
use crate::failure::{AlreadyTold, WithoutLibtorch, usage_error};
use crate::numbers::count;
use crate::plan::{Plan, rounded};
use crate::training::{self, End, Job, Wanted};
use crate::{holding, instruction_set, libtorch};

mod comparison;
mod recipes;

/// Compare recipes: train every combination of some values of a config's keys, and compare them on held-out digits.
///
/// The config must hold training digits out; the test digits stay unread. Each combination is a study in a folder of its
/// own, to be looked at with `status`, `report` and `committee`. The same command resumes where it was interrupted, and trains
/// only what is new when values are added. The table is sorted by the error of the committee of all columns; p is that of McNemar's
/// exact test against the best. The best config is written to best.json. A recipe whose loss is not finite is reported as diverged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// A key of the config and the values to try, such as `learning_rate.peak=0.02,0.05`; any number of times: every
    /// combination is trained
    #[arg(long, value_name = "KEY=A,B,…", required = true, value_parser = Variation::parse)]
    vary: Vec<Variation>,
    /// Columns of each width for every recipe, which differ by their random numbers [default: the config's]
    #[arg(long, value_name = "N")]
    repeats: Option<u16>,
    /// The folder of all recipes [default: the config's name and -tuning, in the folder of results]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// What trains the columns
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Cpu)]
    device: Device,
    /// Columns trained side by side, a core each; with libtorch groups of columns [default: one for each core, or GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// List the recipes, with an estimate of the time, and exit
    #[arg(long)]
    dry_run: bool,
    /// Print no progress on stderr: only errors and a line for every recipe
    #[arg(long)]
    quiet: bool,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn tune --config held-out --vary learning_rate.peak=0.02,0.05,0.1
  $mcdnn tune --config best --set validation=10000 --set epochs=60 \\
      --vary distortion.sigma=6,8 --vary optimizer.weight_decay=0.03,0.1 --repeats 2

Exit codes:
  0  every recipe is trained or diverged, and the table printed
  1  interrupted, or something failed; the same command resumes
  2  wrong usage: a flag, or a config

{}
{}
{}",
        digits::ENVIRONMENT,
        instruction_set::ENVIRONMENT,
        libtorch::ENVIRONMENT
    )
}

/// Trains what is left of all recipes, and compares them.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let isa = instruction_set::chosen()?;
    let Config { study: base, source } = Config::chosen(&args.config)?;
    let base = match args.repeats {
        Some(n) => base
            .with_changes(&[("columns_per_width", &n.to_string())])
            .map_err(|problem| usage_error(format_args!("--repeats {n}: {problem}")))?,
        None => base,
    };
    if base.validation == 0 {
        return Err(usage_error(format_args!(
            "recipes are compared on held-out digits, and the config {} holds none out; add --set validation=10000",
            base.name
        )));
    }
    let recipes = Recipe::all(&base, &args.vary)?;
    digits::check_folder(base.data, args.data.given())?;
    let root = match &args.folder {
        Some(given) => app.study_folder(given),
        None => app.place.results.join(format!("{}-tuning", base.name)),
    };
    let workers = args.workers.and_then(|n| NonZeroUsize::new(n.into()));
    let plan = plan(&recipes, &base, &source, &root, workers, args)?;
    if args.dry_run {
        return Ok(app.terminal.fitted_result(plan)?);
    }
    if args.device.needs_libtorch() && !cfg!(feature = "libtorch") {
        return Err(WithoutLibtorch(args.device).into());
    }
    args.device.check()?;
    app.terminal.note(plan);

    let digits = Digits::bring(base.data, args.data.given(), &app.terminal)?;
    let wanted = Wanted { device: args.device, workers, isa };
    let mut stop = None;
    let mut outcomes = Vec::new();
    for (index, recipe) in recipes.iter().enumerate() {
        let folder = ResultsFolder::open(root.join(&recipe.study.name));
        folder.adopt(&recipe.study)?;
        let columns = recipe.study.columns();
        let end = if folder.is_complete(&columns, false, recipe.study.views) {
            End::Finished
        } else {
            let stop = match &stop {
                Some(stop) => Arc::clone(stop),
                None => Arc::clone(stop.insert(training::listen(app)?)),
            };
            train(recipe, &folder, &digits, wanted, stop, args.quiet, app)?
        };
        match end {
            End::Finished => outcomes.push(Outcome::measure(&folder, &recipe.study, &digits)?),
            End::Diverged => outcomes.push(Outcome::Diverged),
            End::Interrupted => bail!("interrupted and saved; resume with `{}`", app.same_command_again()),
            End::TakenOver | End::Failed => return Err(AlreadyTold(1).into()),
        }
        if let Some(outcome) = outcomes.last() {
            let number = index + 1;
            let changes = comparison::changes(&args.vary, recipe);
            app.terminal.note(format_args!("recipe {number} of {}: {changes}: {outcome}", recipes.len()));
            if app.terminal.is_interactive() && (2..recipes.len()).contains(&number) {
                let so_far = Comparison::new(&root, &base, &args.vary, &recipes, &outcomes)?;
                app.terminal.note(so_far.table());
            }
        }
    }
    let comparison = Comparison::new(&root, &base, &args.vary, &recipes, &outcomes)?;
    if let Some(best) = comparison.best_config(&base, &recipes) {
        write_whole(&best_path(&root), best.to_json().as_bytes())?;
    }
    if args.json {
        return Ok(app.terminal.result(serde_json::to_string(&comparison)?)?);
    }
    let next_step = next_step(&comparison, &root, app);
    Ok(app.terminal.fitted_result(format_args!("{comparison}{next_step}"))?)
}

/// Where the best config lies.
fn best_path(root: &Path) -> PathBuf {
    root.join("best.json")
}

/// Trains what is left of one recipe.
fn train(
    recipe: &Recipe,
    folder: &ResultsFolder,
    digits: &Digits,
    wanted: Wanted,
    stop: Arc<AtomicBool>,
    is_quiet: bool,
    app: &App,
) -> Result<End> {
    let study = &recipe.study;
    let columns = study.columns();
    ResultsFolder::create(folder.root())?;
    let locks = holding::lock(folder, &columns, &app.terminal)?;
    folder.adopt(study)?; // again: another run may have come first
    trainer::clean_finished(folder, &columns)?;
    let [finished, unfinished] = folder.split(&columns)?;
    training::train(
        &Job {
            study,
            folder,
            locks: &locks,
            stop: Some(stop),
            finished: &finished,
            unfinished: &unfinished,
            test: false,
            digits,
            wanted,
            is_quiet,
        },
        app,
    )
}

/// What is going to be trained, and for how long.
fn plan(
    recipes: &[Recipe],
    base: &Study,
    source: &str,
    root: &Path,
    workers: Option<NonZeroUsize>,
    args: &Args,
) -> Result<String> {
    let n_workers = match workers {
        Some(n_workers) => n_workers,
        None => thread::available_parallelism()?,
    };
    let mut lines = vec![format!(
        "tuning    {} ({source}): {} of {} in {}",
        base.name,
        count(recipes.len(), "recipe"),
        count(base.columns().len(), "column"),
        shown(root)
    )];
    let mut time = Duration::ZERO;
    for recipe in recipes {
        let folder = ResultsFolder::open(root.join(&recipe.study.name));
        time += Plan::new(&recipe.study, &folder, n_workers).estimate();
        lines.push(format!("recipe    {}", comparison::changes(&args.vary, recipe)));
    }
    if args.device == Device::Cpu {
        lines.push(format!("time      about {} (an estimate)", rounded(time)));
    }
    Ok(lines.join("\n"))
}

/// How to train the best recipe on all digits.
fn next_step(comparison: &Comparison<'_>, root: &Path, app: &App) -> String {
    if !comparison.has_best() {
        return "\nEvery recipe diverged: try smaller learning rates.\n".to_owned();
    }
    format!(
        "\nThe best config is {path}; to train it on all digits:\n{} reproduce --config {path} --set validation=0\n",
        app.place.name,
        path = shown(&best_path(root)),
    )
}
