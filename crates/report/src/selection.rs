//! Which columns of a study, and how they are combined.

use committee::{Committee, Member, Rule, Score, weight};
use preprocess::Width;
use study::{ColumnId, Manifest, ResultsFolder, Study, read_probabilities};

use crate::ReportError;
use crate::validation::validation_score;

/// What to look at in a study. The default is everything, by the mean: the paper's committee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Which columns.
    pub columns: Columns,
    /// What they are combined by.
    pub rule: Rule,
}

/// Some columns of a study.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Columns {
    /// All there are.
    #[default]
    All,
    /// All of these widths, whatever their order.
    OfWidths(Vec<Width>),
    /// These, whatever their order; each must be finished.
    Only(Vec<ColumnId>),
}

impl Selection {
    /// All columns of some widths, by the mean.
    #[must_use]
    pub(crate) fn of_widths(widths: Vec<Width>) -> Self {
        Self { columns: Columns::OfWidths(widths), rule: Rule::Mean }
    }
}

/// The finished columns of a study as a committee.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The study's config and the provenance of its columns.
    pub study: Manifest,
    /// The widths looked at, in the study's order.
    pub widths: Vec<Width>,
    /// The columns looked at that are finished, in training order.
    pub finished: Vec<ColumnId>,
    /// The columns looked at that are not, in training order.
    pub missing: Vec<ColumnId>,
    /// The finished columns, width by width in the study's order. A group's name is what [`Width`]'s `Display` gives, a
    /// member's the column's.
    pub committee: Committee,
}

/// Loads the finished columns of a selection.
///
/// Where the study held out validation digits and every one of these columns has its error on them in its metrics, the
/// columns have [`weight`]s by it; else every weight is 1.
///
/// # Shapes
/// `test_labels`: the class of each test digit, in file order; as many as the probabilities have rows.
/// # Errors
/// [`ReportError`]: the folder holds no study, no column is finished, the study has not what is selected, a column is
/// of another network or another width than its name and the study say, a file is damaged or does not fit the
/// others, or [`Rule::Weighted`] is asked for where no weights are known.
pub fn load(
    folder: &ResultsFolder,
    test_labels: &[u8],
    selection: &Selection,
) -> Result<Loaded, ReportError> {
    let path = || folder.root().to_path_buf();
    let study = folder.manifest()?.ok_or_else(|| ReportError::NoStudy { path: path() })?;
    let (widths, columns) = chosen(folder, &study.config, &selection.columns)?;
    let n_columns = columns.len();
    let (finished, missing): (Vec<_>, Vec<_>) = columns.into_iter().partition(|id| folder.is_finished(id));
    if finished.is_empty() {
        return Err(ReportError::NothingFinished { path: path(), n_columns });
    }
    if let (Columns::Only(_), Some(&column)) = (&selection.columns, missing.first()) {
        return Err(ReportError::NotFinished { path: path(), column });
    }

    let by_width: Vec<ColumnId> = widths
        .iter()
        .flat_map(|width| finished.iter().copied().filter(move |id| id.width == *width))
        .collect();
    let weights = weights(folder, &study.config, &by_width)?;
    if selection.rule == Rule::Weighted && weights.is_none() {
        return Err(ReportError::NoWeights { path: path() });
    }
    let member = |(index, id): (usize, &ColumnId)| -> Result<Member, ReportError> {
        let files = folder.column(id);
        files.read_weights(&study, id)?;
        Ok(Member {
            weight: weights.as_ref().map_or(1.0, |weights| weights[index]),
            ..Member::new(id.width.to_string(), id.to_string(), read_probabilities(&files.probabilities())?)
        })
    };
    let members = by_width.iter().enumerate().map(member).collect::<Result<Vec<_>, _>>()?;
    let committee = Committee::by(selection.rule, members, test_labels)
        .map_err(|error| ReportError::Committee { path: path(), error })?;
    Ok(Loaded { study, widths, finished, missing, committee })
}

/// The widths in the study's order and their columns in training order, finished or not.
fn chosen(
    folder: &ResultsFolder,
    study: &Study,
    asked: &Columns,
) -> Result<(Vec<Width>, Vec<ColumnId>), ReportError> {
    let path = || folder.root().to_path_buf();
    let known = || study.widths.clone();
    let mut columns = study.columns();
    match asked {
        Columns::All => {}
        Columns::OfWidths(widths) => {
            if let Some(&got) = widths.iter().find(|width| !study.widths.contains(width)) {
                return Err(ReportError::Width { path: path(), got, known: known() });
            }
            columns.retain(|id| widths.contains(&id.width));
        }
        Columns::Only(asked) => {
            if let Some(&got) = asked.iter().find(|id| !columns.contains(id)) {
                return Err(ReportError::Column {
                    path: path(),
                    got,
                    known: known(),
                    columns_per_width: study.columns_per_width,
                });
            }
            columns.retain(|id| asked.contains(id));
        }
    }
    if columns.is_empty() {
        return Err(ReportError::NoWidths { path: path(), known: known() });
    }
    let has_column = |width: &Width| columns.iter().any(|id| id.width == *width);
    Ok((study.widths.iter().copied().filter(has_column).collect(), columns))
}

/// A weight a column, from its errors on the held-out digits; `None` when they are not known of all.
fn weights(
    folder: &ResultsFolder,
    study: &Study,
    columns: &[ColumnId],
) -> Result<Option<Vec<f64>>, ReportError> {
    let score = |id: &ColumnId| validation_score(&folder.column(id).metrics(), study.validation);
    let scores = columns.iter().map(score).collect::<Result<Option<Vec<Score>>, _>>()?;
    Ok(scores.map(|scores| scores.into_iter().map(|score| weight(score, Study::N_CLASSES)).collect()))
}
