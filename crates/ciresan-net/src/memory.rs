//! What training takes of a device's memory, predicted.

use crate::{EngineSpec, Layer, Network, Precision};

/// Bytes of a pooling winner's index, as libtorch keeps it.
const INDEX_BYTES: u64 = 8;

impl EngineSpec {
    /// An upper estimate of the memory that a training step of `n_columns` in lockstep takes, with the largest batch, in
    /// bytes.
    ///
    /// It counts what libtorch holds at once: parameters, the optimizer's moments and the gradient, tensor by tensor and
    /// joined, all in f32, with a coarse copy in [`Precision::Bf16`]; and of every image the values between layers, two of
    /// each activation, the winners of poolings, the patches of every convolution laid out as a matrix, and the gradients
    /// of the layer that takes most. Grouped convolutions have no such matrix, but their library's workspace, of which
    /// only it knows the size. An engine that keeps winners only, as `ciresan-cpu` does, takes far less.
    ///
    /// ```
    /// use ciresan_net::{Activation, EngineSpec, Optimizer, Precision};
    ///
    /// let spec = EngineSpec {
    ///     network: "1x29x29-20C4-MP2-40C5-MP3-150N-10N".parse()?,
    ///     activation: Activation::ScaledTanh,
    ///     optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: true },
    ///     precision: Precision::Bf16,
    ///     max_batch: 128,
    ///     skip_below: 0.0,
    /// };
    /// assert_eq!(spec.training_memory(35) / 1_000_000, 1_348);
    /// # Ok::<(), ciresan_net::NotationError>(())
    /// ```
    #[must_use]
    pub fn training_memory(&self, n_columns: usize) -> u64 {
        let Self { network, optimizer, precision, max_batch, .. } = self;
        let is_coarse = *precision == Precision::Bf16;
        let element = if is_coarse { 2 } else { 4 };
        let params = network.n_params() as u64;
        let coarse = if is_coarse { element * params } else { 0 };
        let of_column = 4 * (3 + optimizer.moments().len() as u64) * params + coarse;
        // The images four times: as they come, the next batch's too, joined, and as the first layer takes them.
        let (mut held, mut largest) = (4 * element * network.input().len() as u64, 0);
        for (i, (layer, input, output)) in network.steps().enumerate() {
            let (inputs, outputs) = (input.len() as u64, output.len() as u64);
            let patches = match layer {
                Layer::Convolution { kernel, .. } => {
                    (output.height * output.width) as u64 * (kernel * kernel * input.maps) as u64
                }
                Layer::MaxPooling { .. } | Layer::Dense { .. } => 0,
            };
            let activated = if network.is_activated(i) { 2 * outputs } else { 0 };
            let winners = if matches!(layer, Layer::MaxPooling { .. }) { INDEX_BYTES * outputs } else { 0 };
            held += element * (outputs + activated + patches) + winners;
            largest = largest.max(element * (inputs + outputs + patches));
        }
        let of_images = (held + largest).saturating_mul(*max_batch as u64);
        of_images.saturating_add(of_column).saturating_mul(n_columns as u64)
    }
}

impl Network {
    /// Whether an activation follows the layer with this index: not the output, and of a convolution and its pooling the
    /// pooling alone.
    fn is_activated(&self, layer_idx: usize) -> bool {
        let next = self.layers().get(layer_idx + 1);
        next.is_some_and(|next| !matches!(next, Layer::MaxPooling { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Optimizer};

    fn spec(optimizer: Optimizer, max_batch: usize, precision: Precision) -> EngineSpec {
        let network = "1x29x29-20C4-MP2-40C5-MP3-150N-10N".parse().unwrap();
        EngineSpec {
            network,
            activation: Activation::ScaledTanh,
            optimizer,
            precision,
            max_batch,
            skip_below: 0.0,
        }
    }

    fn paper(n_columns: usize, batch: usize, precision: Precision) -> u64 {
        let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };
        spec(optimizer, batch, precision).training_memory(n_columns)
    }

    #[test]
    fn memory_is_that_of_parameters_and_of_images() {
        assert_eq!(paper(1, 0, Precision::Fp32), 16 * 76_040);
        assert_eq!(paper(3, 0, Precision::Bf16), 3 * 18 * 76_040);
        let adam_w = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        assert_eq!(spec(adam_w, 0, Precision::Fp32).training_memory(2), 2 * 20 * 76_040);
        let patches = 26 * 26 * 16 + 9 * 9 * 500;
        let outputs = 13_520 + 3_380 + 3_240 + 360 + 150 + 10;
        let activated = 2 * (3_380 + 360 + 150);
        let largest = 3_380 + 3_240 + 9 * 9 * 500;
        let an_image = 16 * 841 + 4 * (patches + outputs + activated + largest) + 8 * (3_380 + 360);
        assert_eq!(paper(1, 128, Precision::Tf32), 16 * 76_040 + 128 * an_image);
        assert_eq!(paper(5, 128, Precision::Fp32), 5 * paper(1, 128, Precision::Fp32));
    }

    #[test]
    fn more_than_can_be_counted_is_as_much_as_can() {
        assert_eq!(paper(1, usize::MAX, Precision::Fp32), u64::MAX);
        assert_eq!(paper(usize::MAX, 1, Precision::Bf16), u64::MAX);
    }
}
