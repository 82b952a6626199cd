//! How far an honest f32 engine may be off: variances of rounding errors, propagated beside the values.
//!
//! Sums are linear in their operands, so the variance that comes in with the operands is the same sum of
//! squares, and the magnitude that bounds the partial sums is the same sum of magnitudes: [`Linear`] computes
//! all three.

use super::case::Batch;
use crate::Activation;
use crate::reference::{Gradients, Linear, Operation, Reference, Trace, to_winners, windows};

/// Half the distance from 1 to the next f32: the largest relative error of one rounding.
pub(super) const UNIT: f64 = f32::EPSILON as f64 / 2.0;

/// Standard deviations that a result may be off by: for independent errors one case in 10⁹.
pub(super) const SIGMAS: f64 = 6.0;

/// Roundings in an activation, its derivative, an exponential or a quotient: argument reduction, a polynomial
/// or rational approximation and a division, each good to a few units.
const FUNCTION_ROUNDINGS: f64 = 8.0;

/// Variances for one batch.
pub(super) struct Rounding {
    /// Of every layer's sums; for max-pooling empty.
    sums: Vec<Vec<f64>>,
    /// Of every layer's outputs.
    outputs: Vec<Vec<f64>>,
    /// Of the probabilities.
    probabilities: Vec<f64>,
    /// Of the gradient by the parameters.
    parameters: Vec<f64>,
}

impl Rounding {
    /// Variances of the forward pass.
    pub(super) fn forward(reference: &Reference, parameters: &[f64], images: &[f64], trace: &Trace) -> Self {
        let mut this =
            Self { sums: Vec::new(), outputs: Vec::new(), probabilities: Vec::new(), parameters: Vec::new() };
        let exact = vec![0.0; images.len()];
        for (i, layer) in reference.plan().iter().enumerate() {
            let below = i.checked_sub(1);
            let values = below.map_or(images, |below| &trace.layers[below].outputs[..]);
            let variances = below.map_or(&exact, |below| &this.outputs[below]);
            let inputs =
                values.chunks_exact(layer.input.len()).zip(variances.chunks_exact(layer.input.len()));
            let (sums, outputs) = match &layer.operation {
                Operation::Linear { linear, weight, bias, activation } => {
                    let (weight, bias) = (&parameters[weight.clone()], &parameters[bias.clone()]);
                    let sums: Vec<f64> = inputs
                        .flat_map(|(x, variance)| sum_variances(*linear, x, variance, weight, bias))
                        .collect();
                    let outputs = match activation {
                        Some(activation) => sums
                            .iter()
                            .zip(&trace.layers[i].sums)
                            .map(|(&variance, &sum)| activated_variance(*activation, sum, variance))
                            .collect(),
                        None => sums.clone(),
                    };
                    (sums, outputs)
                }
                Operation::MaxPooling { .. } => {
                    let winners = trace.layers[i].winners.chunks_exact(layer.output.len());
                    let won = winners
                        .zip(inputs)
                        .flat_map(|(winners, (_, variances))| winners.iter().map(|&w| variances[w]));
                    (Vec::new(), won.collect())
                }
            };
            this.sums.push(sums);
            this.outputs.push(outputs);
        }
        let logits = trace.logits().zip(
            this.outputs.last().map_or(&[][..], Vec::as_slice).chunks_exact(reference.network().classes()),
        );
        let rows = trace.probabilities.chunks_exact(reference.network().classes());
        this.probabilities =
            logits.zip(rows).flat_map(|((z, variances), p)| softmax_variances(z, variances, p)).collect();
        this
    }

    /// Adds the variances of the backward pass.
    pub(super) fn backward(
        &mut self,
        reference: &Reference,
        parameters: &[f64],
        batch: &Batch,
        trace: &Trace,
        gradients: &Gradients,
    ) {
        let n_images = trace.batch as f64;
        let exact = vec![0.0; batch.images.len()];
        let mut variances = vec![0.0; parameters.len()];
        let mut magnitudes = vec![0.0; parameters.len()];
        let mut terms = vec![0.0; parameters.len()];
        // By the outputs of the layer at hand: values and variances.
        let mut upstream = gradients.layers.last().cloned().unwrap_or_default();
        let mut upstream_variances: Vec<f64> = (self.probabilities.iter().zip(&upstream))
            .map(|(variance, g)| variance / n_images.powi(2) + (FUNCTION_ROUNDINGS * UNIT * g).powi(2))
            .collect();
        // An image that is skipped has a gradient of exactly zero.
        let classes = reference.network().classes();
        let rows = upstream_variances.chunks_exact_mut(classes).zip(upstream.chunks_exact(classes));
        for (variances, _) in rows.filter(|(_, row)| row.iter().all(|g| *g == 0.0)) {
            variances.fill(0.0);
        }
        for (i, layer) in reference.plan().iter().enumerate().rev() {
            let below = i.checked_sub(1);
            match &layer.operation {
                Operation::Linear { linear, weight, bias, activation } => {
                    let deltas = &gradients.layers[i];
                    let mut delta_variances = upstream_variances;
                    if let Some(activation) = activation {
                        let outputs = trace.layers[i].outputs.iter().zip(&self.outputs[i]);
                        for ((variance, &g), (&y, &y_variance)) in
                            delta_variances.iter_mut().zip(&upstream).zip(outputs)
                        {
                            *variance = delta_variance(*activation, (g, *variance), (y, y_variance));
                        }
                    }
                    let x = below.map_or(&batch.wide_images, |below| &trace.layers[below].outputs);
                    let x_variances = below.map_or(&exact, |below| &self.outputs[below]);
                    let (n_in, n_out) = (layer.input.len(), layer.output.len());
                    let images = (deltas.chunks_exact(n_out).zip(delta_variances.chunks_exact(n_out)))
                        .zip(x.chunks_exact(n_in).zip(x_variances.chunks_exact(n_in)));
                    let (w, b) = (weight.clone(), bias.clone());
                    for ((delta, delta_variance), (x, x_variance)) in images {
                        linear.add_weight_gradient(delta_variance, &squares(x), &mut variances[w.clone()]);
                        linear.add_weight_gradient(&squares(delta), x_variance, &mut variances[w.clone()]);
                        linear.add_weight_gradient(
                            &magnitudes_of(delta),
                            &magnitudes_of(x),
                            &mut magnitudes[w.clone()],
                        );
                        linear.add_bias_gradient(delta_variance, &mut variances[b.clone()]);
                        linear.add_bias_gradient(&magnitudes_of(delta), &mut magnitudes[b.clone()]);
                    }
                    terms[w.start..b.end].fill(n_images * linear.weight_gradient_terms() as f64);
                    let weight = &parameters[w];
                    let images = deltas.chunks_exact(n_out).zip(delta_variances.chunks_exact(n_out));
                    upstream_variances = images
                        .flat_map(|(delta, variance)| {
                            input_gradient_variances(*linear, delta, variance, weight)
                        })
                        .collect();
                    upstream = deltas
                        .chunks_exact(n_out)
                        .flat_map(|delta| linear.input_gradient(delta, weight))
                        .collect();
                }
                Operation::MaxPooling { .. } => {
                    let winners = &trace.layers[i].winners;
                    upstream_variances = to_winners(layer, winners, &upstream_variances);
                    upstream = to_winners(layer, winners, &upstream);
                }
            }
        }
        self.parameters = (variances.iter().zip(&magnitudes).zip(&terms))
            .map(|((variance, magnitude), terms)| variance + sum_variance(*terms, *magnitude))
            .collect();
    }

    /// Whether no error within [`SIGMAS`] changes a winner or a rectifier's side.
    pub(super) fn is_separated(&self, reference: &Reference, images: &[f64], trace: &Trace) -> bool {
        // What decides about winners: sums before the activation, which keeps their order, and their
        // variances.
        let mut ranks = images.to_vec();
        let mut variances = vec![0.0; images.len()];
        let mut rectified = false;
        for (i, layer) in reference.plan().iter().enumerate() {
            match &layer.operation {
                Operation::Linear { activation, .. } => {
                    ranks.clone_from(&trace.layers[i].sums);
                    variances.clone_from(&self.sums[i]);
                    rectified = *activation == Some(Activation::Relu);
                }
                Operation::MaxPooling { size } => {
                    let n_in = layer.input.len();
                    let images = ranks.chunks_exact(n_in).zip(variances.chunks_exact(n_in));
                    let winners = trace.layers[i].winners.chunks_exact(layer.output.len());
                    let mut won = (Vec::new(), Vec::new());
                    for ((ranks, variances), winners) in images.zip(winners) {
                        for (window, &winner) in windows(layer.input, *size).zip(winners) {
                            // Rectified to zero all values are equal, and the first of them is recorded; what
                            // decides is the largest.
                            let top = window
                                .clone()
                                .fold(winner, |top, i| if ranks[i] > ranks[top] { i } else { top });
                            let inactive = rectified && ranks[top] < 0.0;
                            let others = window.filter(|&i| i != top);
                            let apart = |i: usize| {
                                ranks[top] - ranks[i] > SIGMAS * (variances[top] + variances[i]).sqrt()
                            };
                            if !inactive && !others.into_iter().all(apart) {
                                return false;
                            }
                            won.0.push(ranks[top]);
                            won.1.push(variances[top]);
                        }
                    }
                    (ranks, variances) = won;
                }
            }
            let near_kink = |(rank, variance): (&f64, &f64)| rank.abs() <= SIGMAS * variance.sqrt();
            if rectified && !reference.is_pooled_next(i) && ranks.iter().zip(&variances).any(near_kink) {
                return false;
            }
        }
        true
    }

    /// Tolerances of the probabilities. An f32 may round to zero below its smallest normal number.
    pub(super) fn probability_tolerances(&self) -> Vec<f64> {
        self.probabilities
            .iter()
            .map(|variance| SIGMAS * variance.sqrt() + f64::from(f32::MIN_POSITIVE))
            .collect()
    }

    /// Tolerances of the gradient by the parameters. Beside a gradient that is zero everywhere a product may
    /// underflow.
    pub(super) fn gradient_tolerances(&self) -> Vec<f64> {
        self.parameters
            .iter()
            .map(|variance| SIGMAS * variance.sqrt() + f64::from(f32::MIN_POSITIVE))
            .collect()
    }

    /// Tolerance of the mean loss: each image's loss moves by (p − label) for each logit, and is rounded as
    /// its largest term is.
    pub(super) fn loss_tolerance(&self, trace: &Trace, labels: &[u8]) -> f64 {
        let classes = trace.probabilities.len() / trace.batch;
        let logit_variances = self.outputs.last().map_or(&[][..], Vec::as_slice).chunks_exact(classes);
        let rows =
            trace.logits().zip(logit_variances).zip(trace.probabilities.chunks_exact(classes)).zip(labels);
        let variance: f64 = rows
            .map(|(((z, variances), p), &label)| {
                let moved: f64 = (p.iter().zip(variances).enumerate())
                    .map(|(class, (p, variance))| {
                        variance * (p - f64::from(u8::from(class == usize::from(label)))).powi(2)
                    })
                    .sum();
                let largest = z.iter().fold(1.0, |max: f64, z| max.max(z.abs()));
                moved + (FUNCTION_ROUNDINGS * UNIT * largest).powi(2)
            })
            .sum();
        SIGMAS * variance.sqrt() / trace.batch as f64
    }
}

/// Of a sum of `n` products whose magnitudes add up to `magnitude`: n products and n additions are rounded,
/// none by more than `UNIT · magnitude`.
fn sum_variance(n: f64, magnitude: f64) -> f64 {
    2.0 * n * (UNIT * magnitude).powi(2)
}

fn sum_variances(linear: Linear, x: &[f64], variance: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let incoming = linear.forward(variance, &squares(weight), &vec![0.0; bias.len()]);
    let magnitudes = linear.forward(&magnitudes_of(x), &magnitudes_of(weight), &magnitudes_of(bias));
    let n = linear.forward_terms() as f64;
    incoming
        .iter()
        .zip(&magnitudes)
        .map(|(incoming, &magnitude)| incoming + sum_variance(n, magnitude))
        .collect()
}

fn input_gradient_variances(linear: Linear, delta: &[f64], variance: &[f64], weight: &[f64]) -> Vec<f64> {
    let incoming = linear.input_gradient(variance, &squares(weight));
    let magnitudes = linear.input_gradient(&magnitudes_of(delta), &magnitudes_of(weight));
    let n = linear.input_gradient_terms() as f64;
    incoming
        .iter()
        .zip(&magnitudes)
        .map(|(incoming, &magnitude)| incoming + sum_variance(n, magnitude))
        .collect()
}

/// Of f(sum), f rounded as functions are.
fn activated_variance(activation: Activation, sum: f64, variance: f64) -> f64 {
    // A rectified sum that may lie on either side of zero moves the output by no more than itself.
    let nearby = match activation {
        Activation::Relu => sum + SIGMAS * variance.sqrt(),
        Activation::ScaledTanh => sum,
    };
    let slope = activation.derivative_from_output_f64(activation.apply_f64(nearby));
    let own = match activation {
        Activation::Relu => 0.0,
        Activation::ScaledTanh => FUNCTION_ROUNDINGS * UNIT * activation.apply_f64(sum),
    };
    slope.powi(2) * variance + own.powi(2)
}

/// Of g · f′(y): the derivative is computed from an output that is off, too.
fn delta_variance(activation: Activation, (g, g_variance): (f64, f64), (y, y_variance): (f64, f64)) -> f64 {
    let derivative = activation.derivative_from_output_f64(y);
    let derivative_variance = match activation {
        Activation::Relu => 0.0,
        // S/A·(A² − y²): its slope is 2·S/A·y; what is rounded is no larger than S·A.
        Activation::ScaledTanh => {
            let slope = 2.0 * Activation::TANH_SLOPE / Activation::TANH_AMPLITUDE * y;
            let largest = Activation::TANH_SLOPE * Activation::TANH_AMPLITUDE;
            slope.powi(2) * y_variance + (FUNCTION_ROUNDINGS * UNIT * largest).powi(2)
        }
    };
    g_variance * derivative.powi(2) + g.powi(2) * derivative_variance + (UNIT * g * derivative).powi(2)
}

/// Of p = softmax(z): ∂p_c/∂z_k = p_c·([c = k] − p_k); an exponential magnifies the rounding of its argument.
fn softmax_variances(z: &[f64], variances: &[f64], p: &[f64]) -> Vec<f64> {
    let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0..z.len())
        .map(|c| {
            let moved: f64 = (p.iter().zip(variances).enumerate())
                .map(|(k, (p_k, variance))| variance * (f64::from(u8::from(c == k)) - p_k).powi(2))
                .sum();
            let own = FUNCTION_ROUNDINGS * UNIT * (1.0 + max - z[c]);
            p[c].powi(2) * (moved + own.powi(2))
        })
        .collect()
}

fn squares(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value * value).collect()
}

fn magnitudes_of(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}
