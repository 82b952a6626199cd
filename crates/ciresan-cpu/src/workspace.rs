//! The memory of one step, which the columns of an engine use one after the other.

use crate::model::Model;
use crate::part::{PART, Part};
use aligned_vec::{AVec, avec};

/// Memory of one step, allocated once.
pub(crate) struct Workspace {
    /// As many as the largest batch has.
    pub(crate) parts: Vec<Part>,
    /// Numbers of the images that are not skipped, in rising order. In the backward pass the matrices below have rows for
    /// these alone.
    pub(crate) learned: Vec<u32>,
    /// Output of the last stage, `[max_batch][features]`.
    pub(crate) features: AVec<f32>,
    /// Gradient of the features, before their activation.
    pub(crate) feature_gradient: AVec<f32>,
    /// Output of every dense layer, `[max_batch][outputs]`, activated but for the last one.
    pub(crate) dense: Vec<AVec<f32>>,
    /// Their gradients; those of the last layer take the place of the logits.
    pub(crate) dense_gradients: Vec<AVec<f32>>,
}

impl Workspace {
    pub(crate) fn new(model: &Model) -> Self {
        let n = model.spec.max_batch;
        let parts = (0..n).step_by(PART).map(|first| Part::new(model, PART.min(n - first))).collect();
        let features = avec![0.0; n * model.features()];
        let dense: Vec<_> = model.dense.iter().map(|layer| avec![0.0; n * layer.outputs]).collect();
        let learned = Vec::with_capacity(n);
        Self {
            parts,
            learned,
            feature_gradient: features.clone(),
            features,
            dense_gradients: dense.clone(),
            dense,
        }
    }

    /// Moves the rows of the images in `learned` together, in all that the backward pass of the dense layers reads.
    pub(crate) fn keep_learned(&mut self, model: &Model) {
        let Self { learned, features, dense, dense_gradients, .. } = self;
        keep_rows(features, model.features(), learned);
        let (output, hidden) = model.dense.split_last().expect("a network has an output layer");
        for (values, layer) in dense.iter_mut().zip(hidden) {
            keep_rows(values, layer.outputs, learned);
        }
        keep_rows(&mut dense_gradients[hidden.len()], output.outputs, learned);
    }
}

/// Moves these rows of `len` values, in rising order, to the front.
fn keep_rows(values: &mut [f32], len: usize, rows: &[u32]) {
    for (to, &from) in rows.iter().enumerate() {
        let from = from as usize;
        if from > to {
            values.copy_within(from * len..(from + 1) * len, to * len);
        }
    }
}
