//! What figures are drawn from: a study's summary, its columns' files and its digits.

use mnist_data::Data;
use ndarray::{ArrayView2, ArrayView3, Axis};
use preprocess::Width;
use study::{ColumnId, EpochRecord, ResultsFolder, StudyError, read_metrics};

use crate::{ReportError, Summary};

/// Everything that the figures of a study show.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub(crate) summary: &'a Summary,
    /// The study's digits.
    pub(crate) data: &'a Data,
    /// Those that the figures are of.
    pub(crate) images: ArrayView3<'a, u8>,
    /// Their labels.
    pub(crate) labels: &'a [u8],
    pub(crate) folder: &'a ResultsFolder,
    /// The epochs of each column that has any, finished or not, in training order.
    pub(crate) curves: Vec<Curve>,
}

/// What was measured while a column was trained.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) id: ColumnId,
    /// In order, at least one.
    pub(crate) epochs: Vec<EpochRecord>,
}

impl<'a> Evidence<'a> {
    /// Takes a summary with the digits it is about, and reads the metrics of its columns: of unfinished ones as far as they
    /// are whole.
    ///
    /// # Shapes
    /// `summary`: of `folder`; `data`: the study's digits, as many as the summary has.
    /// # Errors
    /// [`ReportError::Digits`] for digits of another number, [`ReportError::Study`] for metrics that are damaged or cannot
    /// be read.
    pub fn new(summary: &'a Summary, folder: &'a ResultsFolder, data: &'a Data) -> Result<Self, ReportError> {
        let (images, labels) = summary.scored(data);
        let (got, want) = (labels.len(), summary.n_digits() as usize);
        if got != want {
            return Err(ReportError::Digits { path: folder.root().to_path_buf(), got, want });
        }
        let mut ids = summary.manifest.config.columns();
        ids.retain(|id| summary.widths.contains(&id.width));
        let epochs = |id: ColumnId| match summary.finished.contains(&id) {
            true => folder.finished_column(&summary.manifest, id)?.epochs(),
            false => read_metrics(&folder.column(&id).metrics()),
        };
        let curves = ids.into_iter().map(|id| Ok(Curve { id, epochs: epochs(id)? }));
        let mut curves = curves.collect::<Result<Vec<_>, StudyError>>()?;
        curves.retain(|curve| !curve.epochs.is_empty());
        Ok(Self { summary, data, images, labels, folder, curves })
    }

    /// The digit of the figures with this index, as it is.
    pub(crate) fn digit(&self, image_idx: usize) -> ArrayView2<'a, u8> {
        self.images.index_axis_move(Axis(0), image_idx)
    }

    /// Which colour a width has in all figures: its place in the study.
    pub(crate) fn series(&self, width: Width) -> usize {
        self.summary.manifest.config.widths.iter().position(|known| *known == width).unwrap_or(0)
    }
}

/// `width 14`, `original width`.
pub(crate) fn named(width: Width) -> String {
    match width {
        Width::Original => "original width".to_owned(),
        Width::Pixels(px) => format!("width {}", px.get()),
    }
}
