//! The network of an engine, and how and where it is computed.

use super::convolution::Convolution;
use super::device::Device;
use crate::{EngineError, EngineSpec, PaperForm, Precision};
use tch::Kind;

/// What all columns of an engine have in common.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) spec: EngineSpec,
    pub(super) form: PaperForm,
    pub(super) device: Device,
    pub(super) convolution: Convolution,
}

impl Model {
    /// # Errors
    /// [`EngineError::NotSupported`] for a network without a paper form, or convolutions that are too coarse.
    pub(super) fn new(
        spec: &EngineSpec,
        device: Device,
        convolution: Convolution,
    ) -> Result<Self, EngineError> {
        let form = spec.network.paper_form()?;
        if (convolution, spec.precision) == (Convolution::Grouped, Precision::Fp32) && device != Device::Cpu {
            let reason =
                "grouped convolutions on a GPU round to tf32, which the precision fp32 excludes".to_owned();
            return Err(EngineError::NotSupported { notation: spec.network.to_string(), reason });
        }
        Ok(Self { spec: spec.clone(), form, device, convolution })
    }

    /// What the first layer takes. What is to be rounded is rounded before it travels.
    pub(super) fn image_kind(&self) -> Kind {
        // A network of the output layer alone has nothing that is coarse.
        let is_coarse = self.spec.precision == Precision::Bf16 && self.spec.network.layers().len() > 1;
        if is_coarse { Kind::BFloat16 } else { Kind::Float }
    }
}
