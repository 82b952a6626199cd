//! What trains the columns: an engine, where it computes, and how columns are shared out.

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::thread;

use anyhow::Result;
use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{EngineSpec, Parameters, Precision};
use study::{ColumnId, Manifest, Study};
use trainer::{Mended, RunError, Setup, Summary};

use crate::device::Device as Asked;
#[cfg(not(feature = "libtorch"))]
use crate::failure::WithoutLibtorch;
use crate::numbers::count;

/// What the command line says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) device: Asked,
    /// Groups of columns trained side by side, if that was asked for.
    pub(crate) workers: Option<NonZeroUsize>,
    /// What this project's own engine computes with.
    pub(crate) isa: InstructionSet,
}

/// An engine, and how much of the machine it gets.
#[derive(Debug)]
pub(super) struct Machine {
    /// Name and version.
    pub(super) engine: String,
    /// Where results depend on it.
    pub(super) instruction_set: Option<String>,
    /// What it really computes with.
    pub(super) precision: Precision,
    /// Groups trained side by side.
    pub(super) workers: NonZeroUsize,
    /// Most columns of a group.
    pub(super) group: NonZeroUsize,
    pub(super) threads: NonZeroUsize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Cpu(InstructionSet),
    #[cfg(feature = "libtorch")]
    Libtorch(Vec<ciresan_net::libtorch::Device>),
}

impl Machine {
    /// What is wanted, to work on `n_columns` of the study, at least one.
    ///
    /// # Errors
    /// When this program has no libtorch, or there is no GPU that can be used.
    pub(super) fn choose(wanted: Wanted, study: &Study, n_columns: usize) -> Result<Self> {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        match wanted.device {
            Asked::Cpu => Ok(Self {
                engine: "ciresan-cpu".to_owned(),
                instruction_set: Some(wanted.isa.to_string()),
                // Whatever the config's precision: it is the coarsest that an engine may use.
                precision: Precision::Fp32,
                workers: at_most(wanted.workers.unwrap_or(threads), n_columns),
                group: NonZeroUsize::MIN,
                threads,
                kind: Kind::Cpu(wanted.isa),
            }),
            #[cfg(not(feature = "libtorch"))]
            device => {
                let _ = study;
                Err(WithoutLibtorch(device).into())
            }
            #[cfg(feature = "libtorch")]
            _ => with_libtorch::choose(wanted, study, n_columns, threads),
        }
    }

    /// Makes predictions of finished columns again that are damaged or missing.
    pub(super) fn mend(&self, setup: &Setup<'_>, manifest: &Manifest) -> Vec<(ColumnId, Mended)> {
        match &self.kind {
            Kind::Cpu(isa) => {
                let make = |_: usize, spec: &EngineSpec, columns: &[Parameters]| {
                    CpuEngine::with_isa(spec, columns, *isa)
                };
                trainer::mend(setup, manifest, &make)
            }
            #[cfg(feature = "libtorch")]
            Kind::Libtorch(devices) => {
                use ciresan_net::libtorch::LibtorchEngine;
                let make = |worker: usize, spec: &EngineSpec, columns: &[Parameters]| {
                    LibtorchEngine::on(spec, columns, devices[worker % devices.len()])
                };
                trainer::mend(setup, manifest, &make)
            }
        }
    }

    /// Trains.
    pub(super) fn run(&self, setup: &Setup<'_>) -> Result<Summary, RunError> {
        match &self.kind {
            Kind::Cpu(isa) => {
                let make = |_: usize, spec: &EngineSpec, columns: &[Parameters]| {
                    CpuEngine::with_isa(spec, columns, *isa)
                };
                trainer::run(setup, &make)
            }
            #[cfg(feature = "libtorch")]
            Kind::Libtorch(devices) => {
                use ciresan_net::libtorch::LibtorchEngine;
                let make = |worker: usize, spec: &EngineSpec, columns: &[Parameters]| {
                    LibtorchEngine::on(spec, columns, devices[worker % devices.len()])
                };
                trainer::run(setup, &make)
            }
        }
    }

    /// The GPUs that it computes on.
    pub(super) fn gpu(&self) -> Option<String> {
        match &self.kind {
            Kind::Cpu(_) => None,
            #[cfg(feature = "libtorch")]
            Kind::Libtorch(devices) => {
                use ciresan_net::libtorch::Device;
                let gpus = devices.iter().filter(|device| **device != Device::Cpu).count();
                (gpus > 0).then(|| count(gpus, "NVIDIA GPU"))
            }
        }
    }
}

/// `ciresan-cpu avx2 fp32, 2 workers` or `libtorch 2.11.0 bf16 (cuda:0), 1 worker, up to 35 columns in lockstep`
impl Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.engine)?;
        if let Some(instruction_set) = &self.instruction_set {
            write!(f, "{instruction_set} ")?;
        }
        write!(f, "{}, {}", self.precision, count(self.workers.get(), "worker"))?;
        if self.group.get() > 1 {
            write!(f, ", up to {} columns in lockstep", self.group)?;
        }
        Ok(())
    }
}

fn at_most(n: NonZeroUsize, limit: usize) -> NonZeroUsize {
    NonZeroUsize::new(limit).map_or(n, |limit| n.min(limit))
}

#[cfg(feature = "libtorch")]
mod with_libtorch {
    //! Groups for libtorch, as large as the memory allows.

    use super::*;
    use anyhow::{Context, bail};
    use ciresan_net::EngineError;
    use ciresan_net::installation::LIBTORCH_VERSION;
    use ciresan_net::libtorch::{Device, n_gpus};

    pub(super) fn choose(
        wanted: Wanted,
        study: &Study,
        n_columns: usize,
        threads: NonZeroUsize,
    ) -> Result<Machine> {
        let devices: Vec<Device> = match wanted.device {
            Asked::Cuda => (0..n_gpus().context("--device cuda")?).map(Device::Cuda).collect(),
            _ => vec![Device::Cpu],
        };
        let most_workers = match wanted.device {
            Asked::Cuda => NonZeroUsize::new(devices.len()).unwrap_or(NonZeroUsize::MIN),
            _ => threads,
        };
        let asked_for = match (wanted.device, wanted.workers) {
            // More workers than GPUs would share memory that each has counted as its own.
            (Asked::Cuda, Some(workers)) => workers.min(most_workers),
            (_, Some(workers)) => workers,
            (_, None) => most_workers,
        };
        let workers = at_most(asked_for, n_columns);
        let mut group = n_columns.div_ceil(workers.get());
        let spec = study.engine_spec();
        let bytes = |n| spec.training_memory(n);
        for device in devices.iter().take(workers.get()) {
            group = match most_that_fit(group, |n| device.has_room_for(bytes(n)))? {
                Some(fit) => fit,
                None => bail!(
                    "{device}: one column of {} in batches of {} takes about {} MB to train, which it has not free",
                    study.network,
                    study.batch,
                    bytes(1).div_ceil(1_000_000)
                ),
            };
        }
        let precision = match (wanted.device, study.precision) {
            (Asked::LibtorchCpu, Precision::Tf32) => Precision::Fp32,
            (_, precision) => precision,
        };
        Ok(Machine {
            engine: format!("libtorch {LIBTORCH_VERSION}"),
            instruction_set: None,
            precision,
            workers,
            group: NonZeroUsize::new(group).unwrap_or(NonZeroUsize::MIN),
            threads,
            kind: Kind::Libtorch(devices),
        })
    }

    /// The most columns, up to `most`, that `fit`.
    fn most_that_fit(
        most: usize,
        fit: impl Fn(usize) -> Result<bool, EngineError>,
    ) -> Result<Option<usize>, EngineError> {
        for n_columns in (1..=most).rev() {
            if fit(n_columns)? {
                return Ok(Some(n_columns));
            }
        }
        Ok(None)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn as_many_columns_as_fit_train_together() {
            let with_room = |room| move |n: usize| Ok(n * 40 <= room);
            assert_eq!(most_that_fit(35, with_room(2_000)), Ok(Some(35)));
            assert_eq!(most_that_fit(35, with_room(500)), Ok(Some(12)));
            assert_eq!(most_that_fit(35, with_room(39)), Ok(None));
            let gone = || EngineError::Device { device: "cuda:0".to_owned(), reason: "gone".to_owned() };
            assert_eq!(most_that_fit(35, |_| Err(gone())), Err(gone()));
        }
    }
}
