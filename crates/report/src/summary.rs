//! From a results folder to every number of its report.

use std::fs;
use std::io;

use committee::{Committee, Figures, Member, Subset};
use preprocess::Width;
use serde::{Deserialize, Serialize};
use study::{ColumnId, Manifest, ResultsFolder, read_probabilities};

use crate::ReportError;

/// Format of a [`Summary`]: the value of its key `schema`.
pub const SUMMARY_SCHEMA: u32 = 2;

/// Most widths whose subsets are in a summary: the paper's seven, with 127.
pub const MAX_SUBSET_WIDTHS: usize = 7;

/// Every number that a report prints: `committee.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Summary {
    /// [`SUMMARY_SCHEMA`].
    pub schema: u32,
    /// The study's config and the provenance of its columns.
    pub study: Manifest,
    /// The widths looked at, in the study's order; all of the study's or those asked for.
    pub widths: Vec<Width>,
    /// Their columns that are finished, in training order.
    pub finished: Vec<ColumnId>,
    /// Their columns that are not, in training order.
    pub missing: Vec<ColumnId>,
    /// The figures of the finished columns; groups are the widths that have any, in the study's order, by the
    /// names that [`Width`]'s `Display` gives.
    pub figures: Figures,
    /// Every subset of the widths that have finished columns; empty when they are more than
    /// [`MAX_SUBSET_WIDTHS`].
    pub subsets: Vec<Subset>,
}

impl Summary {
    /// Test digits.
    #[must_use]
    pub fn n_test(&self) -> u32 {
        self.figures.all.score.n
    }
}

/// Reads the probabilities of all finished columns of a study, or of those of some widths, and works out
/// every figure.
///
/// # Shapes
/// `test_labels`: the class of each test digit, in file order; as many as the probabilities have rows.
/// # Errors
/// [`ReportError`]: the folder holds no study, no column is finished, a width that the study does not have,
/// or a file that is damaged or does not fit the others.
pub fn read(
    folder: &ResultsFolder,
    test_labels: &[u8],
    widths: Option<&[Width]>,
) -> Result<Summary, ReportError> {
    let path = || folder.root().to_path_buf();
    let manifest = folder.manifest()?.ok_or_else(|| ReportError::NoStudy { path: path() })?;
    let widths = chosen(folder, &manifest.config.widths, widths)?;

    let mut columns = manifest.config.columns();
    columns.retain(|id| widths.contains(&id.width));
    let n_columns = columns.len();
    let (finished, missing): (Vec<_>, Vec<_>) = columns.into_iter().partition(|id| folder.is_finished(id));
    if finished.is_empty() {
        return Err(ReportError::NothingFinished { path: path(), n_columns });
    }

    let committee = Committee::new(members(folder, &finished, &widths)?, test_labels)
        .map_err(|error| ReportError::Committee { path: path(), error })?;
    let groups: Vec<&str> = committee.groups().collect();
    let subsets = match groups.len() <= MAX_SUBSET_WIDTHS {
        true => committee.subsets(&groups).map_err(|error| ReportError::Committee { path: path(), error })?,
        false => Vec::new(),
    };
    let figures = committee.figures();
    Ok(Summary { schema: SUMMARY_SCHEMA, study: manifest, widths, finished, missing, figures, subsets })
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
        && summary.study == manifest
        && summary.widths == manifest.config.widths
        && summary.finished == folder.finished(&manifest.config);
    Ok(current.then_some(summary))
}

/// The widths to look at, in the study's order.
fn chosen(
    folder: &ResultsFolder,
    known: &[Width],
    asked: Option<&[Width]>,
) -> Result<Vec<Width>, ReportError> {
    let (path, known) = (|| folder.root().to_path_buf(), known.to_vec());
    let Some(asked) = asked else { return Ok(known) };
    if let Some(&got) = asked.iter().find(|width| !known.contains(width)) {
        return Err(ReportError::Width { path: path(), got, known });
    }
    let widths: Vec<Width> = known.iter().copied().filter(|width| asked.contains(width)).collect();
    if widths.is_empty() { Err(ReportError::NoWidths { path: path(), known }) } else { Ok(widths) }
}

/// The finished columns as members, width by width in the study's order.
fn members(
    folder: &ResultsFolder,
    finished: &[ColumnId],
    widths: &[Width],
) -> Result<Vec<Member>, ReportError> {
    let by_width = widths.iter().flat_map(|width| finished.iter().filter(move |id| id.width == *width));
    by_width
        .map(|id| {
            let probabilities = read_probabilities(&folder.column(id).probabilities())?;
            Ok(Member { group: id.width.to_string(), name: id.to_string(), probabilities })
        })
        .collect()
}
