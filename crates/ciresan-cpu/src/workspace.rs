//! The memory of one step, which the columns of an engine use one after the other.

use crate::model::Model;
use crate::part::{PART, Part};
use aligned_vec::{AVec, avec};

/// Memory of one step, allocated once.
pub(crate) struct Workspace {
    /// As many as the largest batch has.
    pub(crate) parts: Vec<Part>,
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
        Self { parts, feature_gradient: features.clone(), features, dense_gradients: dense.clone(), dense }
    }
}
