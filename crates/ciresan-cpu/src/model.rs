//! What all columns of an engine share: the network's plan, and the memory of one step.

use crate::backward::window_order;
use crate::dense::Dense;
use crate::forward::Plan;
use crate::geometry::Geometry;
use crate::part::{PART, Part};
use crate::{Isa, layout, simd};
use aligned_vec::{AVec, avec};
use ciresan_net::{EngineError, EngineSpec, ParameterSpec, Parameters};

/// A network planned for one instruction set.
pub(crate) struct Model {
    pub(crate) isa: Isa,
    pub(crate) spec: EngineSpec,
    /// At least one.
    pub(crate) stages: Vec<Stage>,
    pub(crate) dense: Vec<Dense>,
    /// Weights, then bias, of every stage and dense layer: where they stand in the flat vectors.
    pub(crate) tensors: Vec<ParameterSpec>,
    order: Vec<usize>,
}

/// One stage, planned.
pub(crate) struct Stage {
    pub(crate) geometry: Geometry,
    pub(crate) forward: Plan,
    /// [`window_order`].
    pub(crate) order: Vec<u32>,
}

impl Stage {
    fn new(stage: &ciresan_net::Stage, isa: Isa) -> Self {
        let geometry = Geometry::new(stage);
        let forward = Plan::new(&geometry, simd::accumulators(isa));
        Self { forward, order: window_order(&geometry), geometry }
    }
}

impl Model {
    pub(crate) fn new(spec: &EngineSpec, isa: Isa) -> Result<Self, EngineError> {
        let form = spec.network.paper_form()?;
        let stages: Vec<_> = form.stages.iter().map(|stage| Stage::new(stage, isa)).collect();
        let Some(last) = stages.last() else {
            let reason = "this engine needs a convolution before the dense layers".to_owned();
            return Err(EngineError::NotSupported { notation: spec.network.to_string(), reason });
        };
        let features = last.geometry.output;
        let mut inputs = features.len();
        let dense: Vec<_> = form
            .dense
            .iter()
            .map(|&outputs| Dense { inputs: std::mem::replace(&mut inputs, outputs), outputs })
            .collect();
        let order = layout::order(&stages, features, &dense);
        Ok(Self {
            isa,
            spec: spec.clone(),
            stages,
            dense,
            tensors: Parameters::zeros(&spec.network).layout().to_vec(),
            order,
        })
    }

    pub(crate) fn n_params(&self) -> usize {
        self.order.len()
    }

    /// Inputs of the first dense layer.
    pub(crate) fn features(&self) -> usize {
        self.dense[0].inputs
    }

    /// The values of `theirs` in the engine's order.
    pub(crate) fn take_over(&self, theirs: &Parameters) -> Vec<f32> {
        self.order.iter().map(|&from| theirs.values()[from]).collect()
    }

    /// `ours`, in the engine's order, as parameters of the network.
    pub(crate) fn hand_out(&self, ours: &[f32]) -> Parameters {
        let mut parameters = Parameters::zeros(&self.spec.network);
        for (&value, &to) in ours.iter().zip(&self.order) {
            parameters.values_mut()[to] = value;
        }
        parameters
    }
}

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
