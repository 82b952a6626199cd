//! From training digits to the batches an engine takes: order, distortion, scale.

use ciresan_net::Batch;
use preprocess::{Distorter, Epoch, PreprocessError};
use study::{ColumnId, RunLength, Study};

use crate::canvas::Canvases;
use crate::group_error::GroupError;

/// Makes batch `step`, counted from 0, of each of `columns`, at least one, whose studies and epochs are the same; on this
/// thread and those that are idle. The last one of an epoch may be smaller.
pub(crate) fn fill<B: Batch>(
    batch: &mut B,
    columns: &[EpochBatches<'_>],
    step: u32,
) -> Result<(), GroupError> {
    batch.fill(columns[0].n_images(step), |index, images, labels| {
        Ok(columns[index].fill(step, images, labels)?)
    })
}

/// Makes the batches of one column. Which digit stands where, and how it is distorted, depends on (study seed, column,
/// epoch, image) alone, so a batch can be made on any thread, in any order, and again.
pub(crate) struct Batches<'a> {
    study: &'a Study,
    column: ColumnId,
    run: RunLength,
    digits: Canvases,
    labels: &'a [u8],
    distorter: Option<Distorter>,
}

/// The batches of one epoch.
pub(crate) struct EpochBatches<'a> {
    batches: &'a Batches<'a>,
    /// Its epoch counts from 0.
    draws: Epoch,
    order: Vec<u32>,
}

impl<'a> Batches<'a> {
    /// `digits` are normalized to the column's width already; there are `labels.len()` of them, fewer than 2³².
    pub(crate) fn new(
        study: &'a Study,
        column: ColumnId,
        run: RunLength,
        digits: Canvases,
        labels: &'a [u8],
    ) -> Result<Self, PreprocessError> {
        let [height, width] = digits.size();
        let distorter = match &study.distortion {
            Some(config) => Some(Distorter::new(&config.distortion, height, width)?),
            None => None,
        };
        Ok(Self { study, column, run, digits, labels, distorter })
    }

    /// Epoch `epoch`, counted from 0.
    pub(crate) fn epoch(&'a self, epoch: u32) -> EpochBatches<'a> {
        let draws = Epoch { study_seed: self.study.seed, column: self.column.coordinate(), epoch };
        EpochBatches { batches: self, draws, order: draws.order(self.labels.len() as u32) }
    }
}

impl EpochBatches<'_> {
    /// The training digits of batch `step`, by their number in the file, counted from 0.
    pub(crate) fn images(&self, step: u32) -> &[u32] {
        let batch = self.batches.study.batch as usize;
        let start = step as usize * batch;
        &self.order[start..self.order.len().min(start + batch)]
    }

    /// Images of batch `step`.
    pub(crate) fn n_images(&self, step: u32) -> usize {
        self.images(step).len()
    }

    fn n_pixels(&self) -> usize {
        self.batches.digits.size().iter().product()
    }

    fn fill(&self, step: u32, images: &mut [f32], out_labels: &mut [u8]) -> Result<(), PreprocessError> {
        let Batches { study, run, digits, labels, distorter, .. } = self.batches;
        let indices = self.images(step);
        for (&index, out) in indices.iter().zip(out_labels) {
            *out = labels[index as usize];
        }
        if let (Some(config), Some(distorter)) = (&study.distortion, distorter) {
            let strength = preprocess::strength(run.progress(self.draws.epoch, step), config.anneal);
            return distorter.distort_batch(digits.view(), indices, self.draws, strength, images);
        }
        for (&index, out) in indices.iter().zip(images.chunks_exact_mut(self.n_pixels())) {
            preprocess::scale_to_input(digits.pixels(index as usize..index as usize + 1), out)?;
        }
        Ok(())
    }
}
