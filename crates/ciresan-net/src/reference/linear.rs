//! Convolution and dense layer: weighted sums of one image, and the two gradients.

use crate::Shape;

/// A layer of weighted sums. Everything here is linear in each of its arguments, so squares and magnitudes
/// may be passed as well as values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Linear {
    /// Stride 1, no padding, kernels not flipped; weights `[output maps, input maps, rows, columns]`.
    Convolution { input: Shape, output: Shape, kernel: usize },
    /// Weights `[outputs, inputs]`.
    Dense { inputs: usize, outputs: usize },
}

impl Linear {
    /// Products in each sum of the forward pass.
    pub(crate) fn forward_terms(self) -> usize {
        match self {
            Self::Convolution { input, kernel, .. } => input.maps * kernel * kernel,
            Self::Dense { inputs, .. } => inputs,
        }
    }

    /// Most products in a sum of the input's gradient.
    pub(crate) fn input_gradient_terms(self) -> usize {
        match self {
            Self::Convolution { output, kernel, .. } => output.maps * kernel * kernel,
            Self::Dense { outputs, .. } => outputs,
        }
    }

    /// Products in each sum of the weights' gradient, for one image.
    pub(crate) fn weight_gradient_terms(self) -> usize {
        match self {
            Self::Convolution { output, .. } => output.height * output.width,
            Self::Dense { .. } => 1,
        }
    }

    fn output_len(self) -> usize {
        match self {
            Self::Convolution { output, .. } => output.len(),
            Self::Dense { outputs, .. } => outputs,
        }
    }

    fn input_len(self) -> usize {
        match self {
            Self::Convolution { input, .. } => input.len(),
            Self::Dense { inputs, .. } => inputs,
        }
    }

    /// Calls `pair(output, input, weight)` with the indices of every product of the forward pass, output by
    /// output.
    fn for_each_product(self, mut pair: impl FnMut(usize, usize, usize)) {
        match self {
            Self::Convolution { input, output, kernel } => {
                for map in 0..output.maps {
                    for row in 0..output.height {
                        for column in 0..output.width {
                            let y = (map * output.height + row) * output.width + column;
                            for from in 0..input.maps {
                                for i in 0..kernel {
                                    for j in 0..kernel {
                                        let x = (from * input.height + row + i) * input.width + column + j;
                                        let w = ((map * input.maps + from) * kernel + i) * kernel + j;
                                        pair(y, x, w);
                                    }
                                }
                            }
                        }
                    }
                }
            }
            Self::Dense { inputs, outputs } => {
                for y in 0..outputs {
                    for x in 0..inputs {
                        pair(y, x, y * inputs + x);
                    }
                }
            }
        }
    }

    /// Output map or neuron sums: `[outputs]` for one image.
    pub(crate) fn forward(self, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        let mut sums = self.spread_bias(bias);
        self.for_each_product(|y, i, w| sums[y] += x[i] * weight[w]);
        sums
    }

    /// Gradient by the input of one image.
    pub(crate) fn input_gradient(self, delta: &[f64], weight: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; self.input_len()];
        self.for_each_product(|y, i, w| gradient[i] += delta[y] * weight[w]);
        gradient
    }

    /// Adds one image's gradient by the weights.
    pub(crate) fn add_weight_gradient(self, delta: &[f64], x: &[f64], gradient: &mut [f64]) {
        self.for_each_product(|y, i, w| gradient[w] += delta[y] * x[i]);
    }

    /// Adds one image's gradient by the biases.
    pub(crate) fn add_bias_gradient(self, delta: &[f64], gradient: &mut [f64]) {
        let positions = delta.len() / gradient.len();
        for (gradient, delta) in gradient.iter_mut().zip(delta.chunks_exact(positions)) {
            *gradient += delta.iter().sum::<f64>();
        }
    }

    fn spread_bias(self, bias: &[f64]) -> Vec<f64> {
        let positions = self.output_len() / bias.len();
        bias.iter().flat_map(|&bias| std::iter::repeat_n(bias, positions)).collect()
    }
}
