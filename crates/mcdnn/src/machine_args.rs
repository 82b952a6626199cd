//! The flags that say what trains columns, and how many at a time.

use std::io;
use std::num::NonZeroUsize;
use std::thread;

use anyhow::Result;
use ciresan_cpu::InstructionSet;

use crate::device::Device;
use crate::failure::WithoutLibtorch;
use crate::training::Wanted;

/// A device, and how many columns it trains at the same time.
#[derive(Debug, clap::Args)]
pub(crate) struct MachineArgs {
    /// The device that trains the columns
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Cpu)]
    device: Device,
    /// Columns trained at the same time, one per core; with libtorch, groups of columns [default: one for each core, or GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
}

impl MachineArgs {
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    fn asked_workers(&self) -> Option<NonZeroUsize> {
        self.workers.and_then(|n| NonZeroUsize::new(n.into()))
    }

    /// The number that is asked for, else that of the cores.
    ///
    /// # Errors
    /// When the system does not say how many cores it has.
    pub(crate) fn n_workers(&self) -> io::Result<NonZeroUsize> {
        self.asked_workers().map_or_else(thread::available_parallelism, Ok)
    }

    /// Refuses what this program or this machine cannot have, before anything is downloaded or written for it.
    ///
    /// # Errors
    /// [`WithoutLibtorch`], and those of [`Device::check`].
    pub(crate) fn check(&self) -> Result<()> {
        if self.device.needs_libtorch() && !cfg!(feature = "libtorch") {
            return Err(WithoutLibtorch(self.device).into());
        }
        self.device.check()
    }

    /// The same with what this project's own engine computes with.
    pub(crate) fn wanted(&self, isa: InstructionSet) -> Wanted {
        Wanted { device: self.device, workers: self.asked_workers(), isa }
    }
}
