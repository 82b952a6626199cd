//! A network: its layers, the shapes between them, and what it costs.

use crate::{Activation, NotationError, notation};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The values of one image between two layers: `maps` planes of `height` rows and `width` columns, in that
/// order.
///
/// After a dense layer the neurons are the maps, of one pixel each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Planes; 1 for a grey image.
    pub maps: usize,
    /// Rows of a plane.
    pub height: usize,
    /// Columns of a plane.
    pub width: usize,
}

impl Shape {
    /// Number of values: `maps · height · width`, at least 1 in a [`Network`].
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a shape of a network is never empty")]
    pub fn len(self) -> usize {
        self.maps * self.height * self.width
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.maps, self.height, self.width)
    }
}

/// One layer, as the notation writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// `20C4`: every output map sums a `kernel × kernel` patch of every input map and a bias, at every
    /// position where the patch lies within the input (stride 1, no padding). Kernels are not flipped, as in
    /// libtorch. Then the activation.
    Convolution {
        /// Output maps.
        maps: usize,
        /// Side of the square kernel, in pixels.
        kernel: usize,
    },
    /// `MP2`: the maximum of every `size × size` window; windows do not overlap, and rows and columns at the
    /// end that fill no window are left out, as in libtorch. No activation. Of equal values the first in
    /// row-major order wins and takes the whole gradient.
    MaxPooling {
        /// Side of the square window, in pixels.
        size: usize,
    },
    /// `150N`: every neuron sums all values, in the order maps, rows, columns, and a bias. Then the
    /// activation; the last layer has a softmax over the classes instead.
    Dense {
        /// Outputs.
        neurons: usize,
    },
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Convolution { maps, kernel } => write!(f, "{maps}C{kernel}"),
            Self::MaxPooling { size } => write!(f, "MP{size}"),
            Self::Dense { neurons } => write!(f, "{neurons}N"),
        }
    }
}

/// A network in the paper's notation: an input, convolutions and max-poolings, then dense layers, the last of
/// which has a neuron a class.
///
/// Read it with [`str::parse`]; [`Display`](fmt::Display) gives the very same text back. Serde stores it as
/// that text.
///
/// ```
/// let network: ciresan_net::Network = "1x29x29-20C4-MP2-40C5-MP3-150N-10N".parse()?;
/// assert_eq!(network.n_params(), 76_040);
/// assert_eq!(network.to_string(), "1x29x29-20C4-MP2-40C5-MP3-150N-10N");
/// # Ok::<(), ciresan_net::NotationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    input: Shape,
    layers: Vec<Layer>,
    shapes: Vec<Shape>,
}

impl Network {
    /// Only the parser calls this: it has checked that `shapes` follow from `input` and `layers`.
    pub(crate) fn from_checked(input: Shape, layers: Vec<Layer>, shapes: Vec<Shape>) -> Self {
        Self { input, layers, shapes }
    }

    /// Shape of an image.
    #[must_use]
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The layers, first to last. The last is [`Layer::Dense`].
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Output shape of every layer, one for each of [`layers`](Self::layers).
    #[must_use]
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Neurons of the last layer: 2 to 256.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.shapes.last().map_or(0, |shape| shape.maps)
    }

    /// Every layer with its input and output shape.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (Layer, Shape, Shape)> {
        let inputs = std::iter::once(self.input).chain(self.shapes.iter().copied());
        self.layers
            .iter()
            .zip(inputs)
            .zip(&self.shapes)
            .map(|((&layer, input), &output)| (layer, input, output))
    }

    /// Weights and biases in all.
    #[must_use]
    pub fn n_params(&self) -> usize {
        self.steps().map(|(layer, input, _)| n_params(layer, input)).sum()
    }

    /// Values that pass from layer to layer for one image, the input included; a convolution that is pooled
    /// right away counts after its pooling.
    ///
    /// # Source
    /// The count of the Theano project: 4,741 for the paper's network.
    #[must_use]
    pub fn n_activations(&self) -> usize {
        let pooled = self.layers.iter().skip(1).map(|next| matches!(next, Layer::MaxPooling { .. }));
        let kept = self
            .steps()
            .zip(pooled.chain([false]))
            .filter(|&((layer, ..), pooled)| !(pooled && matches!(layer, Layer::Convolution { .. })));
        self.input.len() + kept.map(|((_, _, output), _)| output.len()).sum::<usize>()
    }

    /// Multiply-adds of the forward pass of one image, every position of every convolution computed; biases,
    /// maxima and activations are not counted.
    #[must_use]
    pub fn multiply_adds(&self) -> u64 {
        self.steps()
            .map(|(layer, input, output)| match layer {
                Layer::Convolution { kernel, .. } => {
                    output.len() as u64 * (input.maps * kernel * kernel) as u64
                }
                Layer::MaxPooling { .. } => 0,
                Layer::Dense { neurons } => neurons as u64 * input.len() as u64,
            })
            .sum()
    }

    /// The activation after the layer with this index: none after a max-pooling and after the output layer.
    #[must_use]
    pub fn activation_after(&self, layer_idx: usize, activation: Activation) -> Option<Activation> {
        match self.layers.get(layer_idx)? {
            Layer::MaxPooling { .. } => None,
            Layer::Dense { .. } if layer_idx + 1 == self.layers.len() => None,
            Layer::Convolution { .. } | Layer::Dense { .. } => Some(activation),
        }
    }
}

fn n_params(layer: Layer, input: Shape) -> usize {
    match layer {
        Layer::Convolution { maps, kernel } => maps * input.maps * kernel * kernel + maps,
        Layer::MaxPooling { .. } => 0,
        Layer::Dense { neurons } => neurons * input.len() + neurons,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.input)?;
        self.layers.iter().try_for_each(|layer| write!(f, "-{layer}"))
    }
}

impl FromStr for Network {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        notation::parse(text)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn the_papers_network_has_the_papers_counts() {
        let paper = network("1x29x29-20C4-MP2-40C5-MP3-150N-10N");
        assert_eq!(paper.n_params(), 76_040);
        assert_eq!(paper.n_activations(), 4_741);
        // 26·26·20·16 + 9·9·40·500 + 360·150 + 150·10
        assert_eq!(paper.multiply_adds(), 1_891_820);
        assert_eq!(paper.classes(), 10);
        let shapes: Vec<_> = paper.shapes().iter().map(ToString::to_string).collect();
        assert_eq!(shapes, ["20x26x26", "20x13x13", "40x9x9", "40x3x3", "150x1x1", "10x1x1"]);
    }

    #[test]
    fn pooling_floors() {
        let shapes = network("1x12x11-5C3-MP3-10N").shapes().to_vec();
        assert_eq!(shapes[0], Shape { maps: 5, height: 10, width: 9 });
        assert_eq!(shapes[1], Shape { maps: 5, height: 3, width: 3 });
    }

    #[test]
    fn a_convolution_without_pooling_counts_as_activations() {
        assert_eq!(network("1x4x4-2C2-3N").n_activations(), 16 + 18 + 3);
        assert_eq!(network("1x4x4-MP2-3N").n_activations(), 16 + 4 + 3);
    }

    #[test]
    fn activations_follow_convolutions_and_hidden_layers_only() {
        let small = network("1x4x4-2C2-MP3-5N-3N");
        let after: Vec<_> = (0..5).map(|i| small.activation_after(i, Activation::Relu)).collect();
        assert_eq!(after, [Some(Activation::Relu), None, Some(Activation::Relu), None, None]);
    }

    #[test]
    fn serde_stores_the_notation() {
        let json = serde_json::to_string(&network("1x4x4-2C2-3N")).unwrap();
        assert_eq!(json, "\"1x4x4-2C2-3N\"");
        assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), network("1x4x4-2C2-3N"));
        let error = serde_json::from_str::<Network>("\"1x4x4-2C5-3N\"").unwrap_err().to_string();
        assert!(error.contains("\"2C5\""), "{error}");
    }
}
