//! The kernels of a training step one by one, for the bench `kernels`.

#![expect(unsafe_code, reason = "declares a kernel, which computes in registers alone")]

use crate::part::{BLOCK, PART};
use crate::simd::{Simd, kernel};
use crate::{CpuEngine, InstructionSet};
use ciresan_net::{Engine, EngineError, EngineSpec, Parameters, Step};

kernel! {
    /// Multiplies and adds in twelve chains, which hide each other's latency, for the peak of a core.
    pub fn multiply_add(n: usize, sum: &mut f32) = multiply_add_body
}

/// Floating-point operations of [`multiply_add`] for each of `n`.
#[must_use]
pub fn multiply_add_flops(isa: InstructionSet) -> usize {
    2 * CHAINS * if isa.name() == "avx512" { 16 } else { 8 }
}

const CHAINS: usize = 12;

#[inline(always)]
unsafe fn multiply_add_body<S: Simd>(n: usize, sum: &mut f32) {
    // SAFETY: the caller has the instruction set of `S`, and 16 values are the most that a vector has.
    unsafe {
        let mut chains = [S::splat(0.1); CHAINS];
        let (factor, addend) = (S::splat(0.999), S::splat(0.001));
        for _ in 0..n {
            chains = chains.map(|chain| S::fma(chain, factor, addend));
        }
        let mut values = [0.0; 16];
        for chain in chains {
            S::store(values.as_mut_ptr(), chain);
            *sum += values[0];
        }
    }
}

/// A part of a batch that has been trained on, so that activations, winners and gradients are there.
pub struct Kernels {
    engine: CpuEngine,
    labels: Vec<u8>,
    images: Vec<f32>,
}

impl Kernels {
    /// Images that each call of a stage's kernel works on.
    pub const IMAGES: usize = PART;

    /// Trains one step on a batch of at least [`Self::IMAGES`].
    ///
    /// # Errors
    /// As for [`Engine::new`] and [`Engine::train_step`].
    pub fn new(
        spec: &EngineSpec,
        start: &Parameters,
        isa: InstructionSet,
        images: Vec<f32>,
        labels: Vec<u8>,
    ) -> Result<Self, EngineError> {
        let mut engine = CpuEngine::with_isa(spec, std::slice::from_ref(start), isa)?;
        engine.train_step(&images, &labels, 1e-6, &mut [Step::default()])?;
        Ok(Self { engine, labels, images })
    }

    /// Stage `s`: convolution, pooling, activation.
    pub fn forward_stage(&mut self, s: usize) {
        let CpuEngine { model, columns, workspace } = &mut self.engine;
        for first in (0..PART).step_by(BLOCK) {
            workspace.parts[0].forward_stage(model, &columns[0].stages, s, first..first + BLOCK);
        }
    }

    /// Stage `s` backward: gradients of kernels and input.
    pub fn backward_stage(&mut self, s: usize) {
        let CpuEngine { model, columns, workspace } = &mut self.engine;
        let gradients = workspace.feature_gradient.chunks_exact(model.features());
        for (i, gradient) in gradients.take(PART).enumerate() {
            workspace.parts[0].backward_stage(model, &columns[0].stages, s, i, gradient);
        }
    }

    /// Everything forward.
    pub fn forward(&mut self) {
        let CpuEngine { model, columns, workspace } = &mut self.engine;
        columns[0].forward(model, workspace, &self.images, self.labels.len());
    }

    /// Dense layers backward.
    pub fn backward_dense(&mut self) {
        let CpuEngine { model, columns, workspace } = &mut self.engine;
        columns[0].backward_dense(model, workspace, self.labels.len());
    }

    /// Dense layers forward.
    pub fn forward_dense(&mut self) {
        let CpuEngine { model, columns, workspace } = &mut self.engine;
        columns[0].forward_dense(model, workspace, self.labels.len());
    }

    /// The optimizer's step, with a learning rate of zero.
    pub fn update(&mut self) {
        let CpuEngine { model, columns, .. } = &mut self.engine;
        columns[0].update(model, 0.0);
    }

    /// Kernels laid out anew.
    pub fn pack(&mut self) {
        let CpuEngine { model, columns, .. } = &mut self.engine;
        columns[0].pack(model);
    }
}
