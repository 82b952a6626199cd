//! How coarsely an engine may round what it multiplies.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The coarsest rounding that an engine may give the operands of convolutions and matrix products, and with them
/// biases and what passes from layer to layer; it may round less.
///
/// Parameters and the optimizer's state, the sums of products, the loss and the update are f32 at least, whatever the
/// precision. Serde and [`Display`](fmt::Display) name them `fp32`, `tf32` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 24 bits: operands as they are.
    Fp32,
    /// 11 bits with the exponents of f32: what tensor cores of NVIDIA make of f32 operands.
    Tf32,
    /// 8 bits with the exponents of f32.
    Bf16,
}

impl Precision {
    /// All of them, finest first.
    pub const ALL: [Self; 3] = [Self::Fp32, Self::Tf32, Self::Bf16];
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}

/// A text that names no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("precision {got:?}, expected \"fp32\", \"tf32\" or \"bf16\"")]
pub struct PrecisionError {
    got: String,
}

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.to_string() == text)
            .ok_or_else(|| PrecisionError { got: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_serde() {
        for precision in Precision::ALL {
            assert_eq!(serde_json::to_string(&precision).unwrap(), format!("\"{precision}\""));
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        let error = "fp16".parse::<Precision>().unwrap_err().to_string();
        assert_eq!(error, "precision \"fp16\", expected \"fp32\", \"tf32\" or \"bf16\"");
    }
}
