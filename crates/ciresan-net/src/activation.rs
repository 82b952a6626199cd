//! Activation functions.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What follows convolutions and hidden dense layers. The output layer has a softmax instead, max-poolings
/// have none.
///
/// Serde and [`Display`](fmt::Display) name them `scaled-tanh` and `relu`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `1.7159 · tanh(2x/3)`, the paper's.
    ScaledTanh,
    /// `max(x, 0)`; not in the paper.
    Relu,
}

impl Activation {
    /// Amplitude of [`ScaledTanh`](Self::ScaledTanh).
    pub const TANH_AMPLITUDE: f64 = 1.7159;

    /// Factor of the argument of [`ScaledTanh`](Self::ScaledTanh).
    pub const TANH_SLOPE: f64 = 2.0 / 3.0;

    /// The function itself. A NaN gives a NaN.
    #[must_use]
    pub fn apply_f64(self, x: f64) -> f64 {
        match self {
            Self::ScaledTanh => Self::TANH_AMPLITUDE * (Self::TANH_SLOPE * x).tanh(),
            Self::Relu if x <= 0.0 => 0.0,
            Self::Relu => x,
        }
    }

    /// The derivative at `x`, from `y = apply_f64(x)`; at the kink of the rectifier 0.
    ///
    /// With A = 1.7159 and S = 2/3 the derivative of A·tanh(S·x) is A·S·(1 − tanh²(S·x)) = S/A·(A² − y²).
    #[must_use]
    pub fn derivative_from_output_f64(self, y: f64) -> f64 {
        const A: f64 = Activation::TANH_AMPLITUDE;
        match self {
            Self::ScaledTanh => Self::TANH_SLOPE / A * (A - y) * (A + y),
            Self::Relu if y <= 0.0 => 0.0,
            Self::Relu => 1.0,
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScaledTanh => "scaled-tanh",
            Self::Relu => "relu",
        })
    }
}

/// A text that names no activation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("activation {got:?}, expected \"scaled-tanh\" or \"relu\"")]
pub struct ActivationError {
    got: String,
}

impl FromStr for Activation {
    type Err = ActivationError;

    fn from_str(text: &str) -> Result<Self, ActivationError> {
        [Self::ScaledTanh, Self::Relu]
            .into_iter()
            .find(|activation| activation.to_string() == text)
            .ok_or_else(|| ActivationError { got: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_tanh_is_nearly_the_identity_at_one() {
        // The constants are chosen so that ±1 map to ±1: LeCun et al., Efficient BackProp (1998), section
        // 4.4.
        for x in [1.0, -1.0] {
            let y = Activation::ScaledTanh.apply_f64(x);
            assert!((y - x).abs() < 1e-4, "{y}");
        }
        assert!((Activation::ScaledTanh.apply_f64(100.0) - 1.7159).abs() <= f64::EPSILON);
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        for activation in [Activation::ScaledTanh, Activation::Relu] {
            for i in -30..30 {
                let (x, h) = (0.1 * f64::from(i) + 0.05, 1e-6);
                let numeric = (activation.apply_f64(x + h) - activation.apply_f64(x - h)) / (2.0 * h);
                let got = activation.derivative_from_output_f64(activation.apply_f64(x));
                // Rounding 2·1.7·ε/(2h) ≈ 4e-10, truncation h²/6·|f'''| ≈ 2e-13.
                assert!((got - numeric).abs() < 1e-9, "{activation} at {x}: {got} and {numeric}");
            }
        }
    }

    #[test]
    fn the_kink_has_no_gradient_and_nan_passes() {
        assert_eq!(Activation::Relu.derivative_from_output_f64(0.0).to_bits(), 0.0_f64.to_bits());
        for activation in [Activation::ScaledTanh, Activation::Relu] {
            assert!(activation.apply_f64(f64::NAN).is_nan());
        }
    }

    #[test]
    fn names_are_those_of_serde() {
        for activation in [Activation::ScaledTanh, Activation::Relu] {
            assert_eq!(serde_json::to_string(&activation).unwrap(), format!("\"{activation}\""));
            assert_eq!(activation.to_string().parse(), Ok(activation));
        }
        let error = "tanh".parse::<Activation>().unwrap_err().to_string();
        assert_eq!(error, "activation \"tanh\", expected \"scaled-tanh\" or \"relu\"");
    }
}
