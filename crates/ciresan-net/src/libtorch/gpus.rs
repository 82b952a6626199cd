//! The NVIDIA GPUs that libtorch can use, or why there is none.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::Library;

use super::{cuda_library, loaded};
use crate::installation::{self, InstallationError};

/// libtorch's part for GPUs.
const CUDA_LIBRARY: &str = "libtorch_cuda.so";

/// What libtorch reaches the run-time compiler (NVRTC) through. It needs the driver.
const COMPILER_LIBRARY: &str = "libcaffe2_nvrtc.so";

/// Where the kernel module of NVIDIA's driver tells its version.
const DRIVER: &str = "/proc/driver/nvidia/version";

/// The driver's part for programs, which comes with the driver and not with libtorch.
const DRIVER_LIBRARY: &str = "libcuda.so.1";

/// The number of GPUs that libtorch can use, at least 1.
///
/// The first call loads `libtorch_cuda.so` from beside `libtorch_cpu.so`. It must come before any other question to
/// libtorch about CUDA, whose first answer stays. Where there is a GPU, it loads NVRTC too,
/// which a libtorch for GPUs always has.
///
/// # Errors
/// A [`GpuError`] that says what is missing.
pub fn n_gpus() -> Result<usize, GpuError> {
    static CUDA: OnceLock<Library> = OnceLock::new();
    static COMPILER: OnceLock<Library> = OnceLock::new();
    load(CUDA_LIBRARY, &CUDA)?;
    match tch::Cuda::device_count() {
        ..=0 => Err(no_gpu(read_driver(Path::new(DRIVER)), load_by_name(DRIVER_LIBRARY))),
        n => {
            // cuDNN and cuBLAS open NVRTC by its name when they first compile a kernel. NVRTC then opens the other half of
            // itself, which lies beside it, by name too, and has no path to it; loaded by a library that has one, it finds it.
            load(COMPILER_LIBRARY, &COMPILER)?;
            Ok(usize::try_from(n).unwrap_or(usize::MAX))
        }
    }
}

/// Why libtorch can use no GPU.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The system does not report where libtorch is loaded from.
    #[error("no GPU on {}: libtorch's CUDA can be loaded on Linux only", std::env::consts::OS)]
    System,
    /// The loaded libtorch is another version.
    #[error(transparent)]
    Version(#[from] InstallationError),
    /// The loaded libtorch has no part for GPUs.
    #[error("{folder}: this libtorch is for CPUs only; expected {CUDA_LIBRARY} there")]
    CpuOnly {
        /// The folder of its libraries.
        folder: PathBuf,
    },
    /// A library of the part for GPUs cannot be loaded.
    #[error("{path}: cannot be loaded ({reason})")]
    Load {
        /// The library.
        path: PathBuf,
        /// What the system's loader said, usually which other library it misses.
        reason: String,
    },
    /// The machine has no driver.
    #[error("this machine has no NVIDIA driver ({DRIVER} does not exist), which CUDA needs")]
    NoDriver,
    /// The kernel has the driver, but programs do not: a container's usual trouble.
    #[error(
        "{DRIVER_LIBRARY} cannot be loaded ({reason}) although the kernel has a driver ({driver}): install the driver's \
         libraries, or let the container have the GPUs"
    )]
    NoDriverLibrary {
        /// The driver's own words about its version.
        driver: String,
        /// What the system's loader said.
        reason: String,
    },
    /// There is a driver, but no GPU that it lets this program use.
    #[error(
        "CUDA finds no GPU although there is a driver ({driver}): it may be older than libtorch's CUDA, or \
         CUDA_VISIBLE_DEVICES hides the GPUs"
    )]
    NoDevice {
        /// The driver's own words about its version.
        driver: String,
    },
}

/// Loads a library from beside the loaded `libtorch_cpu.so`, unless it is kept already, and keeps it.
fn load(name: &str, kept: &OnceLock<Library>) -> Result<(), GpuError> {
    if kept.get().is_some() {
        return Ok(());
    }
    loaded::loaded_version()?;
    let folder = loaded::library_folder().ok_or(GpuError::System)?;
    let library = load_from(folder, name)?;
    // Of two threads at once the second has opened the same library again, and closes that handle.
    drop(kept.set(library));
    Ok(())
}

fn load_from(folder: PathBuf, name: &str) -> Result<Library, GpuError> {
    let path = folder.join(CUDA_LIBRARY);
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(GpuError::CpuOnly { folder }),
        Err(source) => return Err(installation::InstallationError::Io { path, source }.into()),
    }
    let path = folder.join(name);
    cuda_library::load(&path).map_err(|error| GpuError::Load { path, reason: reason(&error) })
}

/// Whether the system finds a library by its name, or what its loader said.
fn load_by_name(name: &str) -> Result<(), String> {
    cuda_library::load(Path::new(name)).map(drop).map_err(|error| reason(&error))
}

/// The crate's own words are "dlopen failed"; the loader's are their source.
fn reason(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The driver's version, as it tells it; `None` without one.
fn read_driver(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_gpu(driver: io::Result<Option<String>>, library: Result<(), String>) -> GpuError {
    match (driver, library) {
        (Ok(None), _) => GpuError::NoDriver,
        (Ok(Some(driver)), Err(reason)) => GpuError::NoDriverLibrary { driver, reason },
        (Ok(Some(driver)), Ok(())) => GpuError::NoDevice { driver },
        (Err(source), _) => InstallationError::Io { path: DRIVER.into(), source }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_counted_or_their_absence_is_explained() {
        match n_gpus() {
            Ok(n) => {
                assert!(n > 0 && tch::Cuda::is_available());
                let maps = fs::read_to_string("/proc/self/maps").unwrap();
                assert!(maps.contains("/libnvrtc"), "what cuDNN compiles kernels with is not loaded");
            }
            Err(error) => {
                assert!(!tch::Cuda::is_available(), "{error}");
                let folder = loaded::library_folder().unwrap();
                let is_cpu_only = !folder.join(CUDA_LIBRARY).exists();
                assert_eq!(matches!(error, GpuError::CpuOnly { .. }), is_cpu_only, "{error}");
            }
        }
    }

    #[test]
    fn a_library_that_cannot_be_loaded_is_named_with_the_loaders_words() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CUDA_LIBRARY), "no library").unwrap();
        for name in [CUDA_LIBRARY, COMPILER_LIBRARY] {
            let error = load_from(folder.path().to_owned(), name).unwrap_err().to_string();
            assert!(
                error.contains(name) && error.contains("cannot be loaded (") && error.len() > 80,
                "{error}"
            );
        }

        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(load_from(empty.path().to_owned(), CUDA_LIBRARY), Err(GpuError::CpuOnly { .. })));
    }

    #[test]
    fn no_driver_half_a_driver_and_no_device_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("version");
        assert!(matches!(no_gpu(read_driver(&file), Ok(())), GpuError::NoDriver));
        fs::write(&file, "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65\nGCC version: 13\n")
            .unwrap();
        let error = no_gpu(read_driver(&file), Ok(())).to_string();
        assert!(error.contains("580.65") && !error.contains("GCC"), "{error}");
        let error = no_gpu(read_driver(&file), load_by_name("libcuda-of-nobody.so.1")).to_string();
        assert!(error.contains("580.65") && error.contains("libcuda-of-nobody.so.1: cannot open"), "{error}");
        assert!(load_by_name("libc.so.6").is_ok() || !cfg!(target_os = "linux"));
    }
}
