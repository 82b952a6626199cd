//! What was trained, as rows of the Theano project's table of trials.

use committee::Figures;
use preprocess::Width;
use serde::{Deserialize, Serialize};
use study::{ColumnId, EpochRecord, LearningRate, Manifest, Predictions, ResultsFolder};

use crate::ReportError;

/// The finished columns of one width, on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Their width.
    pub width: Width,
    /// Columns.
    pub n_columns: u32,
    /// Largest learning rate of the schedule.
    pub learning_rate: f64,
    /// Steps of a column.
    pub iterations: u64,
    /// Mean error on the held-out digits in percent; none were held out or it is not known of all: `None`.
    pub validation_percent: Option<f64>,
    /// Mean error on the test digits in percent; `None` while they are not to be seen.
    pub test_percent: Option<f64>,
    /// Mean minutes of a column's training, by the clock, beside whatever else the machine trained; `None` when it is not
    /// known of all.
    pub minutes: Option<f64>,
    /// Percent of all images shown in training that were skipped, mean of the columns; `None` where the config's `skip_below`
    /// is 0 or it is not known of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_percent: Option<f64>,
}

/// A row a width that has finished columns, in the order of the figures' groups.
pub(crate) fn trials(
    folder: &ResultsFolder,
    manifest: &Manifest,
    digits: Predictions,
    finished: &[ColumnId],
    figures: &Figures,
) -> Result<Vec<Trial>, ReportError> {
    let study = &manifest.config;
    let (LearningRate::Exponential { initial: learning_rate, .. }
    | LearningRate::OneCycle { peak: learning_rate, .. }) = study.learning_rate;
    let run = study.run_length();
    let mut trials = Vec::new();
    for group in &figures.groups {
        let columns: Vec<&ColumnId> =
            finished.iter().filter(|id| id.width.to_string() == group.group).collect();
        let Some(&&ColumnId { width, .. }) = columns.first() else { continue };
        let (mut epochs, mut kept, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for id in columns {
            let column = folder.finished_column(manifest, *id)?;
            let of_column = column.epochs()?;
            kept.push(column.kept_epoch(&of_column).copied());
            skipped.extend(of_column.iter().map(|epoch| epoch.skipped));
            epochs.push(of_column.last().copied());
        }
        let skipped: Option<Vec<f64>> = skipped.into_iter().collect();
        let skipped = skipped.filter(|shares| !shares.is_empty());
        trials.push(Trial {
            width,
            n_columns: group.n_members,
            learning_rate,
            // What early stopping has left of them.
            iterations: mean(&epochs, |last| Some(f64::from(last.epoch)))
                .filter(|_| study.early_stopping.is_some())
                .map_or(run.steps(), |epochs| (epochs * f64::from(run.steps_per_epoch)).round() as u64),
            validation_percent: mean(&kept, |kept| kept.validation_error).map(|error| 100.0 * error),
            test_percent: (digits == Predictions::Test).then_some(group.members.mean_percent),
            minutes: mean(&epochs, |last| Some(last.elapsed_s)).map(|seconds| seconds / 60.0),
            skipped_percent: skipped.map(|shares| 100.0 * shares.iter().sum::<f64>() / shares.len() as f64),
        });
    }
    Ok(trials)
}

/// The mean of a number of each column's record; `None` where one has none.
fn mean(records: &[Option<EpochRecord>], of: impl Fn(&EpochRecord) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> =
        records.iter().map(|record| record.as_ref().and_then(&of)).collect::<Option<_>>()?;
    Some(values.iter().sum::<f64>() / values.len() as f64)
}
