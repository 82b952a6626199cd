//! Fully connected layers over a whole batch, as matrix products of `ndarray` (the `matrixmultiply` crate).
//!
//! Weights are `[inputs][outputs]`, so that forward and backward run along rows.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, aview1};

/// Sizes of one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Dense {
    /// `output = input · weights + bias`; `input` `[n][inputs]`, `output` `[n][outputs]`.
    pub(crate) fn forward(self, weights: &[f32], bias: &[f32], input: &[f32], output: &mut [f32]) {
        let mut output = matrix_mut(output, self.outputs);
        output.assign(&aview1(bias));
        general_mat_mul(1.0, &matrix(input, self.inputs), &matrix(weights, self.outputs), 1.0, &mut output);
    }

    /// Gradients of weights and bias from that of the output `[n][outputs]`.
    pub(crate) fn parameter_gradient(
        self,
        input: &[f32],
        output_gradient: &[f32],
        weights_gradient: &mut [f32],
        bias_gradient: &mut [f32],
    ) {
        general_mat_mul(
            1.0,
            &matrix(input, self.inputs).t(),
            &matrix(output_gradient, self.outputs),
            0.0,
            &mut matrix_mut(weights_gradient, self.outputs),
        );
        bias_gradient.fill(0.0);
        for row in output_gradient.chunks_exact(self.outputs) {
            for (sum, &g) in bias_gradient.iter_mut().zip(row) {
                *sum += g;
            }
        }
    }

    /// Gradient of the input `[n][inputs]` from that of the output `[n][outputs]`.
    pub(crate) fn input_gradient(self, weights: &[f32], output_gradient: &[f32], input_gradient: &mut [f32]) {
        general_mat_mul(
            1.0,
            &matrix(output_gradient, self.outputs),
            &matrix(weights, self.outputs).t(),
            0.0,
            &mut matrix_mut(input_gradient, self.inputs),
        );
    }
}

fn matrix(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("rows of equal length")
}

fn matrix_mut(values: &mut [f32], columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / columns, columns), values).expect("rows of equal length")
}
