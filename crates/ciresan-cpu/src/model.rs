//! What all columns of an engine share: the network's plan.

use crate::dense::Dense;
use crate::instruction_set::InstructionSet;
use crate::layout;
use crate::stage::Stage;
use ciresan_net::{EngineError, EngineSpec, ParameterSpec, Parameters};

/// A network planned for one instruction set.
pub(crate) struct Model {
    pub(crate) isa: InstructionSet,
    pub(crate) spec: EngineSpec,
    /// At least one.
    pub(crate) stages: Vec<Stage>,
    pub(crate) dense: Vec<Dense>,
    /// Weights, then bias, of every stage and dense layer: where they stand in the flat vectors.
    pub(crate) tensors: Vec<ParameterSpec>,
    order: Vec<usize>,
}

impl Model {
    pub(crate) fn new(spec: &EngineSpec, isa: InstructionSet) -> Result<Self, EngineError> {
        let form = spec.network.paper_form()?;
        let of_form = |(i, stage)| Stage::new(stage, form.stages.get(i + 1), isa);
        let stages: Vec<_> = form.stages.iter().enumerate().map(of_form).collect();
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
