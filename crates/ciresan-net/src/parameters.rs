//! Named parameters in one flat vector.

use crate::{Activation, Initialization, Layer, Network};
use rand::Rng;
use std::ops::Range;
use std::sync::Arc;

/// One tensor among the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParameterSpec {
    /// `conv1.weight`, `conv1.bias`, `conv2.weight`, …, `dense1.weight`, `dense1.bias`, …
    pub name: String,
    /// `[maps, input maps, kernel rows, kernel columns]` of a convolution, `[outputs, inputs]` of a dense
    /// layer, `[outputs]` of a bias. The last axis is contiguous.
    pub shape: Vec<usize>,
    /// Where its values stand among all.
    pub range: Range<usize>,
}

impl ParameterSpec {
    /// Whether this is a bias; otherwise it is a weight.
    #[must_use]
    pub fn is_bias(&self) -> bool {
        self.shape.len() == 1
    }

    /// Inputs that each output sums, for a weight; 1 for a bias.
    #[must_use]
    pub fn fan_in(&self) -> usize {
        self.shape[1..].iter().product()
    }
}

/// Weights and biases of one column, or values that belong to them one by one, as an optimizer's state does.
///
/// # Shapes
/// One flat vector of [`Network::n_params`] values: layer by layer the weight, then the bias, as
/// [`layout`](Self::layout) lists them. The inputs of the first dense layer are ordered maps, rows, columns,
/// as libtorch flattens NCHW.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    layout: Arc<[ParameterSpec]>,
    values: Vec<f32>,
}

impl Parameters {
    /// All zero.
    #[must_use]
    pub fn zeros(network: &Network) -> Self {
        Self { layout: Self::layout_of(network), values: vec![0.0; network.n_params()] }
    }

    /// First weights, drawn tensor by tensor in the order of the [`layout`](Self::layout), and zero biases.
    ///
    /// The same generator in the same state gives the same bits. `activation` sets the spread of
    /// [`Initialization::FanIn`] and is not looked at by [`Initialization::Paper`].
    #[must_use]
    pub fn init(
        network: &Network,
        activation: Activation,
        initialization: Initialization,
        rng: &mut impl Rng,
    ) -> Self {
        let mut parameters = Self::zeros(network);
        for spec in parameters.layout.iter() {
            initialization.draw(spec, activation, rng, &mut parameters.values[spec.range.clone()]);
        }
        parameters
    }

    /// Name, shape and place of every tensor.
    #[must_use]
    pub fn layout(&self) -> &[ParameterSpec] {
        &self.layout
    }

    /// All values.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values of the tensor with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let spec = self.layout.iter().find(|spec| spec.name == name)?;
        Some(&self.values[spec.range.clone()])
    }

    /// Whether these can be parameters of `network`: the same names and shapes in the same order.
    #[must_use]
    pub fn fits(&self, network: &Network) -> bool {
        self.layout == Self::layout_of(network)
    }

    /// The layout that parameters of `network` have.
    pub(crate) fn layout_of(network: &Network) -> Arc<[ParameterSpec]> {
        let mut specs: Vec<ParameterSpec> = Vec::new();
        let (mut n_convs, mut n_dense, mut start) = (0, 0, 0);
        let mut push = |name: String, shape: Vec<usize>| {
            let range = start..start + shape.iter().product::<usize>();
            start = range.end;
            specs.push(ParameterSpec { name, shape, range });
        };
        for (layer, input, _) in network.steps() {
            match layer {
                Layer::Convolution { maps, kernel } => {
                    n_convs += 1;
                    push(format!("conv{n_convs}.weight"), vec![maps, input.maps, kernel, kernel]);
                    push(format!("conv{n_convs}.bias"), vec![maps]);
                }
                Layer::MaxPooling { .. } => {}
                Layer::Dense { neurons } => {
                    n_dense += 1;
                    push(format!("dense{n_dense}.weight"), vec![neurons, input.len()]);
                    push(format!("dense{n_dense}.bias"), vec![neurons]);
                }
            }
        }
        specs.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn the_layout_is_weights_and_biases_layer_by_layer() {
        let parameters = Parameters::zeros(&network("1x29x29-20C4-MP2-40C5-MP3-150N-10N"));
        let layout: Vec<_> = parameters
            .layout()
            .iter()
            .map(|spec| (spec.name.as_str(), spec.shape.clone(), spec.range.clone()))
            .collect();
        assert_eq!(
            layout,
            [
                ("conv1.weight", vec![20, 1, 4, 4], 0..320),
                ("conv1.bias", vec![20], 320..340),
                ("conv2.weight", vec![40, 20, 5, 5], 340..20_340),
                ("conv2.bias", vec![40], 20_340..20_380),
                ("dense1.weight", vec![150, 360], 20_380..74_380),
                ("dense1.bias", vec![150], 74_380..74_530),
                ("dense2.weight", vec![10, 150], 74_530..76_030),
                ("dense2.bias", vec![10], 76_030..76_040),
            ]
        );
        assert_eq!(parameters.values().len(), 76_040);
        let fan_in: Vec<_> = parameters.layout().iter().map(ParameterSpec::fan_in).collect();
        assert_eq!(fan_in, [16, 1, 500, 1, 360, 1, 150, 1]);
    }

    #[test]
    fn tensors_are_found_by_name() {
        let mut parameters = Parameters::zeros(&network("1x3x3-2C2-3N"));
        parameters.values_mut()[8] = 1.5;
        assert_eq!(parameters.get("conv1.bias"), Some(&[1.5, 0.0][..]));
        assert_eq!(parameters.get("conv2.bias"), None);
    }

    #[test]
    fn parameters_fit_networks_of_the_same_layout() {
        let parameters = Parameters::zeros(&network("1x3x3-2C2-3N"));
        assert!(parameters.fits(&network("1x3x3-2C2-3N")));
        assert!(parameters.fits(&network("1x3x3-2C2-MP1-3N")));
        assert!(!parameters.fits(&network("1x3x3-2C2-4N")));
    }

    fn init(activation: Activation, initialization: Initialization, seed: u64) -> Parameters {
        let network = network("1x29x29-20C4-MP2-40C5-MP3-150N-10N");
        Parameters::init(&network, activation, initialization, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    /// Mean and mean square of a tensor.
    fn moments(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        (mean, values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn first_weights_have_their_spread_and_biases_are_zero() {
        for (activation, initialization, gain) in [
            (Activation::ScaledTanh, Initialization::FanIn, Some(1.0)),
            (Activation::Relu, Initialization::FanIn, Some(2.0)),
            (Activation::Relu, Initialization::Paper, None),
        ] {
            let parameters = init(activation, initialization, 3);
            for spec in parameters.layout() {
                let values = parameters.get(&spec.name).unwrap();
                if spec.is_bias() {
                    assert!(values.iter().all(|value| value.to_bits() == 0), "{}", spec.name);
                    continue;
                }
                let (n, (mean, square)) = (values.len() as f64, moments(values));
                // Of n draws of variance s² the mean spreads by s/√n and the mean square by at most
                // s²·√(2/n); six times that is one case in 10⁹.
                let variance = gain.map_or(0.05 * 0.05 / 3.0, |gain| gain / spec.fan_in() as f64);
                assert!(mean.abs() < 6.0 * (variance / n).sqrt(), "{}: mean {mean}", spec.name);
                let spread = (square / variance - 1.0).abs();
                assert!(spread < 6.0 * (2.0 / n).sqrt(), "{}: mean square {square}", spec.name);
                if gain.is_none() {
                    assert!(values.iter().all(|value| value.abs() < 0.05), "{}", spec.name);
                }
            }
        }
    }

    #[test]
    fn the_seed_decides_every_bit() {
        let first = init(Activation::Relu, Initialization::FanIn, 3);
        assert_eq!(first, init(Activation::Relu, Initialization::FanIn, 3));
        assert_ne!(first, init(Activation::Relu, Initialization::FanIn, 4));
    }

    #[track_caller]
    fn check_first_draws(initialization: Initialization, tensor: &str, want: [f32; 3]) {
        let parameters = init(Activation::Relu, initialization, 2012);
        assert_eq!(parameters.get(tensor).unwrap()[..3], want);
    }

    /// Written down from the first version: a change would change every study.
    #[test]
    fn golden_first_draws() {
        check_first_draws(
            Initialization::Paper,
            "conv1.weight",
            [0.014_401_785, -0.022_196_684, 0.040_328_316],
        );
        check_first_draws(
            Initialization::Paper,
            "dense2.weight",
            [0.039_190_643, 0.005_699_489, -0.017_848_71],
        );
        check_first_draws(Initialization::FanIn, "conv1.weight", [-0.261_616_14, 0.938_389_4, 0.948_238_1]);
        check_first_draws(
            Initialization::FanIn,
            "dense2.weight",
            [0.131_451_16, 0.242_456_88, -0.310_243_16],
        );
    }
}
