//! From a results folder to every number of its report.

use std::io;

use committee::{Committee, CommitteeError, Figures, Overlap, Rule, Score, Subset, SubsetSize, by_size};
use mnist_data::Data;
use ndarray::ArrayView3;
use preprocess::Width;
use serde::{Deserialize, Serialize};
use study::{
    ColumnId, ColumnRecord, DataSet, FinishedColumn, Kind, Manifest, Predictions, ResultsFolder, kinds, seal,
    unseal,
};

use crate::published::{is_odd_width_of_the_paper, is_of_the_paper};
use crate::selection::predicted;
use crate::trials::{Trial, trials};
use crate::{Labels, ReportError, Selection, Statistics, WithViews, load};

/// Format of a [`Summary`]: the value of its key `schema`.
pub(crate) const SUMMARY_SCHEMA: u32 = 4;

/// Longest `committee.json` that is read, in bytes; that of 35 columns takes 300 KB.
const MAX_SUMMARY_BYTES: u64 = 64 << 20;

/// Most widths whose subsets are in a summary: the paper's seven, with 127.
pub(crate) const MAX_SUBSET_WIDTHS: usize = 7;

/// Every number that a report prints: `committee.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Summary {
    /// Format of this object: 4.
    pub schema: u32,
    /// The study's config and data.
    pub manifest: Manifest,
    /// What trained the finished columns, the most frequent first; several are a mixture.
    pub kinds: Vec<Kind>,
    /// The programs, CPUs and times of the finished columns.
    pub training: Training,
    /// The digits that all figures are of: the test digits, or those held out while these are not to be seen.
    pub digits: Predictions,
    /// The widths looked at, in the study's order; all of the study's or those asked for.
    pub widths: Vec<Width>,
    /// The columns looked at that are finished, in training order.
    pub finished: Vec<ColumnId>,
    /// SHA-256 of the predictions of each of them.
    pub predictions_sha256: Vec<String>,
    /// The columns looked at that are not, in training order.
    pub missing: Vec<ColumnId>,
    /// The figures of the finished columns; groups are the widths that have any, in the study's order, by the
    /// names that [`Width`]'s `Display` gives.
    pub figures: Figures,
    /// The same columns with views of each digit, where all have predicted the same views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_views: Option<WithViews>,
    /// Every subset of the widths that have finished columns; empty when they are more than
    /// seven.
    pub subsets: Vec<Subset>,
    /// The subsets by their number of widths: the paper's "y out of 7".
    pub subset_sizes: Vec<SubsetSize>,
    /// The test digits that exactly these widths' committees miss: of all widths, if these are two to four; of more
    /// the Theano project's four, if all have finished columns, else the last four; of one width none.
    pub overlaps: Vec<Overlap>,
    /// The paper's widths against odd ones, where there are finished columns of both.
    pub odd_widths: Option<OddWidths>,
    /// What was trained, as rows of the Theano project's table of trials: one a width.
    pub trials: Vec<Trial>,
    /// How sure the figures are, and where the committee fails.
    pub statistics: Statistics,
}

/// Where finished columns come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// `version 0.1.0, commit f9997fc`, each once, in the order of the columns.
    pub programs: Vec<String>,
    /// The CPUs' names and GPUs, each once, in the order of the columns.
    pub machines: Vec<String>,
    /// Seconds spent on all of them, by the clock, added up over columns that may have been trained side by side.
    pub column_s: f64,
    /// How often the training of a column was interrupted, all together.
    pub n_interruptions: usize,
}

impl Training {
    fn of(records: &[ColumnRecord]) -> Self {
        let mut training =
            Self { programs: Vec::new(), machines: Vec::new(), column_s: 0.0, n_interruptions: 0 };
        let note = |list: &mut Vec<String>, text: String| {
            if !list.contains(&text) {
                list.push(text);
            }
        };
        for record in records {
            training.column_s += record.wall_s();
            training.n_interruptions += record.n_interruptions();
            for by in record.runs.iter().map(|run| &run.by) {
                note(&mut training.programs, format!("version {}, commit {}", by.version, by.commit));
                let gpu = by.gpu.as_ref().map_or_else(String::new, |gpu| format!("{gpu} of "));
                note(&mut training.machines, format!("{gpu}{}", by.cpu));
            }
        }
        training
    }
}

/// Whether further columns, of odd widths, improve the committee of the paper's widths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddWidths {
    /// Columns of the paper's widths.
    pub n_paper: u32,
    /// Their committee.
    pub paper: Score,
    /// Columns of the widths 11, 13, 15, 17 and 19.
    pub n_odd: u32,
    /// Their committee.
    pub odd: Score,
    /// The committee of both.
    pub together: Score,
}

impl Summary {
    /// Digits that the figures are of.
    #[must_use]
    pub fn n_digits(&self) -> u32 {
        self.figures.all.score.n
    }

    /// What these digits are called: "test digits" or "held-out digits".
    #[must_use]
    pub fn digits_name(&self) -> &'static str {
        match self.digits {
            Predictions::HeldOut => "held-out digits",
            _ => "test digits",
        }
    }

    /// The pictures of these digits, `[digits, height, width]`, and their labels, from the study's data.
    #[must_use]
    pub fn scored<'d>(&self, data: &'d Data) -> (ArrayView3<'d, u8>, &'d [u8]) {
        match (self.digits, data.train.hold_out(self.manifest.config.validation as usize)) {
            (Predictions::HeldOut, Ok((_, held_out))) => (held_out.images(), held_out.labels()),
            _ => (data.test.images(), data.test.labels()),
        }
    }

    /// Whether others' figures are of the same digits: MNIST's test digits.
    #[must_use]
    pub fn has_peers(&self) -> bool {
        self.manifest.config.data == DataSet::Mnist && self.digits == Predictions::Test
    }
}

/// [`read_selected`] of all columns of a study, or of all of some widths, by their mean.
///
/// # Errors
/// Those of [`read_selected`].
pub fn read(
    folder: &ResultsFolder,
    labels: Labels<'_>,
    widths: Option<&[Width]>,
) -> Result<Summary, ReportError> {
    let selection = widths.map_or_else(Selection::default, |widths| Selection::of_widths(widths.to_vec()));
    read_selected(folder, labels, &selection)
}

/// Loads the finished columns of a selection and works out every figure.
///
/// # Shapes
/// `labels`: as many as the probabilities have rows.
/// # Errors
/// Those of [`load`].
pub fn read_selected(
    folder: &ResultsFolder,
    labels: Labels<'_>,
    selection: &Selection,
) -> Result<Summary, ReportError> {
    let loaded = load(folder, labels, selection)?;
    let wrong = |error| ReportError::Committee { path: folder.root().to_path_buf(), error };
    let committee = &loaded.committee;
    let groups: Vec<&str> = committee.groups().collect();
    let subsets = match groups.len() <= MAX_SUBSET_WIDTHS {
        true => committee.subsets(&groups).map_err(wrong)?,
        false => Vec::new(),
    };
    let figures = committee.figures();
    let with_views = loaded.with_views.as_ref();
    let with_views = with_views.map(|(views, of_views)| WithViews::of(committee, *views, of_views));
    Ok(Summary {
        schema: SUMMARY_SCHEMA,
        subset_sizes: by_size(&subsets),
        subsets,
        overlaps: committee.overlaps(&venn_groups(&groups)).map_err(wrong)?,
        odd_widths: odd_widths(committee).map_err(wrong)?,
        trials: trials(folder, &loaded.study, loaded.digits, &loaded.finished, &figures)?,
        statistics: Statistics::of(committee, loaded.study.config.seed).map_err(wrong)?,
        figures,
        with_views: with_views.transpose().map_err(wrong)?,
        kinds: kinds(&loaded.records),
        training: Training::of(&loaded.records),
        digits: loaded.digits,
        manifest: loaded.study,
        widths: loaded.widths,
        finished: loaded.finished,
        predictions_sha256: loaded.predictions_sha256,
        missing: loaded.missing,
    })
}

/// The groups of a Venn diagram, which has two to four sets.
fn venn_groups<'a>(groups: &[&'a str]) -> Vec<&'a str> {
    let theano: Vec<&str> =
        groups.iter().copied().filter(|name| ["14", "16", "18", "20"].contains(name)).collect();
    match groups.len() {
        2..=4 => groups.to_vec(),
        5.. if theano.len() == 4 => theano,
        n @ 5.. => groups[n - 4..].to_vec(),
        _ => Vec::new(),
    }
}

fn odd_widths(committee: &Committee) -> Result<Option<OddWidths>, CommitteeError> {
    let of = |which: &dyn Fn(Width) -> bool| -> Vec<usize> {
        let members = committee.members().iter().enumerate();
        let chosen = members.filter(|(_, member)| member.group.parse().is_ok_and(which));
        chosen.map(|(index, _)| index).collect()
    };
    let (paper, odd) = (of(&is_of_the_paper), of(&is_odd_width_of_the_paper));
    if paper.is_empty() || odd.is_empty() {
        return Ok(None);
    }
    let score = |members: &[usize]| committee.score(committee.rule(), members);
    Ok(Some(OddWidths {
        n_paper: paper.len() as u32,
        paper: score(&paper)?,
        n_odd: odd.len() as u32,
        odd: score(&odd)?,
        together: score(&[paper, odd].concat())?,
    }))
}

/// The bytes of `committee.json`: every number of a summary, with a checksum.
pub(crate) fn to_bytes(summary: &Summary) -> Vec<u8> {
    seal(summary)
}

/// Reads `committee.json` if it still says what [`read`] would for all widths: `None` when there is none, it is damaged or
/// of another version, or the columns' predictions are not those it was made from. Needs no labels, so no digits.
///
/// # Errors
/// [`ReportError::Study`] when the manifest, a column's record or its predictions cannot be read or are damaged.
pub fn read_summary(folder: &ResultsFolder) -> Result<Option<Summary>, ReportError> {
    let Some(manifest) = folder.manifest()? else { return Ok(None) };
    let Some(text) = stored(folder)? else { return Ok(None) };
    let Ok(summary) = serde_json::from_str::<Summary>(&text) else { return Ok(None) };
    let is_whole = summary.schema == SUMMARY_SCHEMA
        && summary.figures.rule == Rule::Mean
        && summary.manifest == manifest
        && summary.widths == manifest.config.widths
        && summary.finished == folder.finished(&manifest.config)?;
    if !is_whole {
        return Ok(None);
    }
    let finished = summary.finished.iter();
    let columns: Vec<_> =
        finished.map(|id| folder.finished_column(&manifest, *id)).collect::<Result<_, _>>()?;
    let sums: Vec<String> =
        columns.iter().map(FinishedColumn::predictions_sha256).collect::<Result<_, _>>()?;
    let records: Vec<ColumnRecord> = columns.iter().map(|column| column.record().clone()).collect();
    let is_current = sums == summary.predictions_sha256
        && predicted(&manifest.config, &columns) == summary.digits
        && kinds(&records) == summary.kinds
        && Training::of(&records) == summary.training;
    Ok(is_current.then_some(summary))
}

/// Whether `committee.json` is whole, but of the format of another version of this crate, which [`read_summary`] does not read.
///
/// # Errors
/// [`ReportError::Summary`] when it cannot be read.
pub fn is_of_another_format(folder: &ResultsFolder) -> Result<bool, ReportError> {
    #[derive(Deserialize)]
    struct Format {
        schema: u32,
    }
    let format = stored(folder)?.and_then(|text| serde_json::from_str::<Format>(&text).ok());
    Ok(format.is_some_and(|Format { schema }| schema != SUMMARY_SCHEMA))
}

/// What `committee.json` says without its checksum; `None` when there is none or it is damaged.
fn stored(folder: &ResultsFolder) -> Result<Option<String>, ReportError> {
    let path = folder.committee_path();
    match committee::read_at_most(&path, MAX_SUMMARY_BYTES) {
        Ok(bytes) => Ok(str::from_utf8(&bytes).ok().and_then(|text| unseal(text).ok())),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(ReportError::Summary { path, reason: format!("cannot read: {reason}") }),
    }
}
