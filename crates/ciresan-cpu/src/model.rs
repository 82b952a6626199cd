//! What all columns of an engine share: the network's plan in memory, and the scratch of one step.

use crate::backward::{Winner, gathered_len};
use crate::dense::Dense;
use crate::geometry::{Geometry, MAP_BLOCK, RUN_BLOCK};
use crate::layout;
use crate::{Isa, simd};
use ciresan_net::{EngineError, EngineSpec, ParameterSpec, Parameters};

/// A network planned for one instruction set.
pub(crate) struct Model {
    pub(crate) isa: Isa,
    pub(crate) spec: EngineSpec,
    /// At least one.
    pub(crate) stages: Vec<Geometry>,
    pub(crate) dense: Vec<Dense>,
    /// Weights, then bias, of every stage and dense layer: where they stand in the flat vectors.
    pub(crate) tensors: Vec<ParameterSpec>,
    order: Vec<usize>,
}

impl Model {
    pub(crate) fn new(spec: &EngineSpec, isa: Isa) -> Result<Self, EngineError> {
        let form = spec.network.paper_form()?;
        let stages: Vec<_> =
            form.stages.iter().map(|stage| Geometry::new(stage, simd::accumulators(isa))).collect();
        let Some(last) = stages.last() else {
            let reason = "this engine needs a convolution before the dense layers".to_owned();
            return Err(EngineError::NotSupported { notation: spec.network.to_string(), reason });
        };
        let features = last.output;
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

/// Scratch of one step, allocated once.
pub(crate) struct Workspace {
    /// Input of the first stage, rows × columns × maps.
    pub(crate) image: Vec<f32>,
    pub(crate) stages: Vec<StageScratch>,
    /// Output of every dense layer, `[max_batch][outputs]`, activated but for the last one.
    pub(crate) dense: Vec<Vec<f32>>,
    /// Their gradients; those of the last layer take the place of the logits.
    pub(crate) dense_gradients: Vec<Vec<f32>>,
    /// Gradient of the first dense layer's input, `[max_batch][features]`.
    pub(crate) feature_gradient: Vec<f32>,
}

/// Scratch of one stage.
pub(crate) struct StageScratch {
    /// Convolution outputs of one band of one image.
    pub(crate) band: Vec<f32>,
    /// Activated values of every image of the batch, then slack.
    pub(crate) outputs: Vec<f32>,
    /// Winners of every image of the batch.
    pub(crate) winners: Vec<u32>,
    /// Gathered patches of one image; empty where the stage needs none.
    pub(crate) patches: Vec<f32>,
    /// Gradient of one image's input, then slack; empty for the first stage.
    pub(crate) input_gradient: Vec<f32>,
    pub(crate) list: Vec<Winner>,
}

impl Workspace {
    pub(crate) fn new(model: &Model) -> Self {
        let n = model.spec.max_batch;
        let stages = model
            .stages
            .iter()
            .enumerate()
            .map(|(i, g)| StageScratch {
                band: vec![0.0; g.band_len()],
                outputs: vec![0.0; n * g.output_len() + MAP_BLOCK.max(RUN_BLOCK)],
                winners: vec![0; n * g.winners_len()],
                patches: vec![0.0; if g.patches.gathered { gathered_len(g) } else { 0 }],
                input_gradient: vec![0.0; if i == 0 { 0 } else { g.input_len() + RUN_BLOCK }],
                list: vec![Winner::default(); g.output_pixels()],
            })
            .collect();
        let dense: Vec<_> = model.dense.iter().map(|layer| vec![0.0; n * layer.outputs]).collect();
        Self {
            image: vec![0.0; model.spec.network.input().len() + RUN_BLOCK],
            stages,
            dense_gradients: dense.clone(),
            dense,
            feature_gradient: vec![0.0; n * model.dense[0].inputs],
        }
    }
}
