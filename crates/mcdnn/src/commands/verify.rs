//! `mcdnn verify`: whether a study's files, predictions and figures are what they say.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use ciresan_net::Parameters;
use report::Labels;
use serde::Serialize;
use study::{ColumnId, Manifest, Predictions, ResultsFolder};

use crate::app::{App, shown};
use crate::device::Device;
use crate::digits::{self, DataArgs, Digits};
use crate::failure::usage_error;
use crate::holding;
use crate::numbers::duration;
use crate::studies::{Found, StudyArgs};
use crate::training::{self, End, Job, Wanted};
use crate::verification::{self, Verdict};

/// Verify a study: checksums, predictions and figures.
///
/// Compares every file of the finished columns with its checksum. Computes the predictions again from the weights: they must have
/// the same bits on the instruction set that made the stored ones, and be within 0.0001 on any other. Computes every figure of
/// committee.json again. With --retrain, trains a column from scratch, on its own instruction set, and compares the bits.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    /// Train this column again in a temporary folder and compare its weights and predictions
    #[arg(long, value_name = "COLUMN")]
    retrain: Option<ColumnId>,
    #[command(flatten)]
    data: DataArgs,
    /// Print the verdicts as one JSON object
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn verify --study paper
  $mcdnn verify --study paper --retrain w14-2

Exit codes: 0 everything is correct; 1 something is wrong or cannot be checked; 2 wrong usage.

{}",
        digits::ENVIRONMENT
    )
}

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome {
    schema: u32,
    study: String,
    path: String,
    columns: Vec<OfColumn>,
    committee: String,
    holds: bool,
}

#[derive(Serialize)]
struct OfColumn {
    column: ColumnId,
    verdict: String,
    holds: bool,
}

/// Checks the study.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let Found { folder, study, manifest, finished } =
        Found::given_or_best(app, args.study.given(), |finished| (0, finished.len()))?;
    let digits = Digits::bring(study.data, args.data.given(), &app.terminal)?;
    if let Some(id) = args.retrain {
        return retrain(id, &folder, &manifest, &digits, app);
    }
    if finished.is_empty() {
        bail!("{}: no column is finished: nothing to verify", shown(folder.root()));
    }
    let columns = verification::columns(&folder, &manifest, &finished, &digits.data)?;
    let committee = committee(&folder, &digits);
    let holds = committee.is_ok() && columns.iter().all(|(_, verdict)| verdict.holds());
    let committee = committee.unwrap_or_else(|reason| reason);
    if args.json {
        let of_column = |(column, verdict): &(ColumnId, Verdict)| OfColumn {
            column: *column,
            verdict: verdict.to_string(),
            holds: verdict.holds(),
        };
        app.terminal.result(serde_json::to_string(&Outcome {
            schema: 1,
            study: study.name.clone(),
            path: shown(folder.root()).to_string(),
            columns: columns.iter().map(of_column).collect(),
            committee,
            holds,
        })?)?;
    } else {
        let n_wrong = columns.iter().filter(|(_, verdict)| !verdict.holds()).count();
        let (n_all, n_checked) = (study.columns().len(), columns.len());
        let found = if n_wrong == 0 { "all correct".to_owned() } else { format!("{n_wrong} WRONG") };
        let mut text =
            format!("columns verified: {n_checked} of {n_all}, {found}\ncommittee.json: {committee}\n\n");
        text += "| column      | checksums and predictions |\n| ----------- | ------------------------- |\n";
        for (column, verdict) in &columns {
            text += &format!("| {:<11} | {:<25} |\n", column.to_string(), verdict.to_string());
        }
        app.terminal.fitted_result(text)?;
    }
    if holds {
        Ok(())
    } else {
        bail!("{}: not everything is correct; see the table above", shown(folder.root()))
    }
}

/// Whether the stored figures are those of the columns; `Err` with what is wrong.
fn committee(folder: &ResultsFolder, digits: &Digits) -> Result<String, String> {
    let anew = report::read(folder, Labels::from(&digits.data), None).map_err(|error| error.to_string())?;
    if !folder.committee_path().exists() {
        return Ok("missing; `report` writes it".to_owned());
    }
    match report::read_summary(folder).map_err(|error| error.to_string())? {
        Some(stored) if stored == anew => Ok("every figure is the same".to_owned()),
        Some(_) => Err("its figures DIFFER from those computed from the columns".to_owned()),
        None if report::is_of_another_format(folder).map_err(|error| error.to_string())? => {
            Ok("written by another version of this program; `report` writes it again".to_owned())
        }
        None => Err("DAMAGED, or about other columns; `report` writes it again".to_owned()),
    }
}

/// Trains a column from nothing and compares it with the stored one.
fn retrain(
    id: ColumnId,
    folder: &ResultsFolder,
    manifest: &Manifest,
    digits: &Digits,
    app: &App,
) -> Result<()> {
    let study = &manifest.config;
    if !study.columns().contains(&id) {
        return Err(usage_error(format_args!("--retrain: the study {} has no column {id}", study.name)));
    }
    let column = folder.finished_column(manifest, id)?;
    let kind = column.record().kind();
    let Some(run) = column.record().runs.last().filter(|run| run.by.engine == "ciresan-cpu") else {
        bail!("column {id} was trained by {kind}: only ciresan-cpu can repeat a training bit for bit");
    };
    let isa = run.by.instruction_set.as_deref().unwrap_or_default().parse()?;
    let there = tempfile::tempdir().context("cannot make a temporary folder")?;
    let other = ResultsFolder::create(there.path())?;
    let locks = holding::lock(&other, &[id], &app.terminal)?;
    let job = Job {
        study,
        folder: &other,
        locks: &locks,
        stop: None,
        finished: &[],
        unfinished: &[id],
        test: column.has(Predictions::Test),
        digits,
        wanted: Wanted { device: Device::Cpu, workers: None, isa },
        is_quiet: false,
    };
    let begun = Instant::now();
    match training::train(&job, app)? {
        End::Finished => {}
        End::Interrupted => bail!("interrupted: the column was not compared"),
        End::Failed | End::Diverged | End::TakenOver => bail!("the column could not be trained again"),
    }
    let manifest_there = other.manifest()?.context("study.json is gone")?;
    let again = other.finished_column(&manifest_there, id)?;
    let stored = |which: Predictions| column.record().files.get(which.file_name());
    let anew = |which: Predictions| again.record().files.get(which.file_name());
    let same_predictions =
        [Predictions::HeldOut, Predictions::Test].into_iter().all(|which| stored(which) == anew(which));
    // Weights of an earlier version say more about themselves; the parameters count.
    let bits = |weights: Parameters| weights.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let same_weights = bits(column.weights()?) == bits(again.weights()?);
    let time = duration(begun.elapsed());
    if same_weights && same_predictions {
        app.terminal.result(format_args!("{id}: trained again on {isa} in {time}: same bits"))?;
        return Ok(());
    }
    bail!("column {id}: trained again on {isa} in {time}: the bits DIFFER (stored: {kind})")
}
