//! Where libtorch computes, and what its failures become.

use super::gpus::n_gpus;
use super::loaded::loaded_version;
use crate::EngineError;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use tch::TchError;

/// Where an engine computes.
///
/// [`Display`](fmt::Display) and [`str::parse`] name them `cpu`, `cuda:0`, `cuda:1` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// The CPU: one thread an engine.
    Cpu,
    /// The NVIDIA GPU with this index, as CUDA counts those it can see.
    Cuda(usize),
}

impl Device {
    /// # Errors
    /// [`EngineError::Device`] when it cannot be used, or the program has started with another libtorch than it was
    /// built for.
    pub(super) fn check(self) -> Result<(), EngineError> {
        static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
        let loaded = LOADED.get_or_init(|| loaded_version().map(drop).map_err(|error| error.to_string()));
        let refuse = |reason| Err(EngineError::Device { device: self.to_string(), reason });
        if let Err(reason) = loaded {
            return refuse(reason.clone());
        }
        match self {
            Self::Cpu => Ok(()),
            Self::Cuda(index) => match n_gpus() {
                Ok(n) if index < n => Ok(()),
                Ok(n) => refuse(format!("no such GPU, expected an index less than {n}")),
                Err(error) => refuse(error.to_string()),
            },
        }
    }

    /// Whether `bytes` of memory can be had now, by asking for them and giving them back.
    ///
    /// On a GPU what was asked for stays with libtorch, which makes the tensors of this process from it. The CPU always says yes unless no allocator could: its system hands out memory that it may not have.
    ///
    /// # Errors
    /// [`EngineError::Device`] when the device cannot be used.
    pub fn has_room_for(self, bytes: u64) -> Result<bool, EngineError> {
        self.check()?;
        let Ok(bytes) = i64::try_from(bytes) else { return Ok(false) };
        match tch::Tensor::f_empty([bytes], (tch::Kind::Uint8, self.into())) {
            Ok(_) => Ok(true),
            Err(error) => match self.failure(error) {
                EngineError::OutOfMemory { .. } => Ok(false),
                error => Err(error),
            },
        }
    }

    /// What a failure of libtorch on this device is to callers.
    pub(super) fn failure(self, error: TchError) -> EngineError {
        let text = error.to_string();
        // What follows the first line is a C++ stack trace.
        let reason = text.lines().next().unwrap_or_default().to_owned();
        let device = self.to_string();
        // libtorch's words for it: of its allocator for CUDA, and of that for the CPU.
        let of_memory = ["out of memory", "can't allocate memory", "not enough memory"];
        if of_memory.iter().any(|words| text.contains(words)) {
            EngineError::OutOfMemory { device, reason }
        } else {
            EngineError::Device { device, reason }
        }
    }
}

/// One thread for what libtorch computes on the CPU: the setting belongs to the calling thread, more threads would change
/// the order of sums, and rayon's threads have work of their own each.
pub(super) fn compute_on_this_thread_alone() {
    if tch::get_num_threads() != 1 {
        tch::set_num_threads(1);
    }
}

impl From<Device> for tch::Device {
    fn from(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Cpu,
            Device::Cuda(index) => Self::Cuda(index),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("device {got:?}, expected \"cpu\" or \"cuda:0\", \"cuda:1\", …")]
pub struct DeviceError {
    got: String,
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let index = text.strip_prefix("cuda:").and_then(|index| index.parse().ok());
        let device = if text == "cpu" { Some(Self::Cpu) } else { index.map(Self::Cuda) };
        device.filter(|device| device.to_string() == text).ok_or_else(|| DeviceError { got: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for device in [Device::Cpu, Device::Cuda(0), Device::Cuda(12)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for text in ["", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:+1", "cuda:01", "CPU"] {
            let error = text.parse::<Device>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("device {text:?}, expected \"cpu\"")), "{error}");
        }
    }

    #[test]
    fn memory_that_no_machine_has_is_refused_in_one_line() {
        assert_eq!(Device::Cpu.has_room_for(1 << 20), Ok(true));
        assert_eq!(Device::Cpu.has_room_for(1 << 61), Ok(false));
        assert_eq!(Device::Cpu.has_room_for(u64::MAX), Ok(false));
        let error = tch::Tensor::f_empty([1 << 61], (tch::Kind::Uint8, tch::Device::Cpu)).unwrap_err();
        match Device::Cpu.failure(error) {
            EngineError::OutOfMemory { device, reason } => {
                assert_eq!(device, "cpu");
                assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_is_refused() {
        let index = n_gpus().unwrap_or(0);
        let error = Device::Cuda(index).check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("cuda:{index}: ")), "{error}");
        assert!(Device::Cuda(index).has_room_for(1).is_err());
    }
}
