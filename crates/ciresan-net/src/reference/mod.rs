//! The network computed plainly in f64: every sum of every layer, forward and backward, one loop nest a
//! layer.
//!
//! Clear rather than fast; what engines are compared with. Its own gradients are tested against finite
//! differences.
//!
//! ```
//! use ciresan_net::{Activation, Network, reference::Reference};
//!
//! let network: Network = "1x3x3-1C2-MP2-2N".parse()?;
//! let reference = Reference::new(&network, Activation::Relu);
//! let parameters = vec![0.5; network.n_params()];
//! let trace = reference.forward(&parameters, &[1.0; 9]);
//! assert_eq!(trace.layers[0].outputs, [2.5; 4]); // 4 · 0.5 · 1 + 0.5
//! assert_eq!(trace.probabilities, [0.5, 0.5]);
//! assert!((trace.loss(&[0]) - 2.0_f64.ln()).abs() < 1e-15);
//! # Ok::<(), ciresan_net::NotationError>(())
//! ```

mod engine;
mod linear;
mod pooling;

pub use engine::ReferenceEngine;
pub(crate) use engine::{step, update_ratio, widened};
pub(crate) use linear::Linear;
pub(crate) use pooling::{Tie, to_winners, windows};

use crate::{Activation, Layer, Network, Parameters, Shape};
use std::ops::Range;

/// A network ready to be computed in f64.
///
/// Parameters are flat, in the order of [`Parameters`]; images and all values between layers are `[batch,
/// maps, height, width]`, row-major.
#[derive(Clone, Debug)]
pub struct Reference {
    network: Network,
    plan: Vec<PlannedLayer>,
    tie: Tie,
}

/// A layer and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct PlannedLayer {
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) operation: Operation,
}

/// What a layer does.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Weighted sums and biases, then the activation if there is one.
    Linear { linear: Linear, weight: Range<usize>, bias: Range<usize>, activation: Option<Activation> },
    /// Maxima of windows of this side.
    MaxPooling { size: usize },
}

/// The values of one layer for a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTrace {
    /// Weighted sums before the activation; empty for a max-pooling.
    pub sums: Vec<f64>,
    /// What the layer hands on; the last layer's are the logits.
    pub outputs: Vec<f64>,
    /// For every output of a max-pooling, the index of its winner among the layer's inputs of the same image;
    /// empty for other layers.
    pub winners: Vec<usize>,
}

/// Everything the forward pass of a batch computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Images in the batch.
    pub batch: usize,
    /// The layers' values, in the order of [`Network::layers`].
    pub layers: Vec<LayerTrace>,
    /// Softmax of the logits, `[batch, classes]`.
    pub probabilities: Vec<f64>,
}

/// Everything the backward pass of a batch computes: derivatives of the batch's mean loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// By the parameters, in their order.
    pub parameters: Vec<f64>,
    /// By each layer's [`sums`](LayerTrace::sums), for a max-pooling by its [`outputs`](LayerTrace::outputs).
    pub layers: Vec<Vec<f64>>,
}

impl Reference {
    /// Plans `network`.
    #[must_use]
    pub fn new(network: &Network, activation: Activation) -> Self {
        Self::with_tie(network, activation, Tie::FirstWins)
    }

    /// With another rule for ties than that of [`Engine`](crate::Engine), to see that a test notices.
    pub(crate) fn with_tie(network: &Network, activation: Activation, tie: Tie) -> Self {
        let layout = Parameters::layout_of(network);
        let mut ranges = layout.iter().map(|spec| spec.range.clone());
        let mut next = || ranges.next().expect("the layout has a weight and a bias for every linear layer");
        let plan = network
            .steps()
            .enumerate()
            .map(|(i, (layer, input, output))| {
                let mut operation = |linear| Operation::Linear {
                    linear,
                    weight: next(),
                    bias: next(),
                    activation: network.activation_after(i, activation),
                };
                let operation = match layer {
                    Layer::Convolution { kernel, .. } => {
                        operation(Linear::Convolution { input, output, kernel })
                    }
                    Layer::Dense { neurons } => {
                        operation(Linear::Dense { inputs: input.len(), outputs: neurons })
                    }
                    Layer::MaxPooling { size } => Operation::MaxPooling { size },
                };
                PlannedLayer { input, output, operation }
            })
            .collect();
        Self { network: network.clone(), plan, tie }
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn plan(&self) -> &[PlannedLayer] {
        &self.plan
    }

    /// Whether a max-pooling comes right after the layer with this index.
    pub(crate) fn is_pooled_next(&self, layer_idx: usize) -> bool {
        let next = self.plan.get(layer_idx + 1);
        next.is_some_and(|next| matches!(next.operation, Operation::MaxPooling { .. }))
    }

    /// The forward pass.
    ///
    /// # Panics
    /// When `parameters` are not the network's or `images` are not whole images.
    #[must_use]
    pub fn forward(&self, parameters: &[f64], images: &[f64]) -> Trace {
        let image_len = self.network.input().len();
        assert_eq!(parameters.len(), self.network.n_params(), "parameters");
        assert_eq!(images.len() % image_len, 0, "images of {image_len} values");
        let mut layers: Vec<LayerTrace> = Vec::with_capacity(self.plan.len());
        for layer in &self.plan {
            let inputs = layers.last().map_or(images, |layer| &layer.outputs[..]);
            layers.push(self.forward_layer(layer, parameters, inputs));
        }
        let logits = layers.last().map_or(&[][..], |layer| &layer.outputs);
        let probabilities = logits.chunks_exact(self.network.classes()).flat_map(softmax).collect();
        Trace { batch: images.len() / image_len, layers, probabilities }
    }

    fn forward_layer(&self, layer: &PlannedLayer, parameters: &[f64], inputs: &[f64]) -> LayerTrace {
        let inputs = inputs.chunks_exact(layer.input.len());
        match &layer.operation {
            Operation::Linear { linear, weight, bias, activation } => {
                let (weight, bias) = (&parameters[weight.clone()], &parameters[bias.clone()]);
                let sums: Vec<f64> = inputs.flat_map(|x| linear.forward(x, weight, bias)).collect();
                let outputs = match activation {
                    Some(activation) => sums.iter().map(|&sum| activation.apply_f64(sum)).collect(),
                    None => sums.clone(),
                };
                LayerTrace { sums, outputs, winners: Vec::new() }
            }
            Operation::MaxPooling { size } => {
                let mut trace = LayerTrace { sums: Vec::new(), outputs: Vec::new(), winners: Vec::new() };
                for x in inputs {
                    let winners = pooling::winners(layer.input, *size, self.tie, x);
                    trace.outputs.extend(winners.iter().map(|&winner| x[winner]));
                    trace.winners.extend(winners);
                }
                trace
            }
        }
    }

    /// The backward pass for the mean cross-entropy of the batch, but for the images that
    /// [`skip_bound`](crate::EngineSpec::skip_bound) skips: `trace` is that of the same parameters and images.
    ///
    /// # Panics
    /// When lengths do not belong together or a label is no class.
    #[must_use]
    pub fn backward(
        &self,
        parameters: &[f64],
        images: &[f64],
        trace: &Trace,
        labels: &[u8],
        skip_bound: Option<f32>,
    ) -> Gradients {
        assert_eq!(labels.len(), trace.batch, "labels");
        let mut gradient = vec![0.0; parameters.len()];
        let mut layers = vec![Vec::new(); self.plan.len()];
        let mut upstream = trace.logit_gradient(labels, skip_bound);
        for (i, layer) in self.plan.iter().enumerate().rev() {
            let inputs = i.checked_sub(1).map_or(images, |below| &trace.layers[below].outputs[..]);
            match &layer.operation {
                Operation::Linear { linear, weight, bias, activation } => {
                    if let Some(activation) = activation {
                        for (delta, &y) in upstream.iter_mut().zip(&trace.layers[i].outputs) {
                            *delta *= activation.derivative_from_output_f64(y);
                        }
                    }
                    let deltas = upstream.chunks_exact(layer.output.len());
                    for (delta, x) in deltas.clone().zip(inputs.chunks_exact(layer.input.len())) {
                        linear.add_weight_gradient(delta, x, &mut gradient[weight.clone()]);
                        linear.add_bias_gradient(delta, &mut gradient[bias.clone()]);
                    }
                    let below = deltas
                        .flat_map(|delta| linear.input_gradient(delta, &parameters[weight.clone()]))
                        .collect();
                    layers[i] = std::mem::replace(&mut upstream, below);
                }
                Operation::MaxPooling { .. } => {
                    let below = pooling::to_winners(layer, &trace.layers[i].winners, &upstream);
                    layers[i] = std::mem::replace(&mut upstream, below);
                }
            }
        }
        Gradients { parameters: gradient, layers }
    }
}

impl Trace {
    /// Mean cross-entropy of the batch in nats.
    ///
    /// # Panics
    /// When there is not one label an image, or a label is no class.
    #[must_use]
    pub fn loss(&self, labels: &[u8]) -> f64 {
        assert_eq!(labels.len(), self.batch, "labels");
        let losses =
            self.logits().zip(labels).map(|(row, &label)| log_sum_exp(row) - row[usize::from(label)]);
        losses.sum::<f64>() / self.batch as f64
    }

    /// Logits, image by image.
    pub(crate) fn logits(&self) -> impl Iterator<Item = &[f64]> {
        let logits = self.layers.last().map_or(&[][..], |layer| &layer.outputs);
        logits.chunks_exact((logits.len() / self.batch.max(1)).max(1))
    }

    /// Probabilities of the labels, image by image.
    pub(crate) fn of_labels(&self, labels: &[u8]) -> impl Iterator<Item = f64> {
        let rows = self.probabilities.chunks_exact(self.classes());
        rows.zip(labels).map(|(row, &label)| row[usize::from(label)])
    }

    /// Whether an image is skipped, image by image: see [`EngineSpec::skip_below`](crate::EngineSpec::skip_below).
    pub(crate) fn skipped(&self, labels: &[u8], bound: Option<f32>) -> impl Iterator<Item = bool> {
        self.of_labels(labels).map(move |probability| bound.is_some_and(|bound| probability as f32 > bound))
    }

    /// Derivative of the mean loss by the logits: (probability − 1 for the label, − 0 for others) / batch, and 0 for an
    /// image that is skipped.
    fn logit_gradient(&self, labels: &[u8], skip_bound: Option<f32>) -> Vec<f64> {
        let mut gradient = self.probabilities.clone();
        let rows = gradient.chunks_exact_mut(self.classes());
        for ((row, &label), skipped) in rows.zip(labels).zip(self.skipped(labels, skip_bound)) {
            row[usize::from(label)] -= 1.0;
            row.iter_mut().for_each(|value| *value /= self.batch as f64);
            if skipped {
                row.fill(0.0);
            }
        }
        gradient
    }

    fn classes(&self) -> usize {
        (self.probabilities.len() / self.batch.max(1)).max(1)
    }
}

/// A row's maximum and Σ exp(z − maximum): with its own maximum subtracted nothing overflows.
fn exponentials(row: &[f64]) -> (f64, f64) {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (max, row.iter().map(|z| (z - max).exp()).sum())
}

fn log_sum_exp(row: &[f64]) -> f64 {
    let (max, sum) = exponentials(row);
    max + sum.ln()
}

fn softmax(row: &[f64]) -> impl Iterator<Item = f64> {
    let (max, sum) = exponentials(row);
    row.iter().map(move |z| (z - max).exp() / sum)
}

#[cfg(test)]
mod tests;
