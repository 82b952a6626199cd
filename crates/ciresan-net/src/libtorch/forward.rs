//! From images to logits.

use super::model::Model;
use super::torch::Torch;
use crate::{Activation, PaperForm};
use tch::{Kind, Tensor};

/// Logits of every column's images.
///
/// # Shapes
/// `tensors`: the weights and biases of N columns in the order of [`Parameters`](crate::Parameters), each with a
/// leading N; `images`: `[N, batch, maps, height, width]` of their kind. Returns `[N, batch, classes]`, f32.
pub(super) fn logits(model: &Model, tensors: &[Tensor], images: &Tensor) -> Torch<Tensor> {
    let PaperForm { stages, dense } = &model.form;
    let n = images.size()[0];
    let mut layers = tensors.chunks_exact(2);
    let mut next = || {
        let pair = layers.next().expect("a weight and a bias for every convolution and dense layer");
        (&pair[0], &pair[1])
    };
    let mut x = model.convolution.arrange(images)?;
    for stage in stages {
        let (weight, bias) = next();
        x = model.convolution.apply(&x, weight, bias)?;
        if stage.pool > 1 {
            let size = [stage.pool as i64; 2];
            x = x.f_max_pool2d(size, size, [0, 0], [1, 1], false)?;
        }
        // After the pooling: the activation is monotone, so the winners are the same, and there are fewer to compute.
        x = activate(model.spec.activation, &x)?;
    }
    let mut x = model.convolution.flatten(&x, n)?;
    for _ in &dense[1..] {
        let (weight, bias) = next();
        x = activate(model.spec.activation, &dense_layer(&x, weight, bias)?)?;
    }
    // The output layer is f32 in every precision: its rounding would be the loss's.
    let (weight, bias) = next();
    dense_layer(&x.f_to_kind(Kind::Float)?, weight, bias)
}

/// `x`: `[n, batch, inputs]`, `weight`: `[n, outputs, inputs]`, `bias`: `[n, outputs]`; returns `[n, batch, outputs]`.
fn dense_layer(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Torch<Tensor> {
    bias.f_unsqueeze(1)?.f_baddbmm(x, &weight.f_transpose(1, 2)?, 1.0, 1.0)
}

fn activate(activation: Activation, x: &Tensor) -> Torch<Tensor> {
    match activation {
        Activation::ScaledTanh => {
            let tanh = x.f_mul_scalar(Activation::TANH_SLOPE)?.f_tanh()?;
            tanh.f_mul_scalar(Activation::TANH_AMPLITUDE)
        }
        Activation::Relu => x.f_relu(),
    }
}
