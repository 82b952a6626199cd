//! Which columns of a study, and how they are combined.

use committee::{Committee, Member, Rule, Score, weight};
use mnist_data::Data;
use preprocess::{Views, Width};
use study::{ColumnId, ColumnRecord, FinishedColumn, Manifest, Predictions, ResultsFolder, Study};

use crate::ReportError;

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

/// The labels that predictions are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// The class of each test digit, in file order.
    pub test: &'a [u8],
    /// The class of each training digit, in file order; of them a study may have held out the last.
    pub training: &'a [u8],
}

impl<'a> From<&'a Data> for Labels<'a> {
    fn from(data: &'a Data) -> Self {
        Self { test: data.test.labels(), training: data.train.labels() }
    }
}

impl<'a> Labels<'a> {
    /// Those of the digits that a study's predictions are for.
    fn of(self, which: Predictions, study: &Study) -> &'a [u8] {
        match which {
            Predictions::HeldOut => {
                let n_training = self.training.len().saturating_sub(study.validation as usize);
                &self.training[n_training..]
            }
            _ => self.test,
        }
    }
}

/// The finished columns of a study as a committee.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The study's config and data.
    pub study: Manifest,
    /// The digits that the columns have predicted: test digits, or those held out while these are not to be seen.
    pub digits: Predictions,
    /// The widths looked at, in the study's order.
    pub widths: Vec<Width>,
    /// The columns looked at that are finished, in training order.
    pub finished: Vec<ColumnId>,
    /// The columns looked at that are not, in training order.
    pub missing: Vec<ColumnId>,
    /// Where the finished columns come from, in training order.
    pub records: Vec<ColumnRecord>,
    /// SHA-256 of the predictions of each finished column, in training order.
    pub predictions_sha256: Vec<String>,
    /// The finished columns, width by width in the study's order. A group's name is what [`Width`]'s `Display` gives, a
    /// member's the column's.
    pub committee: Committee,
    /// The same columns with views of each digit, where all have predicted the same views of these digits.
    pub with_views: Option<(Views, Committee)>,
}

/// Loads the finished columns of a selection, each file compared with its checksum. A study that holds digits out and has
/// not predicted the test digits with every one of these columns is looked at by its held-out digits.
///
/// Where the study held out validation digits and every one of these columns has its error on them in its metrics, the
/// columns have [`weight`]s by it; else every weight is 1.
///
/// # Shapes
/// `labels`: as many as the probabilities have rows.
/// # Errors
/// [`ReportError`]: the folder holds no study, no column is finished, the study has not what is selected, a column is
/// of another network or another width than its name and the study say, a file is damaged or does not fit the
/// others, or [`Rule::Weighted`] is asked for where no weights are known.
pub fn load(
    folder: &ResultsFolder,
    labels: Labels<'_>,
    selection: &Selection,
) -> Result<Loaded, ReportError> {
    let path = || folder.root().to_path_buf();
    let study = folder.manifest()?.ok_or_else(|| ReportError::NoStudy { path: path() })?;
    let (widths, columns) = chosen(folder, &study.config, &selection.columns)?;
    let n_columns = columns.len();
    let [finished, missing] = folder.split(&columns)?;
    if finished.is_empty() {
        return Err(ReportError::NothingFinished { path: path(), n_columns });
    }
    if let (Columns::Only(_), Some(&column)) = (&selection.columns, missing.first()) {
        return Err(ReportError::NotFinished { path: path(), column });
    }

    let columns: Vec<FinishedColumn<'_>> =
        finished.iter().map(|id| folder.finished_column(&study, *id)).collect::<Result<_, _>>()?;
    let digits = predicted(&study.config, &columns);
    let by_width: Vec<&FinishedColumn<'_>> = widths
        .iter()
        .flat_map(|width| columns.iter().filter(move |column| column.id().width == *width))
        .collect();
    let weights = weights(&study.config, &by_width)?;
    if selection.rule == Rule::Weighted && weights.is_none() {
        return Err(ReportError::NoWeights { path: path() });
    }
    for column in &columns {
        column.weights()?; // what they say about themselves, and their checksum
    }
    let committee = |which| -> Result<Committee, ReportError> {
        let member = |(index, column): (usize, &&FinishedColumn<'_>)| -> Result<Member, ReportError> {
            let (id, probabilities) = (column.id(), column.probabilities(which)?);
            Ok(Member {
                weight: weights.as_ref().map_or(1.0, |weights| weights[index]),
                ..Member::new(id.width.to_string(), id.to_string(), probabilities)
            })
        };
        let members = by_width.iter().enumerate().map(member).collect::<Result<Vec<_>, _>>()?;
        Committee::by(selection.rule, members, labels.of(digits, &study.config))
            .map_err(|error| ReportError::Committee { path: path(), error })
    };
    let views = views(&study.config, digits, &columns);
    let with_views =
        views.map(|views| Ok::<_, ReportError>((views, committee(Predictions::Views)?))).transpose()?;
    let committee = committee(digits)?;
    let sums = columns.iter().map(FinishedColumn::predictions_sha256).collect::<Result<_, _>>()?;
    let records = columns.iter().map(|column| column.record().clone()).collect();
    drop(columns);
    let predictions_sha256 = sums;
    Ok(Loaded {
        study,
        digits,
        widths,
        finished,
        missing,
        records,
        predictions_sha256,
        committee,
        with_views,
    })
}

/// The views that all of these columns have predicted of `digits`, if they are the same.
fn views(study: &Study, digits: Predictions, columns: &[FinishedColumn<'_>]) -> Option<Views> {
    let of_these = Predictions::Views.digits(study) == digits;
    let views = columns.first()?.record().views.filter(|_| of_these)?;
    let has_them =
        |column: &FinishedColumn<'_>| column.record().views == Some(views) && column.has(Predictions::Views);
    columns.iter().all(has_them).then_some(views)
}

/// The digits that all of these columns have predicted, test digits first.
pub(crate) fn predicted(study: &Study, columns: &[FinishedColumn<'_>]) -> Predictions {
    let held_out = study.validation > 0 && !columns.iter().all(|column| column.has(Predictions::Test));
    if held_out { Predictions::HeldOut } else { Predictions::Test }
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
fn weights(study: &Study, columns: &[&FinishedColumn<'_>]) -> Result<Option<Vec<f64>>, ReportError> {
    let n = study.validation;
    let mut weights = Vec::new();
    for column in columns {
        let epochs = column.epochs()?;
        let Some(error) = column.kept_epoch(&epochs).and_then(|kept| kept.validation_error) else {
            return Ok(None);
        };
        // A share of these digits: the nearest count is the one it was made from.
        let errors = (error * f64::from(n)).round() as u32;
        weights.push(weight(Score { errors, n }, Study::N_CLASSES));
    }
    Ok((n > 0).then_some(weights))
}
