//! Folders with libtorch, looked at from outside: nothing here needs the feature `libtorch`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The only version of libtorch that the bindings fit.
pub const LIBTORCH_VERSION: &str = "2.11.0";

/// Where a folder may tell its version, in the order of trust: a file with nothing else, as the official archive has it;
/// PyTorch's own, as its wheels have it; the headers.
const VERSION_FILES: [&str; 3] = ["build-version", "version.py", "include/torch/headeronly/version.h"];

/// A folder that holds libtorch in the version that fits: `include/`, and `lib/` with the libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    folder: PathBuf,
    version: String,
}

impl Installation {
    /// Looks at a folder as `LIBTORCH` names it: the archive's `libtorch`, or `torch` of a Python environment.
    ///
    /// # Errors
    /// [`InstallationError::Missing`] when a library or the headers are not there, [`InstallationError::NoVersion`] when
    /// nothing there tells the version, [`InstallationError::Version`] when it is another than [`LIBTORCH_VERSION`],
    /// [`InstallationError::Io`] when the system does not let it be read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, InstallationError> {
        let folder = folder.into();
        for needed in
            ["lib", "include/torch/csrc/api/include/torch/torch.h", &library("torch_cpu"), &library("c10")]
        {
            let path = folder.join(needed);
            if !path.try_exists().map_err(InstallationError::io(&path))? {
                let is_lib = Path::new(&library("torch_cpu"))
                    .file_name()
                    .is_some_and(|name| folder.join(name).exists());
                if is_lib && let Some(above) = folder.parent() {
                    return Err(InstallationError::OneUp { above: above.to_owned(), folder });
                }
                return Err(InstallationError::Missing { path });
            }
        }
        let version = version(&folder)?;
        Ok(Self { folder, version })
    }

    /// The folder that was opened.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The version with the build's own suffix, such as `2.11.0+cu130`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the part for NVIDIA GPUs stands beside the rest.
    pub fn has_cuda(&self) -> bool {
        self.folder.join(library("torch_cuda")).exists()
    }
}

/// The version that a folder tells, if it is the one that fits.
///
/// # Errors
/// Those of [`Installation::open`] but for `Missing`.
pub(crate) fn version(folder: &Path) -> Result<String, InstallationError> {
    for name in VERSION_FILES {
        let path = folder.join(name);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read.map_err(InstallationError::io(&path))?,
        };
        let Some(got) = version_in(name, &text) else { continue };
        if got.split('+').next() == Some(LIBTORCH_VERSION) {
            return Ok(got);
        }
        return Err(InstallationError::Version { folder: folder.to_owned(), got });
    }
    Err(InstallationError::NoVersion { folder: folder.to_owned() })
}

fn version_in(name: &str, text: &str) -> Option<String> {
    match name {
        "build-version" => Some(text.trim().to_owned()).filter(|version| !version.is_empty()),
        "version.py" => {
            let value = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
            Some(value.trim().trim_matches(['\'', '"']).to_owned())
        }
        _ => {
            let define = |part: &str| {
                let rest = text
                    .lines()
                    .find_map(|line| line.strip_prefix("#define TORCH_VERSION_")?.strip_prefix(part));
                rest.map(str::trim)
            };
            Some(format!("{}.{}.{}", define("MAJOR ")?, define("MINOR ")?, define("PATCH ")?))
        }
    }
}

/// A library's path in the folder.
fn library(name: &str) -> String {
    if cfg!(windows) {
        format!("lib/{name}.dll")
    } else if cfg!(target_os = "macos") {
        format!("lib/lib{name}.dylib")
    } else {
        format!("lib/lib{name}.so")
    }
}

/// Why a folder is no libtorch that fits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallationError {
    /// Something of libtorch is not there.
    #[error("{path}: no such file; expected a folder with all of libtorch")]
    Missing {
        /// What is missing.
        path: PathBuf,
    },
    /// The folder of the libraries alone.
    #[error("{folder}: one folder too deep: name the folder above it, {above}")]
    OneUp {
        /// What was named.
        folder: PathBuf,
        /// What is meant.
        above: PathBuf,
    },
    /// Another version.
    #[error("{folder}: libtorch {got}, expected {LIBTORCH_VERSION}, which the bindings are made for")]
    Version {
        /// The folder.
        folder: PathBuf,
        /// Its version.
        got: String,
    },
    /// No version.
    #[error(
        "{folder}: no version found; expected libtorch {LIBTORCH_VERSION} with a file build-version or version.py"
    )]
    NoVersion {
        /// The folder.
        folder: PathBuf,
    },
    /// The system said no.
    #[error("{path}: cannot be read")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl InstallationError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with everything but a version.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["include/torch/csrc/api/include/torch/torch.h", &library("torch_cpu"), &library("c10")] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn each_kind_of_folder_tells_its_version() {
        let python = "from typing import Optional\n__version__ = '2.11.0+cu130'\ndebug = False\n";
        let header =
            "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n";
        let kinds = [("build-version", "2.11.0+cpu\n", "2.11.0+cpu"), ("version.py", python, "2.11.0+cu130")];
        for (name, text, want) in kinds.into_iter().chain([(VERSION_FILES[2], header, "2.11.0")]) {
            let folder = folder();
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            let installation = Installation::open(folder.path()).unwrap();
            assert_eq!((installation.version(), installation.has_cuda()), (want, false), "{name}");
        }
    }

    #[test]
    fn the_folder_of_libraries_is_one_too_deep() {
        let folder = folder();
        let error = Installation::open(folder.path().join("lib")).unwrap_err().to_string();
        let [lib, above] = [folder.path().join("lib"), folder.path().to_owned()];
        assert_eq!(
            error,
            format!("{}: one folder too deep: name the folder above it, {}", lib.display(), above.display())
        );
    }

    #[test]
    fn cuda_is_seen_where_its_library_stands() {
        let folder = folder();
        fs::write(folder.path().join("build-version"), LIBTORCH_VERSION).unwrap();
        fs::write(folder.path().join(library("torch_cuda")), "").unwrap();
        assert!(Installation::open(folder.path()).unwrap().has_cuda());
    }

    #[test]
    fn what_does_not_fit_is_named_with_both_versions() {
        let folder = folder();
        let refusal = || Installation::open(folder.path()).unwrap_err().to_string();
        assert!(refusal().contains("no version found; expected libtorch 2.11.0"), "{}", refusal());
        for other in ["2.9.1+cu130", "2.11.01", "2.11", "12.11.0"] {
            fs::write(folder.path().join("build-version"), other).unwrap();
            let want = format!("libtorch {other}, expected 2.11.0");
            assert!(refusal().contains(&want), "{}", refusal());
        }
        fs::remove_file(folder.path().join(library("c10"))).unwrap();
        assert!(refusal().contains("c10") && refusal().contains("no such file"), "{}", refusal());
    }
}
