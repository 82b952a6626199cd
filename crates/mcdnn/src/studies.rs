//! The studies there are: results folders with a `study.json`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ciresan_cpu::CpuEngine;
use ciresan_net::{EngineSpec, Parameters};
use ndarray::{Array3, ArrayView3};
use preprocess::Views;
use report::{Listing, Summary, markdown};
use serde::Serialize;
use study::{ColumnId, Manifest, ResultsFolder, Study};

use crate::app::{App, shown};
use crate::failure::{UsageError, usage_error};
use crate::instruction_set;

/// The flag that says which study.
#[derive(Debug, clap::Args)]
pub(crate) struct StudyArgs {
    /// The study's results folder: a path, or a name in the folder with all results [default: the study with the most
    /// finished columns]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
}

impl StudyArgs {
    pub(crate) fn given(&self) -> Option<&Path> {
        self.study.as_deref()
    }
}

/// A results folder, the study it is of, and how far that is.
pub(crate) struct Found {
    pub(crate) folder: ResultsFolder,
    /// Its `study.json`.
    pub(crate) manifest: Manifest,
    pub(crate) study: Study,
    /// In training order.
    pub(crate) finished: Vec<ColumnId>,
}

impl Found {
    /// Opens the results folder at `root`.
    ///
    /// # Errors
    /// When it has no readable `study.json`.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let folder = ResultsFolder::open(root);
        let Some(manifest) = folder.manifest()? else {
            return Err(usage_error(format_args!(
                "{}: not the results folder of a study: it has no study.json",
                root.display()
            )));
        };
        let study = manifest.config.clone();
        Ok(Self { finished: folder.finished(&study)?, folder, manifest, study })
    }

    /// The folder that `--study` names, else the one below the folder of results whose finished columns rank highest, above (0, 0). The
    /// choice is printed on stderr.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and when no study has such a column.
    pub(crate) fn given_or_best(
        app: &App,
        given: Option<&Path>,
        rank: impl Fn(&[ColumnId]) -> (usize, usize),
    ) -> Result<Self> {
        if let Some(root) = given {
            return Self::open(&app.study_folder(root));
        }
        let results = &app.place.results;
        let mut best: Option<Self> = None;
        // Own ones first, so that of equals they count.
        let own = folders(results).with_context(|| results.display().to_string())?;
        let published = app.place.published();
        let mut published = folders(&published).with_context(|| published.display().to_string())?;
        published.sort_by_key(|root| !root.ends_with("best"));
        for root in own.into_iter().chain(published) {
            let found = match Self::open(&root) {
                Ok(found) => found,
                Err(error) if error.is::<UsageError>() => continue, // some other folder
                Err(error) => {
                    app.terminal.note(format_args!("skipped: {error:#}"));
                    continue;
                }
            };
            // The first by name among equals.
            if rank(&found.finished) > best.as_ref().map_or((0, 0), |best| rank(&best.finished)) {
                best = Some(found);
            }
        }
        let Some(found) = best else {
            bail!(
                "{}: no study here has the finished columns that this needs; train one with `{} reproduce`, or name one with --study",
                shown(results),
                app.place.name
            );
        };
        app.terminal.note(format_args!("study     {}", shown(found.folder.root())));
        Ok(found)
    }

    /// The one that `--study` names, else the one with the most finished columns.
    ///
    /// # Errors
    /// Those of [`given_or_best`](Self::given_or_best), and when no column is finished.
    pub(crate) fn with_columns(app: &App, given: Option<&Path>) -> Result<Self> {
        let found = Self::given_or_best(app, given, |finished| (0, finished.len()))?;
        if found.finished.is_empty() {
            let (shown, name) = (shown(found.folder.root()), app.place.name);
            bail!("{shown}: no column is finished; train them with `{name} reproduce`");
        }
        Ok(found)
    }

    /// What some of the finished columns say of digits in MNIST's form, `[digits, 28, 28]`, or of views of them, on the instruction set that the
    /// environment names: probabilities, `[columns, digits, classes]`.
    ///
    /// # Errors
    /// When weights are missing or damaged, and when this CPU does not have the instruction set.
    pub(crate) fn probabilities(
        &self,
        columns: &[ColumnId],
        digits: ArrayView3<'_, u8>,
        views: Option<Views>,
    ) -> Result<Array3<f32>> {
        if views.is_some() && self.study.distortion.is_none() {
            let shown = shown(self.folder.root());
            return Err(usage_error(format_args!(
                "--views: the study in {shown} trains without distortion, so there is no way to make views"
            )));
        }
        let isa = instruction_set::chosen()?;
        let make = |spec: &EngineSpec, columns: &[Parameters]| CpuEngine::with_isa(spec, columns, isa);
        Ok(classifier::predict_finished(&self.folder, &self.manifest, columns, digits, views, make)?)
    }
}

/// Prints a study's figures on stdout: the tables, or one JSON object on one line.
///
/// # Errors
/// When stdout takes no more.
pub(crate) fn print_figures(summary: &Summary, folder: &ResultsFolder, json: bool, app: &App) -> Result<()> {
    if json {
        return Ok(app.terminal.result(figures_json(summary, folder)?)?);
    }
    print_tables(summary, folder, &markdown(summary, Listing::Short), app)
}

/// Prints the result in a line, where it lies, and then the tables, in lines that fit.
///
/// # Errors
/// When stdout takes no more.
pub(crate) fn print_tables(summary: &Summary, folder: &ResultsFolder, tables: &str, app: &App) -> Result<()> {
    let (result, folder) = (report::headline(summary), shown(folder.root()));
    Ok(app.terminal.fitted_result(format_args!("{result}.\nResults: {folder}\n\n{tables}"))?)
}

/// A study's figures as one JSON object on one line: what `committee.json` says, and where the study lies.
///
/// # Errors
/// None that a summary gives cause for.
pub(crate) fn figures_json(summary: &Summary, folder: &ResultsFolder) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Figures<'a> {
        study: &'a str,
        path: String,
        #[serde(flatten)]
        summary: &'a Summary,
    }
    let path = shown(folder.root()).to_string();
    serde_json::to_string(&Figures { study: &summary.manifest.config.name, path, summary })
}

/// The folders in a folder, by name; none when it does not exist.
fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut paths = listing.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_dir());
    paths.sort();
    Ok(paths)
}
