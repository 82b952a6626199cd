//! The gradient of a stage's kernels and biases, summed over images.

use crate::geometry::RUN_BLOCK;
use aligned_vec::{AVec, avec};

/// Sums of one part of a batch.
pub(crate) struct KernelGradient {
    /// `[maps][runs][run_padded]`; the padding holds sums that nobody reads.
    pub(crate) weights: AVec<f32>,
    pub(crate) bias: Vec<f32>,
    run: usize,
}

impl KernelGradient {
    /// For `maps` kernels of `runs` × `run` values.
    pub(crate) fn zeros(maps: usize, runs: usize, run: usize) -> Self {
        let weights = avec![0.0; maps * runs * run.next_multiple_of(RUN_BLOCK)];
        Self { weights, bias: vec![0.0; maps], run }
    }

    pub(crate) fn clear(&mut self) {
        self.weights.fill(0.0);
        self.bias.fill(0.0);
    }

    /// Adds the sums to `weights` `[maps][runs][run]` and `bias` `[maps]`.
    pub(crate) fn add_to(&self, weights: &mut [f32], bias: &mut [f32]) {
        let padded = self.weights.chunks_exact(self.run.next_multiple_of(RUN_BLOCK));
        let rows = padded.zip(weights.chunks_exact_mut(self.run));
        for (sums, out) in rows.chain(std::iter::once((&self.bias[..], bias))) {
            for (out, sum) in out.iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
}
