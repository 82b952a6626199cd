//! `mcdnn publish`: a study's columns, checked, copied to where they are kept under version control.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use report::{Labels, Listing};
use study::{ColumnId, ColumnRecord, Manifest, ResultsFolder, kinds, read_column_file, write_whole};

use crate::app::{App, shown};
use crate::digits::{self, DataArgs, Digits};
use crate::studies::Found;
use crate::verification;

/// Copy a study's verified columns to results/published/, which is under version control.
///
/// Copies config, records, weights, metrics and predictions, and writes committee.json and report.md. Verifies each column first.
/// Refuses damaged columns, columns trained by a program whose source is not committed, and a mixture of engines or instruction sets.
/// The weights of a published column never change: publishing again adds columns and views, and updates the texts.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// The study's results folder: a path, or a name in the folder with all results
    #[arg(long, value_name = "DIR")]
    study: PathBuf,
    /// Publish the finished columns of an unfinished study
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    data: DataArgs,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn publish --study paper
  $mcdnn publish --study paper --partial

Exit codes: 0 published; 1 refused, nothing was changed; 2 wrong usage.

{}",
        digits::ENVIRONMENT
    )
}

/// Publishes the study.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let Found { folder, study, manifest, finished } = Found::open(&app.study_folder(&args.study))?;
    let n_all = study.columns().len();
    if finished.is_empty() || (finished.len() < n_all && !args.partial) {
        bail!(
            "{}: {} of {n_all} columns are finished; use --partial to publish an unfinished study",
            shown(folder.root()),
            finished.len()
        );
    }
    let published = ResultsFolder::open(app.place.published().join(&study.name));
    check_records(&folder, &manifest, &finished)?;
    check_published(&published, &folder, &manifest)?;
    let digits = Digits::bring(study.data, args.data.given(), &app.terminal)?;
    for (id, verdict) in verification::columns(&folder, &manifest, &finished, &digits.data)? {
        if !verdict.holds() {
            bail!("column {id}: {verdict}");
        }
    }

    let published = ResultsFolder::create(published.root())?;
    if published.manifest()?.is_none() {
        published.write_manifest(&Manifest { format_1: None, ..manifest.clone() })?;
    }
    for id in &finished {
        copy(&folder, &published, &manifest, *id)?;
    }
    let summary = report::read(&published, Labels::from(&digits.data), None)?;
    report::write_summary(&published, &summary)?;
    write_whole(&published.report_markdown_path(), report::markdown(&summary, Listing::Full).as_bytes())?;
    let n_published = summary.finished.len();
    app.terminal
        .note(format_args!("published {n_published} of {n_all} columns: {}", shown(published.root())));
    Ok(())
}

/// Refuses a mixture, and columns that nobody can train again because no commit holds the program's source.
fn check_records(folder: &ResultsFolder, manifest: &Manifest, ids: &[ColumnId]) -> Result<()> {
    let records: Vec<ColumnRecord> = ids
        .iter()
        .map(|id| Ok(folder.finished_column(manifest, *id)?.record().clone()))
        .collect::<Result<_>>()?;
    let kinds = kinds(&records);
    let n_in_runs =
        |record: &ColumnRecord| record.runs.iter().map(|run| run.by.kind()).collect::<BTreeSet<_>>();
    if kinds.len() > 1 || records.iter().any(|record| n_in_runs(record).len() > 1) {
        let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        bail!(
            "{}: a mixture of engines or instruction sets cannot be published: {}",
            shown(folder.root()),
            kinds.join(", ")
        );
    }
    for record in &records {
        if record.files.is_empty() {
            bail!("column {}: it has no record yet; `reproduce` writes one", record.column);
        }
        let by = record.runs.iter().map(|run| &run.by).chain(&record.predicted_by);
        if let Some(by) = by.into_iter().find(|by| by.is_dirty() || by.commit == "unknown") {
            bail!(
                "column {}: trained by a build of commit {} that nobody can repeat; only columns from a build of a clean commit can be published",
                record.column,
                by.commit
            );
        }
    }
    Ok(())
}

/// Refuses a published study of another config, and one whose columns have other weights.
fn check_published(published: &ResultsFolder, folder: &ResultsFolder, manifest: &Manifest) -> Result<()> {
    published.adopt(&manifest.config)?;
    let Some(there) = published.manifest()? else { return Ok(()) };
    for id in published.finished(&there.config)? {
        let old = published.finished_column(&there, id)?;
        if !folder.is_finished(&id)? {
            continue; // published from elsewhere
        }
        let new = folder.finished_column(manifest, id)?;
        if old.weights()?.values() != new.weights()?.values() {
            bail!("column {id}: it is published with other weights; a published column never changes");
        }
    }
    Ok(())
}

/// Copies a column's files, its record last; one that is there already stays, unless it has gained views.
fn copy(from: &ResultsFolder, to: &ResultsFolder, manifest: &Manifest, id: ColumnId) -> Result<()> {
    let column = from.finished_column(manifest, id)?;
    let views = column.record().views;
    if to.is_finished(&id)? && (views.is_none() || views == to.finished_column(manifest, id)?.record().views)
    {
        return Ok(());
    }
    let (source, target) = (from.column(&id), to.column(&id));
    target.create()?;
    for name in column.file_names() {
        let path = source.root().join(name);
        let bytes = read_column_file(&path).with_context(|| path.display().to_string())?;
        write_whole(&target.root().join(name), &bytes)?;
    }
    Ok(target.write_record(column.record())?)
}
