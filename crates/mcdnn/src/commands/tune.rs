//! `mcdnn tune`: recipes compared on held-out digits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use study::{ResultsFolder, Study, write_whole};

use self::comparison::{Comparison, Measured, Outcome};
use self::recipes::{Recipe, Variation};
use crate::app::{App, shown};
use crate::configs::{Config, ConfigArgs};
use crate::device::Device;
use crate::digits::{self, DataArgs, Digits};
use crate::failure::{AlreadyTold, usage_error};
use crate::machine_args::MachineArgs;
use crate::numbers::count;
use crate::plan::{Plan, rounded};
use crate::training::{self, End, Job, Wanted};
use crate::{holding, instruction_set, libtorch};

mod comparison;
mod recipes;

/// Compare recipes: train every combination of some values of a config's keys, and compare them on held-out digits.
///
/// The config must hold out training digits; the test digits are not read. Each combination is a study in its own folder, which
/// `status`, `report` and `committee` can read. The same command resumes after an interruption; with more values, it trains only
/// the new combinations. The table is sorted by the error of the committee of all columns; p is from McNemar's exact test against the
/// best recipe. The best config is written to best.json. A recipe whose loss becomes infinite or NaN is listed as diverged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// A key of the config and the values to try, such as `learning_rate.peak=0.02,0.05`; can be repeated: every combination
    /// is trained
    #[arg(long, value_name = "KEY=A,B,…", required = true, value_parser = Variation::parse)]
    vary: Vec<Variation>,
    /// Columns of each width for every recipe; they differ only in their random numbers [default: the config's number]
    #[arg(long, value_name = "N")]
    repeats: Option<u16>,
    /// The folder with all recipes [default: the config's name with -tuning, in the folder with all results]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    machine: MachineArgs,
    /// List the recipes, with an estimate of the time, and exit
    #[arg(long)]
    dry_run: bool,
    /// Print no progress on stderr, only errors and a line for every recipe
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
  0  every recipe is trained or has diverged, and the table is printed
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
            "recipes are compared on held-out digits, but the config {} holds none out; add --set validation=10000",
            base.name
        )));
    }
    let recipes = Recipe::all(&base, &args.vary)?;
    digits::check_folder(base.data, args.data.given())?;
    let root = match &args.folder {
        Some(given) => app.study_folder(given),
        None => app.place.results.join(format!("{}-tuning", base.name)),
    };
    let plan = plan(&recipes, &base, &source, &root, args)?;
    if args.dry_run {
        return Ok(app.terminal.fitted_result(plan)?);
    }
    args.machine.check()?;
    app.terminal.fitted_note(plan);

    let digits = Digits::bring(base.data, args.data.given(), &app.terminal)?;
    let (_, held_out) = digits.data.train.hold_out(base.validation as usize)?;
    let compared = |outcomes: &[Outcome]| {
        Comparison::new(&root, &base, &args.vary, &recipes, outcomes, held_out.labels())
    };
    let stop = training::listen(app)?;
    let mut outcomes = Vec::new();
    for (index, recipe) in recipes.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Err(interrupted(app));
        }
        let folder = ResultsFolder::open(root.join(&recipe.study.name));
        folder.adopt(&recipe.study)?;
        let outcome = match train(recipe, &folder, &digits, args.machine.wanted(isa), &stop, args.quiet, app)?
        {
            End::Finished => Some(Measured::of(&folder, &recipe.study, held_out.labels())?),
            End::Diverged => None,
            End::Interrupted => return Err(interrupted(app)),
            End::TakenOver | End::Failed => return Err(AlreadyTold(1).into()),
        };
        let (number, n_recipes) = (index + 1, recipes.len());
        let changes = comparison::changes(&args.vary, recipe);
        let result = outcome.as_ref().map_or_else(|| comparison::DIVERGED.to_owned(), Measured::to_string);
        app.terminal.note(format_args!("recipe {number} of {n_recipes}: {changes}: {result}"));
        outcomes.push(outcome);
        if app.terminal.is_interactive() && (2..n_recipes).contains(&number) {
            app.terminal.fitted_note(compared(&outcomes)?.table());
        }
    }
    let comparison = compared(&outcomes)?;
    let best = comparison.best_config();
    if let Some(best) = &best {
        write_whole(&best_path(&root), best.to_json().as_bytes())?;
    }
    if args.json {
        return Ok(app.terminal.result(serde_json::to_string(&comparison)?)?);
    }
    let next_step = next_step(best.is_some(), &root, app);
    Ok(app.terminal.fitted_result(format_args!("{comparison}{next_step}"))?)
}

fn interrupted(app: &App) -> anyhow::Error {
    anyhow!("interrupted and saved; resume with `{}`", app.same_command_again())
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
    stop: &Arc<AtomicBool>,
    is_quiet: bool,
    app: &App,
) -> Result<End> {
    let study = &recipe.study;
    let columns = study.columns();
    if folder.is_complete(&columns, false, study.views) {
        return Ok(End::Finished);
    }
    ResultsFolder::create(folder.root())?;
    let locks = holding::lock(folder, &columns, &app.terminal)?;
    folder.adopt(study)?; // again: another run may have come first
    trainer::clean_finished(folder, &columns)?;
    let [finished, unfinished] = folder.split(&columns)?;
    let job = Job {
        study,
        folder,
        locks: &locks,
        stop: Some(Arc::clone(stop)),
        finished: &finished,
        unfinished: &unfinished,
        test: false,
        digits,
        wanted,
        is_quiet,
    };
    training::train(&job, app)
}

/// What is going to be trained, and for how long.
fn plan(recipes: &[Recipe], base: &Study, source: &str, root: &Path, args: &Args) -> Result<String> {
    let n_workers = args.machine.n_workers()?;
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
    if args.machine.device() == Device::Cpu {
        lines.push(format!("time      about {} (an estimate)", rounded(time)));
    }
    Ok(lines.join("\n"))
}

/// How to train the best recipe on all digits.
fn next_step(has_best: bool, root: &Path, app: &App) -> String {
    if !has_best {
        return "\nEvery recipe diverged: try smaller learning rates.\n".to_owned();
    }
    format!(
        "\nThe best config is {path}; to train it on all digits:\n{} reproduce --config {path} --set validation=0\n",
        app.place.name,
        path = shown(&best_path(root)),
    )
}
