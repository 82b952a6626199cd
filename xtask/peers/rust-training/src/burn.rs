//! The paper's network in burn.

use anyhow::Result;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::Trainer;
use crate::data::{self, N_IMAGES, PARAMETERS, SIDE};

const LEARNING_RATE: f64 = 0.05;

#[derive(Module, Debug)]
struct Column {
    conv1: Conv2d,
    pool1: MaxPool2d,
    conv2: Conv2d,
    pool2: MaxPool2d,
    dense1: Linear,
    dense2: Linear,
}

impl Column {
    fn new(device: &Device) -> Self {
        let conv = |stream: usize, channels, size| Conv2d {
            weight: parameter::<4>(stream, device),
            bias: Some(parameter::<1>(stream + 1, device)),
            ..Conv2dConfig::new(channels, [size, size]).init(device)
        };
        // Weights stand as [inputs, outputs] here.
        let dense = |stream: usize, [inputs, outputs]: [usize; 2]| Linear {
            weight: Param::from_data(transposed(&data::parameter(stream), outputs, inputs), device),
            bias: Some(parameter::<1>(stream + 1, device)),
        };
        let pool = |size| MaxPool2dConfig::new([size, size]).with_strides([size, size]).init();
        Self {
            conv1: conv(0, [1, 20], 4),
            pool1: pool(2),
            conv2: conv(2, [20, 40], 5),
            pool2: pool(3),
            dense1: dense(4, [360, 150]),
            dense2: dense(6, [150, 10]),
        }
    }

    /// Pools before the activation, which is monotonic: the same value, cheaper.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = scaled_tanh(self.pool1.forward(self.conv1.forward(images)));
        let x = scaled_tanh(self.pool2.forward(self.conv2.forward(x)));
        let x = scaled_tanh(self.dense1.forward(x.flatten(1, 3)));
        self.dense2.forward(x)
    }
}

fn parameter<const D: usize>(stream: usize, device: &Device) -> Param<Tensor<D>> {
    Param::from_data(TensorData::new(data::parameter(stream), PARAMETERS[stream].0), device)
}

fn transposed(values: &[f32], rows: usize, columns: usize) -> TensorData {
    let values: Vec<f32> = (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect();
    TensorData::new(values, [columns, rows])
}

fn scaled_tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.mul_scalar(2.0 / 3.0).tanh().mul_scalar(1.7159)
}

pub struct Burn {
    column: Column,
    loss: CrossEntropyLoss,
    optimizer: ModuleOptimizer,
    /// Images `[batch, 1, SIDE, SIDE]` and labels `[batch]`.
    batches: Vec<(Tensor<4>, Tensor<1, Int>)>,
    n_steps: usize,
}

impl Burn {
    pub fn new(batch: usize) -> Self {
        let device = &Device::flex().autodiff();
        let images = data::images();
        let labels: Vec<i64> = data::labels().into_iter().map(i64::from).collect();
        let batches = images
            .chunks_exact(batch * SIDE * SIDE)
            .zip(labels.chunks_exact(batch))
            .take(N_IMAGES / batch)
            .map(|(images, labels)| {
                let images = TensorData::new(images.to_vec(), [batch, 1, SIDE, SIDE]);
                let labels = TensorData::new(labels.to_vec(), [batch]);
                (Tensor::from_data(images, device), Tensor::from_data(labels, device))
            })
            .collect();
        // Its default dampening, 0.1, is not what SGD does elsewhere.
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
        Self {
            column: Column::new(device),
            loss: CrossEntropyLossConfig::new().init(device),
            optimizer: SgdConfig::new().with_momentum(Some(momentum)).init(),
            batches,
            n_steps: 0,
        }
    }

    fn step(&mut self) -> Tensor<1> {
        let (images, labels) = self.batches[self.n_steps % self.batches.len()].clone();
        let loss = self.loss.forward(self.column.forward(images), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.column);
        self.column = self.optimizer.step(LEARNING_RATE, self.column.clone(), gradients);
        self.n_steps += 1;
        loss
    }
}

impl Trainer for Burn {
    fn train(&mut self, n_steps: usize) -> Result<f32> {
        let mut loss = self.step();
        for _ in 1..n_steps {
            loss = self.step();
        }
        Ok(loss.into_scalar::<f32>())
    }
}
