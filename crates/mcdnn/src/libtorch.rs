//! libtorch: found or downloaded, and linked from the workspace, so that cargo and editors find it without a variable.

mod pinned;
mod wheels;

use std::env;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use ciresan_net::installation::{Installation, LIBTORCH_VERSION};

use crate::app::Place;
use crate::terminal::Terminal;
use crate::{device, digits};

use pinned::Flavor;

/// The variables of torch-sys, the bindings' build script.
const FOLDER_VARIABLE: &str = "LIBTORCH";
/// Overrides the other, whatever its value is.
pub const PYTORCH_VARIABLE: &str = "LIBTORCH_USE_PYTORCH";

/// Where libtorch comes from, for the help of every command that may need it.
pub(crate) const ENVIRONMENT: &str =
    "  LIBTORCH       folder with libtorch 2.11.0 to use [default: found in, or downloaded into,
                 CIRESAN_CACHE: 0.5 GB for the CPU, 3.9 GB with an NVIDIA GPU]
  LIBTORCH_USE_PYTORCH
                 if set, use the PyTorch of python3, or of the active virtual environment";

/// A libtorch that fits.
pub struct Found {
    /// The folder, and what it holds.
    pub installation: Installation,
    pub(crate) source: Source,
}

/// Where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Variable,
    PyTorch,
    Cache,
    Wheels,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Variable => "set by LIBTORCH",
            Source::PyTorch => "from the PyTorch that LIBTORCH_USE_PYTORCH selects",
            Source::Cache => "downloaded earlier",
            Source::Wheels => "downloaded just now, from wheels of the Python package index",
        })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { installation, source } = self;
        let devices = if installation.has_cuda() { "CPU and CUDA" } else { "CPU only" };
        write!(
            f,
            "libtorch {} ({devices}) in {}, {source}",
            installation.version(),
            installation.folder().display()
        )
    }
}

/// What the user's environment says.
struct Request {
    /// `LIBTORCH`, when it is the user's own.
    folder: Option<PathBuf>,
    /// The Python whose PyTorch is asked for.
    pytorch: Option<PathBuf>,
    cache: PathBuf,
    flavor: Flavor,
}

impl Request {
    fn from_environment() -> Result<Self> {
        let folder = env::var_os(FOLDER_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let python = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
        Ok(Self {
            // Cargo sets it for programs that it runs, too, from .cargo/config.toml of the workspace.
            folder: folder.filter(|folder| !folder.ends_with(".libtorch")),
            pytorch: env::var_os(PYTORCH_VARIABLE).map(|_| python.into()),
            cache: digits::cache()?.join("libtorch"),
            flavor: if device::has_nvidia_gpu() { Flavor::Cuda } else { Flavor::Cpu },
        })
    }

    /// Looks where nothing has to be brought: what the user names, else the cache. What the user names must fit.
    fn find(&self) -> Result<Option<Found>> {
        if let Some(folder) = &self.folder {
            let folder = std::path::absolute(folder)?;
            let installation = Installation::open(folder).context("LIBTORCH")?;
            return Ok(Some(Found { installation, source: Source::Variable }));
        }
        if let Some(python) = &self.pytorch {
            let installation = Installation::open(pytorch_folder(python)?).context(PYTORCH_VARIABLE)?;
            return Ok(Some(Found { installation, source: Source::PyTorch }));
        }
        // One for CUDA serves the CPU as well, and not the other way round.
        let flavors: &[Flavor] = match self.flavor {
            Flavor::Cpu => &[Flavor::Cpu, Flavor::Cuda],
            Flavor::Cuda => &[Flavor::Cuda],
        };
        let copies = flavors.iter().map(|flavor| self.copy(*flavor).join("torch"));
        let installation = copies.filter_map(|copy| Installation::open(copy).ok()).next();
        Ok(installation.map(|installation| Found { installation, source: Source::Cache }))
    }

    fn copy(&self, flavor: Flavor) -> PathBuf {
        self.cache.join(flavor.folder_name())
    }
}

/// The libtorch that is there, if any; downloads and changes nothing.
///
/// # Errors
/// When the user names one that does not fit.
pub(crate) fn find() -> Result<Option<Found>> {
    Request::from_environment()?.find()
}

/// Finds or downloads libtorch, and points the place's link to it, if it has one.
///
/// # Errors
/// When the libtorch that the user names does not fit; when the download fails, with what was tried.
pub fn bring(place: &Place, terminal: &Terminal) -> Result<Found> {
    let request = Request::from_environment()?;
    let found = match request.find()? {
        Some(found) => found,
        None => install(&request, terminal)?,
    };
    if let Some(path) = &place.libtorch_link {
        link(found.installation.folder(), path)?;
    }
    Ok(found)
}

fn install(request: &Request, terminal: &Terminal) -> Result<Found> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "libtorch {LIBTORCH_VERSION} can be downloaded for x86-64 Linux only: get PyTorch's archive of libtorch for this system, \
             unpack it and set LIBTORCH to its folder libtorch"
        );
    }
    let cache = &request.cache;
    fs::create_dir_all(cache).with_context(|| format!("{}: cannot make the folder", cache.display()))?;
    let lock_path = cache.join(".lock");
    let lock = File::create(&lock_path).with_context(|| lock_path.display().to_string())?;
    if lock.try_lock().is_err() {
        terminal
            .note(format_args!("{}: another process is downloading libtorch; waiting", lock_path.display()));
        lock.lock().with_context(|| format!("{}: cannot lock", lock_path.display()))?;
    }
    if let Some(found) = request.find()? {
        return Ok(found); // the other process brought it
    }
    let flavor = request.flavor;
    let kind =
        if flavor == Flavor::Cuda { "with CUDA, for this machine's NVIDIA GPU" } else { "for the CPU" };
    terminal.note(format_args!("downloading libtorch {LIBTORCH_VERSION} {kind} into {}", cache.display()));
    let copy = request.copy(flavor);
    wheels::install(
        Path::new("python3"),
        flavor.wheels(),
        &cache.join("downloads"),
        &copy,
        flavor.bytes_needed(),
        terminal,
    )
    .with_context(|| {
        format!(
            "libtorch {LIBTORCH_VERSION} could not be downloaded into {}; set LIBTORCH to a folder that has it, or \
             LIBTORCH_USE_PYTORCH=1 to use python3's torch=={LIBTORCH_VERSION}",
            cache.display()
        )
    })?;
    let installation = Installation::open(copy.join("torch"))?;
    Ok(Found { installation, source: Source::Wheels })
}

/// The folder of Python's package torch, found without loading it.
fn pytorch_folder(python: &Path) -> Result<PathBuf> {
    const SCRIPT: &str = "import importlib.util, os, sys
spec = importlib.util.find_spec('torch')
if spec is None: sys.exit('it has no torch')
print(os.path.dirname(spec.origin))";
    let output = Command::new(python).args(["-c", SCRIPT]).output();
    let output = output.with_context(|| format!("{PYTORCH_VARIABLE}: cannot start {}", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim().lines().next_back().unwrap_or("it says nothing").to_owned();
        bail!("{PYTORCH_VARIABLE}: {} cannot be used: {last}", python.display());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// # Errors
/// When the file system of the folder has less room than that.
fn check_room(folder: &Path, needed: u64) -> Result<()> {
    match free_bytes(folder) {
        Some(free) if free < needed => bail!(
            "{}: {:.1} GB free, expected {:.1} GB for libtorch; set CIRESAN_CACHE to another folder",
            folder.display(),
            free as f64 / 1e9,
            needed as f64 / 1e9
        ),
        _ => Ok(()),
    }
}

/// Bytes that this user may still write to the folder's file system, where the system tells.
#[cfg(unix)]
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Points the link to the folder, unless it does already. It is never absent in between.
#[cfg(unix)]
fn link(folder: &Path, link: &Path) -> Result<()> {
    let shown = link.display();
    match fs::read_link(link) {
        Ok(there) if there == folder => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(_) => bail!("{shown}: not a link; move it away, so that a link to libtorch can be made there"),
    }
    let temporary = link.with_extension(format!("{}.tmp", std::process::id()));
    std::os::unix::fs::symlink(folder, &temporary)
        .with_context(|| format!("{shown}: cannot make the link"))?;
    fs::rename(&temporary, link).with_context(|| format!("{shown}: cannot make the link"))
}

#[cfg(not(unix))]
fn link(folder: &Path, _: &Path) -> Result<()> {
    bail!("set LIBTORCH to {}: the link .libtorch can be made on Unix only", folder.display())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// What [`Installation::open`] looks for.
    fn make(folder: &Path, version: &str) {
        for file in ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"] {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::write(folder.join(file), "").unwrap();
        }
        fs::write(folder.join("build-version"), version).unwrap();
    }

    #[test]
    fn the_users_own_comes_first_and_must_fit() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        make(&at("mine"), "2.11.0+cpu");
        make(&at("old"), "2.9.1+cpu");
        make(&at("cache/2.11.0-cpu/torch"), LIBTORCH_VERSION);
        let request = |folder: Option<&str>, flavor| Request {
            folder: folder.map(at),
            pytorch: None,
            cache: at("cache"),
            flavor,
        };
        let found = |folder, flavor| request(folder, flavor).find().unwrap().map(|found| found.source);
        assert_eq!(found(Some("mine"), Flavor::Cpu), Some(Source::Variable));
        assert_eq!(found(None, Flavor::Cpu), Some(Source::Cache));
        assert_eq!(found(None, Flavor::Cuda), None, "one for the CPU is not enough for a GPU");
        let refused = format!("{:#}", request(Some("old"), Flavor::Cpu).find().err().unwrap());
        assert!(
            refused.starts_with("LIBTORCH: ") && refused.contains("libtorch 2.9.1+cpu, expected 2.11.0"),
            "{refused}"
        );

        fs::remove_file(at("cache/2.11.0-cpu/torch/lib/libc10.so")).unwrap();
        assert_eq!(found(None, Flavor::Cpu), None, "a damaged copy is none");
        make(&at("cache/2.11.0-cuda/torch"), LIBTORCH_VERSION);
        assert_eq!(found(None, Flavor::Cpu), Some(Source::Cache), "one for CUDA serves the CPU");
    }

    #[test]
    fn the_link_follows_and_replaces_no_folder() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for name in ["one", "two"] {
            link(&at(name), &at("link")).unwrap();
            link(&at(name), &at("link")).unwrap();
            assert_eq!(fs::read_link(at("link")).unwrap(), at(name));
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "a temporary link was left behind");
        fs::create_dir(at("folder")).unwrap();
        assert!(link(&at("one"), &at("folder")).unwrap_err().to_string().contains("not a link"));
    }

    #[test]
    fn a_full_disk_and_a_python_without_torch_are_told() {
        let place = tempfile::tempdir().unwrap();
        check_room(place.path(), 1).unwrap();
        let error = check_room(place.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("GB free, expected"), "{error}");
        let error = format!("{:#}", pytorch_folder(Path::new("/no/python")).unwrap_err());
        assert!(error.contains("LIBTORCH_USE_PYTORCH: cannot start /no/python"), "{error}");
    }
}
