//! From a results folder to every number of its report.

use std::fs;
use std::io;

use committee::{Committee, CommitteeError, Figures, Overlap, Rule, Score, Subset, SubsetSize, by_size};
use preprocess::Width;
use serde::{Deserialize, Serialize};
use study::{ColumnId, DataSet, Manifest, ResultsFolder};

use crate::published::{is_odd_width_of_the_paper, is_of_the_paper};
use crate::trials::{Trial, trials};
use crate::{ReportError, Selection, Statistics, load};

/// Format of a [`Summary`]: the value of its key `schema`.
pub(crate) const SUMMARY_SCHEMA: u32 = 2;

/// Most widths whose subsets are in a summary: the paper's seven, with 127.
pub(crate) const MAX_SUBSET_WIDTHS: usize = 7;

/// Every number that a report prints: `committee.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Summary {
    /// Format of this object: 2.
    pub schema: u32,
    /// The study's config and the provenance of its columns.
    pub study: Manifest,
    /// The widths looked at, in the study's order; all of the study's or those asked for.
    pub widths: Vec<Width>,
    /// The columns looked at that are finished, in training order.
    pub finished: Vec<ColumnId>,
    /// The columns looked at that are not, in training order.
    pub missing: Vec<ColumnId>,
    /// The figures of the finished columns; groups are the widths that have any, in the study's order, by the
    /// names that [`Width`]'s `Display` gives.
    pub figures: Figures,
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
    /// Whether others' figures are about the same digits.
    pub(crate) fn is_mnist(&self) -> bool {
        self.study.config.data == DataSet::Mnist
    }

    /// Test digits.
    #[must_use]
    pub fn n_test(&self) -> u32 {
        self.figures.all.score.n
    }
}

/// [`read_selected`] of all columns of a study, or of all of some widths, by their mean.
///
/// # Errors
/// Those of [`read_selected`].
pub fn read(
    folder: &ResultsFolder,
    test_labels: &[u8],
    widths: Option<&[Width]>,
) -> Result<Summary, ReportError> {
    let selection = widths.map_or_else(Selection::default, |widths| Selection::of_widths(widths.to_vec()));
    read_selected(folder, test_labels, &selection)
}

/// Loads the finished columns of a selection and works out every figure.
///
/// # Shapes
/// `test_labels`: the class of each test digit, in file order; as many as the probabilities have rows.
/// # Errors
/// Those of [`load`].
pub fn read_selected(
    folder: &ResultsFolder,
    test_labels: &[u8],
    selection: &Selection,
) -> Result<Summary, ReportError> {
    let loaded = load(folder, test_labels, selection)?;
    let wrong = |error| ReportError::Committee { path: folder.root().to_path_buf(), error };
    let committee = &loaded.committee;
    let groups: Vec<&str> = committee.groups().collect();
    let subsets = match groups.len() <= MAX_SUBSET_WIDTHS {
        true => committee.subsets(&groups).map_err(wrong)?,
        false => Vec::new(),
    };
    let figures = committee.figures();
    Ok(Summary {
        schema: SUMMARY_SCHEMA,
        subset_sizes: by_size(&subsets),
        subsets,
        overlaps: committee.overlaps(&venn_groups(&groups)).map_err(wrong)?,
        odd_widths: odd_widths(committee).map_err(wrong)?,
        trials: trials(folder, &loaded.study.config, &loaded.finished, &figures)?,
        statistics: Statistics::of(committee, loaded.study.config.seed).map_err(wrong)?,
        figures,
        study: loaded.study,
        widths: loaded.widths,
        finished: loaded.finished,
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

/// Reads `committee.json` if it still says what [`read`] would for all widths: `None` when there is none, or
/// the study has been trained on since. Needs no labels, so no test digits.
///
/// # Errors
/// [`ReportError::Study`] when the manifest cannot be read. A `committee.json` that is damaged or of another
/// version counts as none, since it can be made again.
pub fn read_summary(folder: &ResultsFolder) -> Result<Option<Summary>, ReportError> {
    let Some(manifest) = folder.manifest()? else { return Ok(None) };
    let path = folder.committee_path();
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(ReportError::Summary { path, reason: format!("cannot read: {reason}") }),
    };
    let Ok(summary) = serde_json::from_slice::<Summary>(&text) else { return Ok(None) };
    let current = summary.schema == SUMMARY_SCHEMA
        && summary.figures.rule == Rule::Mean
        && summary.study == manifest
        && summary.widths == manifest.config.widths
        && summary.finished == folder.finished(&manifest.config);
    Ok(current.then_some(summary))
}
