//! A part of a batch: its images' way through all stages and back, with the memory for it.
//!
//! Parts have a fixed number of images, and each sums its own gradient of the kernels. So a batch's gradient is the
//! same bits whether one thread works through the parts or several.

use crate::activation::through_derivative;
use crate::backward::{StageBackward, Winner, stage_backward};
use crate::first_backward::{FirstBackward, first_backward, has_short_rows, patches_len};
use crate::forward::{StageForward, stage_forward};
use crate::geometry::RUN_BLOCK;
use crate::gradient::KernelGradient;
use crate::layout::interleave;
use crate::model::Model;
use crate::stage::Stage;
use crate::stage_kernels::StageKernels;
use aligned_vec::{AVec, avec};
use std::ops::Range;

/// Images of a part: enough that adding up the parts' gradients costs little, and few enough that a batch of 128 occupies four
/// threads.
pub(crate) const PART: usize = 32;

/// Images that go through one stage before the next: what they leave behind is still in the second-level cache there,
/// and together they fill the chunks of the Winograd transform.
pub(crate) const BLOCK: usize = 2;

/// Memory of one part, allocated once.
pub(crate) struct Part {
    /// Images of the part, rows × columns × maps, then slack.
    images: AVec<f32>,
    stages: Vec<StageMemory>,
}

/// Memory of one stage.
struct StageMemory {
    /// Activated values of every image, then slack.
    outputs: AVec<f32>,
    /// Winners of every image.
    winners: AVec<u32>,
    /// What [`stage_forward`] needs.
    scratch: AVec<f32>,
    sums: KernelGradient,
    backward: BackwardMemory,
}

/// Memory of one image's backward pass.
enum BackwardMemory {
    /// Of a first stage with short rows: gathered patches.
    First { patches: AVec<f32> },
    /// Of any other: the winners of one map, and the gradient of the input with slack, empty for a first stage.
    Any { list: Vec<Winner>, input_gradient: AVec<f32> },
}

impl StageMemory {
    fn new(stage: &Stage, is_first: bool, n: usize) -> Self {
        let g = &stage.geometry;
        let short = is_first && has_short_rows(g);
        Self {
            outputs: avec![0.0; n * g.output_len() + RUN_BLOCK],
            winners: avec![0; n * g.winners_len()],
            scratch: avec![0.0; stage.forward.scratch_len()],
            sums: KernelGradient::zeros(
                g,
                if short { vec![g.kernel_patches()] } else { g.kernel_planes().collect() },
            ),
            backward: if short {
                BackwardMemory::First { patches: avec![0.0; patches_len(g)] }
            } else {
                BackwardMemory::Any {
                    list: vec![Winner::default(); g.windows()],
                    input_gradient: avec![0.0; if is_first { 0 } else { g.input_len() + RUN_BLOCK }],
                }
            },
        }
    }
}

impl Part {
    /// For `n` images, at most [`PART`].
    pub(crate) fn new(model: &Model, n: usize) -> Self {
        let stages = model.stages.iter().enumerate().map(|(i, stage)| StageMemory::new(stage, i == 0, n));
        Self {
            images: avec![0.0; n * model.spec.network.input().len() + RUN_BLOCK],
            stages: stages.collect(),
        }
    }

    /// Takes `images` `[n][maps × rows × columns]` through all stages, to `features` `[n][windows × maps]`.
    pub(crate) fn forward(
        &mut self,
        model: &Model,
        kernels: &[StageKernels],
        images: &[f32],
        features: &mut [f32],
    ) {
        let input = model.spec.network.input();
        for (own, image) in self.images.chunks_exact_mut(input.len()).zip(images.chunks_exact(input.len())) {
            interleave(input, image, own);
        }
        let n_images = images.len() / input.len();
        for first in (0..n_images).step_by(BLOCK) {
            let n = BLOCK.min(n_images - first);
            for s in 0..kernels.len() {
                self.forward_stage(model, kernels, s, first..first + n);
            }
        }
        let last = self.stages.last().expect("a model has a stage");
        features.copy_from_slice(&last.outputs[..features.len()]);
    }

    /// Takes some of the images through stage `s`.
    pub(crate) fn forward_stage(
        &mut self,
        model: &Model,
        kernels: &[StageKernels],
        s: usize,
        images: Range<usize>,
    ) {
        let Stage { geometry: g, forward: plan, .. } = &model.stages[s];
        let (earlier, later) = self.stages.split_at_mut(s);
        let input = earlier.last().map_or(&self.images, |before| &before.outputs);
        let memory = &mut later[0];
        let stage = StageForward {
            geometry: g,
            plan,
            kernel: &kernels[s].forward,
            activation: model.spec.activation,
            input: &input[images.start * g.input_len()..],
            scratch: &mut memory.scratch,
            // Images go through in order: what a store leaves behind an image, the next one overwrites.
            output: &mut memory.outputs[images.start * g.output_len()..],
            winners: &mut memory.winners[images.start * g.winners_len()..],
            n: images.len(),
        };
        stage_forward(model.isa, stage);
    }

    /// Takes the gradients of some images' features, before their activation, back through all stages. The gradient of the
    /// kernels is then in the part's sums ([`add_gradient`](Self::add_gradient)); without images, these stay what they were.
    ///
    /// `images`: their numbers in the batch; `feature_gradient`: a row for each.
    pub(crate) fn backward(
        &mut self,
        model: &Model,
        kernels: &[StageKernels],
        images: &[u32],
        feature_gradient: &[f32],
    ) {
        if images.is_empty() {
            return;
        }
        for stage in &mut self.stages {
            stage.sums.clear();
        }
        for (&image, gradient) in images.iter().zip(feature_gradient.chunks_exact(model.features())) {
            for s in (0..model.stages.len()).rev() {
                self.backward_stage(model, kernels, s, image as usize % PART, gradient);
            }
        }
    }

    /// Takes the gradient of the part's image `i` back through stage `s`, from the stage behind or, for the last one, from the features.
    pub(crate) fn backward_stage(
        &mut self,
        model: &Model,
        kernels: &[StageKernels],
        s: usize,
        i: usize,
        feature_gradient: &[f32],
    ) {
        let Stage { geometry: g, order, .. } = &model.stages[s];
        let (earlier, later) = self.stages.split_at_mut(s);
        let (memory, after) = later.split_first_mut().expect("stage s is among the stages");
        let gradient = match after.first() {
            Some(StageMemory { backward: BackwardMemory::Any { input_gradient, .. }, .. }) => {
                &input_gradient[..g.output_len()]
            }
            _ => feature_gradient,
        };
        let input = earlier.last().map_or(&self.images, |before| &before.outputs);
        let input = &input[i * g.input_len()..][..g.input_len() + RUN_BLOCK];
        let winners = &memory.winners[i * g.winners_len()..][..g.winners_len()];
        let sums = &mut memory.sums;
        let (isa, activation) = (model.isa, model.spec.activation);
        match &mut memory.backward {
            BackwardMemory::First { patches } => {
                first_backward(isa, FirstBackward { geometry: g, gradient, winners, input, sums, patches });
            }
            BackwardMemory::Any { list, input_gradient } => {
                input_gradient.fill(0.0);
                let kernel = kernels[s].scatter.as_ref();
                let scatter = kernel.map(|kernel| (kernel, &mut input_gradient[..]));
                let stage =
                    StageBackward { geometry: g, gradient, winners, input, sums, scatter, order, list };
                stage_backward(isa, stage);
                if s > 0 {
                    let len = g.input_len();
                    through_derivative(isa, activation, &input[..len], &mut input_gradient[..len]);
                }
            }
        }
    }

    /// Adds the gradient of all stages' kernels to a column's, in the order of its tensors.
    pub(crate) fn add_gradient(&self, model: &Model, gradient: &mut [f32]) {
        for ((stage, memory), tensors) in
            model.stages.iter().zip(&self.stages).zip(model.tensors.chunks_exact(2))
        {
            let all = &mut gradient[tensors[0].range.start..tensors[1].range.end];
            let (weights, bias) = all.split_at_mut(stage.geometry.n_weights());
            memory.sums.add_to(&stage.geometry, weights, bias);
        }
    }
}
