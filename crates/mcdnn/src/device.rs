//! What computes, as the command line names it.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// An engine and where it computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Device {
    /// This project's own engine, one column per core; needs no installation
    Cpu,
    /// libtorch on NVIDIA GPUs; trains all columns that fit, in lockstep
    Cuda,
    /// libtorch on the CPU, to compare engines
    LibtorchCpu,
}

impl Device {
    /// Whether its engine is built with libtorch.
    #[must_use]
    pub fn needs_libtorch(self) -> bool {
        self != Device::Cpu
    }

    /// Refuses what this machine cannot have, before anything is fetched or built for it.
    ///
    /// # Errors
    /// For CUDA, when no NVIDIA GPU is seen.
    pub fn check(self) -> Result<()> {
        if self == Device::Cuda && !has_nvidia_gpu() {
            bail!(
                "--device cuda: this machine has no NVIDIA GPU with a driver (no /proc/driver/nvidia, /dev/nvidiactl or \
                 /dev/dxg); use --device cpu"
            );
        }
        Ok(())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
            Device::LibtorchCpu => "libtorch-cpu",
        })
    }
}

/// Whether there is a GPU of NVIDIA's with its driver; under WSL 2 it goes by another name.
#[must_use]
pub fn has_nvidia_gpu() -> bool {
    fs::read_dir("/proc/driver/nvidia/gpus").is_ok_and(|mut gpus| gpus.next().is_some())
        || ["/dev/nvidiactl", "/dev/dxg"].iter().any(|device| Path::new(device).exists())
}

/// Name, memory and driver of every NVIDIA GPU, a line each, where the driver's own program tells.
#[must_use]
pub fn nvidia_gpus() -> Option<Vec<String>> {
    let query = ["--query-gpu=name,memory.total,driver_version,power.limit", "--format=csv,noheader"];
    let output =
        Command::new("nvidia-smi").args(query).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn names_are_those_that_the_command_line_takes() {
        for device in Device::value_variants() {
            assert_eq!(Device::from_str(&device.to_string(), false), Ok(*device));
        }
        assert_eq!(Device::Cuda.check().is_ok(), has_nvidia_gpu());
    }
}
