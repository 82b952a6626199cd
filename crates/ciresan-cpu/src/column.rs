//! One column: its parameters, and the forward and backward passes over a batch.

use crate::activation::{activate, through_derivative};
use crate::backward::ScatterKernel;
use crate::forward::{ForwardKernel, pack};
use crate::loss::{cross_entropy, softmax};
use crate::model::Model;
use crate::parallel::side_by_side;
use crate::part::PART;
use crate::stage::Stage;
use crate::stage_kernels::StageKernels;
use crate::update::{TensorUpdate, update};
use crate::workspace::Workspace;
use ciresan_net::Step;

/// Parameters and optimizer state, flat, in the engine's order.
pub(crate) struct Column {
    pub(crate) values: Vec<f32>,
    /// As [`Optimizer::moments`](ciresan_net::Optimizer::moments) has them; what there is none of is empty.
    pub(crate) moments: [Vec<f32>; 2],
    /// Steps made.
    pub(crate) n_steps: u64,
    gradient: Vec<f32>,
    pub(crate) stages: Vec<StageKernels>,
}

impl Column {
    pub(crate) fn new(model: &Model) -> Self {
        let stages = model.stages.iter().enumerate().map(|(i, stage)| StageKernels {
            forward: ForwardKernel::zeros(&stage.geometry, &stage.forward),
            scatter: (i > 0).then(|| ScatterKernel::zeros(&stage.geometry)),
        });
        let zeros = vec![0.0; model.n_params()];
        let n_moments = model.spec.optimizer.moments().len();
        let moments = [0, 1].map(|k| if k < n_moments { zeros.clone() } else { Vec::new() });
        Self { values: zeros.clone(), moments, n_steps: 0, gradient: zeros, stages: stages.collect() }
    }

    /// Lays the kernels out anew after the parameters changed.
    pub(crate) fn pack(&mut self, model: &Model) {
        let tensors = model.tensors.chunks_exact(2);
        for ((Stage { geometry: g, .. }, stage), tensors) in
            model.stages.iter().zip(&mut self.stages).zip(tensors)
        {
            let weights = &self.values[tensors[0].range.clone()];
            pack(model.isa, g, weights, &self.values[tensors[1].range.clone()], &mut stage.forward);
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
        let loss = cross_entropy(gradients, classes, labels, model.spec.skip_bound(), &mut workspace.learned);
        workspace.keep_learned(model);
        let n_learned = workspace.learned.len();
        self.backward_dense(model, workspace, n_learned);
        self.backward_stages(model, workspace);
        let update_ratio = self.update(model, learning_rate);
        self.pack(model);
        Step { loss, update_ratio, skipped: (n - n_learned) as u32 }
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
    pub(crate) fn forward(&self, model: &Model, workspace: &mut Workspace, images: &[f32], n: usize) {
        let images = images.chunks(PART * model.spec.network.input().len());
        let features = workspace.features[..n * model.features()].chunks_mut(PART * model.features());
        let jobs = workspace.parts.iter_mut().zip(images).zip(features);
        side_by_side(jobs, |((part, images), features)| part.forward(model, &self.stages, images, features));
        self.forward_dense(model, workspace, n);
    }

    /// From the features to the logits.
    pub(crate) fn forward_dense(&self, model: &Model, workspace: &mut Workspace, n: usize) {
        let tensors = model.tensors.chunks_exact(2).skip(model.stages.len());
        for (l, (layer, tensors)) in model.dense.iter().zip(tensors).enumerate() {
            let (earlier, later) = workspace.dense.split_at_mut(l);
            let input = earlier.last().unwrap_or(&workspace.features);
            let output = &mut later[0][..n * layer.outputs];
            let weights = &self.values[tensors[0].range.clone()];
            let bias = &self.values[tensors[1].range.clone()];
            layer.forward(weights, bias, &input[..n * layer.inputs], output);
            if l + 1 < model.dense.len() {
                activate(model.isa, model.spec.activation, output);
            }
        }
    }

    /// From the logits' gradients to those of the features, and of the dense layers' parameters, for the `n` images whose
    /// rows are in the workspace.
    pub(crate) fn backward_dense(&mut self, model: &Model, workspace: &mut Workspace, n: usize) {
        let tensors = model.tensors.chunks_exact(2).skip(model.stages.len());
        for (l, (layer, tensors)) in model.dense.iter().zip(tensors).enumerate().rev() {
            let (earlier, later) = workspace.dense_gradients.split_at_mut(l);
            let gradient = &later[0][..n * layer.outputs];
            let input = if l == 0 { &workspace.features } else { &workspace.dense[l - 1] };
            let input = &input[..n * layer.inputs];
            // Bias stands right behind the weights.
            let all = &mut self.gradient[tensors[0].range.start..tensors[1].range.end];
            let (weights_gradient, bias_gradient) = all.split_at_mut(layer.inputs * layer.outputs);
            layer.parameter_gradient(input, gradient, weights_gradient, bias_gradient);
            let input_gradient = match earlier.last_mut() {
                Some(before) => &mut before[..n * layer.inputs],
                None => &mut workspace.feature_gradient[..n * layer.inputs],
            };
            layer.input_gradient(&self.values[tensors[0].range.clone()], gradient, input_gradient);
            through_derivative(model.isa, model.spec.activation, input, input_gradient);
        }
    }

    /// From the features' gradients through the stages of every image that is not skipped to the kernels' gradients.
    fn backward_stages(&mut self, model: &Model, workspace: &mut Workspace) {
        let Workspace { parts, learned, feature_gradient, .. } = workspace;
        let (mut images, mut gradient) = (&learned[..], &feature_gradient[..]);
        let jobs = parts.iter_mut().enumerate().map(|(p, part)| {
            let n = images.partition_point(|&image| image as usize / PART <= p);
            let of_part;
            (of_part, images) = images.split_at(n);
            let gradient_of_part;
            (gradient_of_part, gradient) = gradient.split_at(n * model.features());
            (part, of_part, gradient_of_part)
        });
        side_by_side(jobs, |(part, images, gradient)| part.backward(model, &self.stages, images, gradient));
        let stages = model.tensors[2 * model.stages.len() - 1].range.end;
        self.gradient[..stages].fill(0.0);
        // In their order, whoever finished first.
        for images in learned.chunk_by(|&a, &b| a as usize / PART == b as usize / PART) {
            parts[images[0] as usize / PART].add_gradient(model, &mut self.gradient);
        }
    }

    /// Moves the parameters; returns the mean over tensors of ‖lr·∇‖₁/‖θ‖₁, leaving out those that are all zero.
    pub(crate) fn update(&mut self, model: &Model, learning_rate: f32) -> f64 {
        self.n_steps = self.n_steps.saturating_add(1);
        let (mut sum, mut n) = (0.0, 0u32);
        for tensor in &model.tensors {
            let mut norms = [0.0; 2];
            let moved = TensorUpdate {
                values: &mut self.values[tensor.range.clone()],
                moments: (self.moments.each_mut())
                    .map(|moment| moment.get_mut(tensor.range.clone()).unwrap_or_default()),
                gradient: &self.gradient[tensor.range.clone()],
                optimizer: model.spec.optimizer,
                t: self.n_steps,
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
