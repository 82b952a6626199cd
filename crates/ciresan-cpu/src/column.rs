//! One column: its parameters, and the forward and backward passes over a batch.

use crate::activation::{activate, through_derivative};
use crate::backward::{KernelGradient, ScatterKernel, StageBackward, gather_patches, stage_backward};
use crate::forward::{ForwardKernel, StageForward, stage_forward};
use crate::geometry::{MAP_BLOCK, RUN_BLOCK};
use crate::layout::interleave;
use crate::loss::{cross_entropy, softmax};
use crate::model::{Model, Workspace};
use crate::update::{TensorUpdate, update};
use ciresan_net::Step;

/// Parameters and optimizer state, flat, in the engine's order.
pub(crate) struct Column {
    pub(crate) values: Vec<f32>,
    pub(crate) velocity: Vec<f32>,
    gradient: Vec<f32>,
    stages: Vec<StageKernels>,
}

/// A stage's weights as its kernels read them, and the sums of their gradients.
struct StageKernels {
    forward: ForwardKernel,
    /// None for the first stage, whose input needs no gradient.
    scatter: Option<ScatterKernel>,
    sums: KernelGradient,
}

impl Column {
    pub(crate) fn new(model: &Model) -> Self {
        let stages = model.stages.iter().enumerate().map(|(i, g)| StageKernels {
            forward: ForwardKernel::zeros(g),
            scatter: (i > 0).then(|| ScatterKernel::zeros(g)),
            sums: KernelGradient::zeros(g),
        });
        let zeros = vec![0.0; model.n_params()];
        Self { values: zeros.clone(), velocity: zeros.clone(), gradient: zeros, stages: stages.collect() }
    }

    /// Lays the kernels out anew after the parameters changed.
    pub(crate) fn pack(&mut self, model: &Model) {
        let tensors = model.tensors.chunks_exact(2);
        for ((g, stage), tensors) in model.stages.iter().zip(&mut self.stages).zip(tensors) {
            let weights = &self.values[tensors[0].range.clone()];
            stage.forward.pack(g, weights, &self.values[tensors[1].range.clone()]);
            if let Some(scatter) = &mut stage.scatter {
                scatter.pack(g, weights);
            }
        }
    }

    /// One step on a batch: `images` `[n][maps × rows × columns]`, `labels` `[n]`.
    pub(crate) fn train_step(
        &mut self,
        model: &Model,
        workspace: &mut Workspace,
        images: &[f32],
        labels: &[u8],
        learning_rate: f32,
    ) -> Step {
        let n = labels.len();
        self.forward(model, workspace, images, n);
        let last = model.dense.len() - 1;
        let classes = model.spec.network.classes();
        let gradients = &mut workspace.dense_gradients[last][..n * classes];
        gradients.copy_from_slice(&workspace.dense[last][..n * classes]);
        let loss = cross_entropy(gradients, classes, labels);
        self.backward_dense(model, workspace, n);
        self.backward_stages(model, workspace, images, n);
        let update_ratio = self.update(model, learning_rate);
        self.pack(model);
        Step { loss, update_ratio }
    }

    /// Probabilities `[n][classes]` of at most `max_batch` images.
    pub(crate) fn predict(
        &self,
        model: &Model,
        workspace: &mut Workspace,
        images: &[f32],
        probabilities: &mut [f32],
    ) {
        let classes = model.spec.network.classes();
        let n = probabilities.len() / classes;
        self.forward(model, workspace, images, n);
        probabilities.copy_from_slice(&workspace.dense[model.dense.len() - 1][..probabilities.len()]);
        softmax(probabilities, classes);
    }

    /// Leaves activations and winners in the workspace, and the logits as the last dense layer's output.
    fn forward(&self, model: &Model, workspace: &mut Workspace, images: &[f32], n: usize) {
        let input = model.spec.network.input();
        for (i, image) in images.chunks_exact(input.len()).take(n).enumerate() {
            interleave(input, image, &mut workspace.image[..image.len()]);
            for (s, g) in model.stages.iter().enumerate() {
                let (earlier, later) = workspace.stages.split_at_mut(s);
                let input = match earlier.last() {
                    Some(before) => &before.outputs[i * g.input_len()..],
                    None => &workspace.image,
                };
                let scratch = &mut later[0];
                let stage = StageForward {
                    geometry: g,
                    kernel: &self.stages[s].forward,
                    activation: model.spec.activation,
                    input,
                    band: &mut scratch.band,
                    // Images go through in order: what a store leaves behind an image, the next one overwrites.
                    output: &mut scratch.outputs[i * g.output_len()..][..g.output_len() + MAP_BLOCK],
                    winners: &mut scratch.winners[i * g.winners_len()..][..g.winners_len()],
                };
                stage_forward(model.isa, stage);
            }
        }
        let tensors = model.tensors.chunks_exact(2).skip(model.stages.len());
        let features = workspace.stages.last().expect("a model has a stage");
        for (l, (layer, tensors)) in model.dense.iter().zip(tensors).enumerate() {
            let (earlier, later) = workspace.dense.split_at_mut(l);
            let input = earlier.last().unwrap_or(&features.outputs);
            let output = &mut later[0][..n * layer.outputs];
            let weights = &self.values[tensors[0].range.clone()];
            let bias = &self.values[tensors[1].range.clone()];
            layer.forward(weights, bias, &input[..n * layer.inputs], output);
            if l + 1 < model.dense.len() {
                activate(model.isa, model.spec.activation, output);
            }
        }
    }

    /// From the logits' gradients to those of the features, and of the dense layers' parameters.
    fn backward_dense(&mut self, model: &Model, workspace: &mut Workspace, n: usize) {
        let tensors: Vec<_> = model.tensors.chunks_exact(2).skip(model.stages.len()).collect();
        let features = workspace.stages.last().expect("a model has a stage");
        for (l, layer) in model.dense.iter().enumerate().rev() {
            let (earlier, later) = workspace.dense_gradients.split_at_mut(l);
            let gradient = &later[0][..n * layer.outputs];
            let input = if l == 0 { &features.outputs } else { &workspace.dense[l - 1] };
            let input = &input[..n * layer.inputs];
            // Bias stands right behind the weights.
            let all = &mut self.gradient[tensors[l][0].range.start..tensors[l][1].range.end];
            let (weights_gradient, bias_gradient) = all.split_at_mut(layer.inputs * layer.outputs);
            layer.parameter_gradient(input, gradient, weights_gradient, bias_gradient);
            let input_gradient = match earlier.last_mut() {
                Some(before) => &mut before[..n * layer.inputs],
                None => &mut workspace.feature_gradient[..n * layer.inputs],
            };
            layer.input_gradient(&self.values[tensors[l][0].range.clone()], gradient, input_gradient);
            through_derivative(model.isa, model.spec.activation, input, input_gradient);
        }
    }

    /// From the features' gradients through every image's stages to the kernels' gradients.
    fn backward_stages(&mut self, model: &Model, workspace: &mut Workspace, images: &[f32], n: usize) {
        for stage in &mut self.stages {
            stage.sums.clear();
        }
        let input = model.spec.network.input();
        for (i, image) in images.chunks_exact(input.len()).take(n).enumerate() {
            interleave(input, image, &mut workspace.image[..image.len()]);
            for (s, g) in model.stages.iter().enumerate().rev() {
                let kernels = &mut self.stages[s];
                let (earlier, later) = workspace.stages.split_at_mut(s);
                let (scratch, after) = later.split_first_mut().expect("stage s is among the stages");
                let gradient = match after.first() {
                    Some(after) => &after.input_gradient[..g.output_len()],
                    None => &workspace.feature_gradient[i * g.output_len()..][..g.output_len()],
                };
                let input = match earlier.last() {
                    Some(before) => &before.outputs[i * g.input_len()..][..g.input_len() + RUN_BLOCK],
                    None => &workspace.image,
                };
                let patches = if g.patches.gathered {
                    gather_patches(g, input, &mut scratch.patches);
                    &scratch.patches
                } else {
                    input
                };
                scratch.input_gradient.fill(0.0);
                let stage = StageBackward {
                    geometry: g,
                    gradient,
                    winners: &scratch.winners[i * g.winners_len()..][..g.winners_len()],
                    patches,
                    sums: &mut kernels.sums,
                    scatter: kernels.scatter.as_ref().map(|k| (k, scratch.input_gradient.as_mut_slice())),
                    list: &mut scratch.list,
                };
                stage_backward(model.isa, stage);
                if s > 0 {
                    let gradient = &mut scratch.input_gradient[..g.input_len()];
                    through_derivative(model.isa, model.spec.activation, &input[..g.input_len()], gradient);
                }
            }
        }
        for ((g, stage), tensors) in model.stages.iter().zip(&self.stages).zip(model.tensors.chunks_exact(2))
        {
            let all = &mut self.gradient[tensors[0].range.start..tensors[1].range.end];
            let (weights, bias) = all.split_at_mut(g.n_weights());
            stage.sums.unpack(g, weights, bias);
        }
    }

    /// Moves the parameters; returns the mean over tensors of ‖lr·∇‖₁/‖θ‖₁, leaving out those that are all zero.
    fn update(&mut self, model: &Model, learning_rate: f32) -> f64 {
        let (mut sum, mut n) = (0.0, 0u32);
        for tensor in &model.tensors {
            let mut norms = [0.0; 2];
            let moved = TensorUpdate {
                values: &mut self.values[tensor.range.clone()],
                velocity: &mut self.velocity[tensor.range.clone()],
                gradient: &self.gradient[tensor.range.clone()],
                optimizer: model.spec.optimizer,
                learning_rate,
                norms: &mut norms,
            };
            update(model.isa, moved);
            if norms[1] > 0.0 {
                sum += f64::from(learning_rate) * norms[0] / norms[1];
                n += 1;
            }
        }
        if n > 0 { sum / f64::from(n) } else { 0.0 }
    }
}
