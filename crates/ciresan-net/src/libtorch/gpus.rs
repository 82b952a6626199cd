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

/// Where the kernel module of NVIDIA's driver tells its version.
const DRIVER: &str = "/proc/driver/nvidia/version";

/// The number of GPUs that libtorch can use, at least 1.
///
/// The first call loads `libtorch_cuda.so` from beside `libtorch_cpu.so`. It must come before any other question to
/// libtorch about CUDA, whose first answer stays.
///
/// # Errors
/// A [`GpuError`] that says what is missing.
pub fn n_gpus() -> Result<usize, GpuError> {
    load()?;
    match tch::Cuda::device_count() {
        ..=0 => Err(no_gpu(read_driver(Path::new(DRIVER)))),
        n => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
    }
}

/// Why libtorch can use no GPU.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The system does not tell where libtorch is loaded from.
    #[error("no GPU on {}: libtorch's CUDA is loaded on Linux alone", std::env::consts::OS)]
    System,
    /// The loaded libtorch is another version.
    #[error(transparent)]
    Version(#[from] InstallationError),
    /// The loaded libtorch has no part for GPUs.
    #[error("{folder}: this libtorch is for CPUs alone, expected {CUDA_LIBRARY} there")]
    CpuOnly {
        /// The folder of its libraries.
        folder: PathBuf,
    },
    /// The part for GPUs cannot be loaded.
    #[error("{path}: cannot be loaded ({reason})")]
    Load {
        /// The library.
        path: PathBuf,
        /// What the system's loader said, usually which other library it misses.
        reason: String,
    },
    /// The machine has no driver.
    #[error("no NVIDIA driver on this machine ({DRIVER} is not there), expected one for CUDA")]
    NoDriver,
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

fn load() -> Result<(), GpuError> {
    static LOADED: OnceLock<Library> = OnceLock::new();
    if LOADED.get().is_some() {
        return Ok(());
    }
    loaded::loaded_version()?;
    let folder = loaded::library_folder().ok_or(GpuError::System)?;
    let library = load_from(folder)?;
    // Of two threads at once the second has opened the same library again, and closes that handle.
    drop(LOADED.set(library));
    Ok(())
}

fn load_from(folder: PathBuf) -> Result<Library, GpuError> {
    let path = folder.join(CUDA_LIBRARY);
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(GpuError::CpuOnly { folder }),
        Err(source) => return Err(installation::InstallationError::Io { path, source }.into()),
    }
    cuda_library::load(&path).map_err(|error| {
        // The crate's own words are "dlopen failed"; the loader's are their source.
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        GpuError::Load { path, reason }
    })
}

/// The driver's version, as it tells it; `None` without one.
fn read_driver(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_gpu(driver: io::Result<Option<String>>) -> GpuError {
    match driver {
        Ok(None) => GpuError::NoDriver,
        Ok(Some(driver)) => GpuError::NoDevice { driver },
        Err(source) => InstallationError::Io { path: DRIVER.into(), source }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_counted_or_their_absence_is_explained() {
        match n_gpus() {
            Ok(n) => assert!(n > 0 && tch::Cuda::is_available()),
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
        let error = load_from(folder.path().to_owned()).unwrap_err().to_string();
        assert!(
            error.contains(CUDA_LIBRARY) && error.contains("cannot be loaded (") && error.len() > 80,
            "{error}"
        );

        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(load_from(empty.path().to_owned()), Err(GpuError::CpuOnly { .. })));
    }

    #[test]
    fn no_driver_and_no_device_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("version");
        assert!(matches!(no_gpu(read_driver(&file)), GpuError::NoDriver));
        fs::write(&file, "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65\nGCC version: 13\n")
            .unwrap();
        let error = no_gpu(read_driver(&file)).to_string();
        assert!(error.contains("580.65") && !error.contains("GCC"), "{error}");
    }
}
