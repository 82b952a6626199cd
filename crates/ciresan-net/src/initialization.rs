//! First weights.

use crate::{Activation, ParameterSpec};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How first weights are drawn. Biases always start at zero.
///
/// Serde names them `paper` and `fan-in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Uniform within ±0.05.
    ///
    /// # Source
    /// The habit of the paper's authors in their other work of those years; the paper's MNIST section, as far
    /// as it is at hand, names no initialization.
    Paper,
    /// Normal with standard deviation `gain / √(inputs of a neuron)`; the gain is 1 for the scaled tanh and
    /// √2 for the rectifier, for all layers alike.
    ///
    /// # Source
    /// LeCun et al., Efficient BackProp (1998) for tanh; He et al., Delving Deep into Rectifiers (2015). Not
    /// in the paper.
    FanIn,
}

/// Half the width of [`Initialization::Paper`]'s interval.
const UNIFORM_LIMIT: f32 = 0.05;

impl Initialization {
    /// Draws the weights of one tensor; for a bias there is nothing to draw.
    pub(crate) fn draw(
        self,
        spec: &ParameterSpec,
        activation: Activation,
        rng: &mut impl Rng,
        values: &mut [f32],
    ) {
        if spec.is_bias() {
            values.fill(0.0);
            return;
        }
        match self {
            Self::Paper => values.fill_with(|| UNIFORM_LIMIT * symmetric_uniform(rng)),
            Self::FanIn => {
                let std = (gain_squared(activation) / spec.fan_in() as f64).sqrt();
                // Rounded once, from f64.
                values.fill_with(|| {
                    let normal: f64 = StandardNormal.sample(rng);
                    (std * normal) as f32
                });
            }
        }
    }
}

fn gain_squared(activation: Activation) -> f64 {
    match activation {
        Activation::ScaledTanh => 1.0,
        Activation::Relu => 2.0,
    }
}

/// Uniform in (−1, 1): the odd multiples of 2⁻²⁴ from the upper 24 bits of a draw, each exact in an f32.
fn symmetric_uniform(rng: &mut impl Rng) -> f32 {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    let numerator = 2 * i64::from(rng.next_u32() >> 8) + 1 - (1 << 24);
    numerator as f32 * STEP
}
