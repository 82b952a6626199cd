//! From training digits to the batches an engine takes: order, distortion, scale.

use preprocess::{Distorter, Epoch, PreprocessError};
use study::{ColumnId, Study};

use crate::canvas::Canvases;
use crate::schedule::RunLength;

/// One batch as an engine takes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// `[batch, height, width]` flat, −1 paper to 1 ink.
    pub(crate) images: Vec<f32>,
    /// `[batch]`.
    pub(crate) labels: Vec<u8>,
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
    /// Makes batch `step`, counted from 0, on this thread and those that are idle. The last one may be smaller.
    pub(crate) fn fill(&self, step: u32, batch: &mut Batch) -> Result<(), PreprocessError> {
        let Batches { study, run, digits, labels, distorter, .. } = self.batches;
        let start = step as usize * study.batch as usize;
        let indices = &self.order[start..self.order.len().min(start + study.batch as usize)];
        batch.labels.clear();
        batch.labels.extend(indices.iter().map(|&index| labels[index as usize]));
        let n_pixels = digits.size().iter().product();
        batch.images.resize(indices.len() * n_pixels, 0.0);
        if let (Some(config), Some(distorter)) = (&study.distortion, distorter) {
            let strength = preprocess::strength(run.progress(self.draws.epoch, step), config.anneal);
            return distorter.distort_batch(digits.view(), indices, self.draws, strength, &mut batch.images);
        }
        for (&index, out) in indices.iter().zip(batch.images.chunks_exact_mut(n_pixels)) {
            preprocess::scale_to_input(digits.pixels(index as usize..index as usize + 1), out)?;
        }
        Ok(())
    }
}
