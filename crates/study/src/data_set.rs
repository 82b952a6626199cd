//! The digits that a study trains and tests on.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Classes of every data set: the ten digits, or ten kinds of clothes.
pub const N_CLASSES: usize = 10;

/// Which digits a study trains and tests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DataSet {
    /// MNIST: 60,000 training and 10,000 test digits.
    Mnist,
    /// Fashion-MNIST: 60,000 and 10,000 images of clothes in the same format.
    FashionMnist,
    /// The embedded sample of MNIST: 400 and 100 digits. Quick and offline, for trying things.
    Sample,
}

impl DataSet {
    /// Training images.
    #[must_use]
    pub const fn n_train(self) -> u32 {
        match self {
            Self::Mnist | Self::FashionMnist => 60_000,
            Self::Sample => 400,
        }
    }

    /// Test images.
    #[must_use]
    pub const fn n_test(self) -> u32 {
        match self {
            Self::Mnist | Self::FashionMnist => 10_000,
            Self::Sample => 100,
        }
    }
}

impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Sample => "sample",
        })
    }
}
