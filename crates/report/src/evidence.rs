//! What figures are drawn from: a study's summary, its columns' files and its digits.

use std::fs;
use std::io;

use mnist_data::Data;
use ndarray::{ArrayView2, Axis};
use preprocess::Width;
use serde::Deserialize;
use study::{ColumnFolder, ColumnId, ResultsFolder, StudyError};

use crate::{ReportError, Summary};

/// Everything that the figures of a study show.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub(crate) summary: &'a Summary,
    /// The study's digits.
    pub(crate) data: &'a Data,
    pub(crate) folder: &'a ResultsFolder,
    /// The epochs of each column that has any, finished or not, in training order.
    pub(crate) curves: Vec<Curve>,
}

/// What was measured while a column was trained.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) id: ColumnId,
    /// In order from epoch 1, at least one.
    pub(crate) epochs: Vec<EpochLine>,
}

/// What is read of a line of `metrics.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct EpochLine {
    pub(crate) epoch: u32,
    /// Mean cross-entropy in nats.
    pub(crate) loss: f64,
    /// Share of the held-out digits that is wrong, 0 to 1.
    pub(crate) validation_error: Option<f64>,
}

impl<'a> Evidence<'a> {
    /// Takes a summary with the digits it is about, and reads the metrics of its columns. Metrics that were cut short by a
    /// killed run count up to there.
    ///
    /// # Shapes
    /// `summary`: of `folder`; `data`: the study's digits, as many test digits as the summary has.
    /// # Errors
    /// [`ReportError::TestDigits`] for digits of another number, [`ReportError::Study`] for metrics that cannot be read.
    pub fn new(summary: &'a Summary, folder: &'a ResultsFolder, data: &'a Data) -> Result<Self, ReportError> {
        let (got, want) = (data.test.len(), summary.n_test() as usize);
        if got != want {
            return Err(ReportError::TestDigits { path: folder.root().to_path_buf(), got, want });
        }
        let mut ids = summary.study.config.columns();
        ids.retain(|id| summary.widths.contains(&id.width));
        let curves = ids.into_iter().map(|id| Ok(Curve { id, epochs: epochs(&folder.column(&id))? }));
        let mut curves = curves.collect::<Result<Vec<_>, StudyError>>()?;
        curves.retain(|curve| !curve.epochs.is_empty());
        Ok(Self { summary, data, folder, curves })
    }

    /// The label of each test digit.
    pub(crate) fn labels(&self) -> &[u8] {
        self.data.test.labels()
    }

    /// The test digit with this index, as it is.
    pub(crate) fn test_digit(&self, image_idx: usize) -> ArrayView2<'a, u8> {
        self.data.test.images().index_axis_move(Axis(0), image_idx)
    }

    /// Which colour a width has in all figures: its place in the study.
    pub(crate) fn series(&self, width: Width) -> usize {
        self.summary.study.config.widths.iter().position(|known| *known == width).unwrap_or(0)
    }

    /// Whether others' figures are about the same digits.
    pub(crate) fn is_mnist(&self) -> bool {
        self.summary.study.config.data == study::DataSet::Mnist
    }
}

/// The epochs that a column's metrics have in order, up to a line that is not whole: its column may be at work on it.
fn epochs(column: &ColumnFolder) -> Result<Vec<EpochLine>, StudyError> {
    let path = column.metrics();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(reason) => return Err(StudyError::Io { path, action: "read the metrics", reason }),
    };
    let lines = text.lines().map_while(|line| serde_json::from_str::<EpochLine>(line).ok());
    Ok(lines.zip(1..).take_while(|(line, want)| line.epoch == *want).map(|(line, _)| line).collect())
}

/// `width 14`, `original width`.
pub(crate) fn named(width: Width) -> String {
    match width {
        Width::Original => "original width".to_owned(),
        Width::Pixels(px) => format!("width {}", px.get()),
    }
}
