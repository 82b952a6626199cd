//! The paper's network in candle.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor, Var};
use candle_nn::loss::cross_entropy;

use crate::Trainer;
use crate::data::{self, N_IMAGES, PARAMETERS, SIDE};

const LEARNING_RATE: f64 = 0.05;
const MOMENTUM: f64 = 0.9;

pub struct Candle {
    parameters: Vec<Var>,
    velocities: Vec<Tensor>,
    /// Images `[batch, 1, SIDE, SIDE]` and labels `[batch]`.
    batches: Vec<(Tensor, Tensor)>,
    n_steps: usize,
}

impl Candle {
    pub fn new(batch: usize) -> Result<Self> {
        let device = &Device::Cpu;
        let images = Tensor::from_vec(data::images(), (N_IMAGES, 1, SIDE, SIDE), device)?;
        let labels: Vec<u32> = data::labels().into_iter().map(u32::from).collect();
        let labels = Tensor::from_vec(labels, N_IMAGES, device)?;
        let batches = (0..N_IMAGES / batch)
            .map(|i| Ok((images.narrow(0, i * batch, batch)?, labels.narrow(0, i * batch, batch)?)))
            .collect::<Result<_>>()?;
        let parameters = PARAMETERS
            .iter()
            .enumerate()
            .map(|(stream, (shape, _))| {
                Ok(Var::from_tensor(&Tensor::from_vec(data::parameter(stream), *shape, device)?)?)
            })
            .collect::<Result<Vec<_>>>()?;
        let velocities = parameters.iter().map(|var| Ok(var.zeros_like()?)).collect::<Result<_>>()?;
        Ok(Self { parameters, velocities, batches, n_steps: 0 })
    }

    fn logits(&self, images: &Tensor) -> Result<Tensor> {
        let [kernel1, bias1, kernel2, bias2, weight3, bias3, weight4, bias4] = &self.parameters[..] else {
            unreachable!("the list has eight parameters");
        };
        let mut x = images.clone();
        for (kernel, bias, size) in [(kernel1, bias1, 2), (kernel2, bias2, 3)] {
            // The bias, equal within a map, and the activation, monotonic, leave the maximum where it is.
            x = max_pool(&x.conv2d(kernel, 0, 1, 1, 1)?, size)?;
            x = scaled_tanh(&x.broadcast_add(&bias.reshape((1, (), 1, 1))?)?)?;
        }
        let x = x.flatten_from(1)?;
        let x = scaled_tanh(&x.matmul(&weight3.t()?)?.broadcast_add(bias3)?)?;
        Ok(x.matmul(&weight4.t()?)?.broadcast_add(bias4)?)
    }

    fn step(&mut self) -> Result<Tensor> {
        let (images, labels) = &self.batches[self.n_steps % self.batches.len()];
        let loss = cross_entropy(&self.logits(images)?, labels)?;
        let gradients = loss.backward()?;
        for (var, velocity) in self.parameters.iter().zip(&mut self.velocities) {
            // Detached: else every update would hang on to the graphs of all steps before it.
            let gradient = gradients.get(var).context("a parameter has no gradient")?.detach();
            *velocity = ((&*velocity * MOMENTUM)? + &gradient)?;
            let update = ((gradient + (&*velocity * MOMENTUM)?)? * LEARNING_RATE)?;
            var.set(&(var.as_detached_tensor() - update)?)?;
        }
        self.n_steps += 1;
        Ok(loss)
    }
}

impl Trainer for Candle {
    fn train(&mut self, n_steps: usize) -> Result<f32> {
        let mut loss = self.step()?;
        for _ in 1..n_steps {
            loss = self.step()?;
        }
        Ok(loss.to_scalar()?)
    }
}

/// Maxima of windows without overlap. candle 0.11 averages the gradient over the window, `size`² times too little for
/// its one winner: the same value is put together here so that its gradient comes out right.
fn max_pool(x: &Tensor, size: usize) -> Result<Tensor> {
    let n = (size * size) as f64;
    let maxima = x.max_pool2d(size)?;
    let constant = (maxima.detach() * (n - 1.0))?;
    Ok(((maxima * n)? - constant)?)
}

fn scaled_tanh(x: &Tensor) -> Result<Tensor> {
    Ok(((x * (2.0 / 3.0))?.tanh()? * 1.7159)?)
}
