//! The machine that a race runs on, and the state of the code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;

/// What figures depend on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    /// The processor's name, with family and model where the name alone says little.
    pub(crate) cpu: String,
    /// Cores that programs may use.
    pub(crate) cores: usize,
    /// The widest vector instructions.
    pub(crate) instruction_set: String,
    /// Name and version of the operating system, and of its kernel.
    pub(crate) os: String,
}

impl Machine {
    /// This one, as far as it can be told.
    pub(crate) fn this() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: cpu(&cpuinfo).unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            instruction_set: instruction_set().to_owned(),
            os: os(&release, kernel.trim()).unwrap_or_else(|| std::env::consts::OS.to_owned()),
        }
    }
}

/// Versions of what contenders are built and run with.
pub(super) fn tools(python: &Path) -> BTreeMap<String, String> {
    let tools = [("rustc", Command::new("rustc")), ("python", Command::new(python))];
    tools
        .into_iter()
        .filter_map(|(name, mut program)| Some((name.to_owned(), version(&mut program)?)))
        .collect()
}

/// The first processor of Linux's list.
fn cpu(cpuinfo: &str) -> Option<String> {
    let value = |key: &str| {
        let mut pairs = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
    };
    let (name, family, model) = (value("model name")?, value("cpu family")?, value("model")?);
    Some(format!("{name} (family {family}, model {model})"))
}

fn os(release: &str, kernel: &str) -> Option<String> {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    // Behind the first hyphen the distribution numbers its builds.
    let kernel = kernel.split('-').next()?;
    Some(format!("{}, Linux {kernel}", name.trim_matches('"')))
}

#[cfg(target_arch = "x86_64")]
fn instruction_set() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "AVX-512"
    } else if is_x86_feature_detected!("avx2") {
        "AVX2"
    } else {
        "SSE2"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction_set() -> &'static str {
    std::env::consts::ARCH
}

/// The commit that is checked out, if the files are its own; results that are rewritten do not count.
pub(super) fn clean_commit(workspace: &Workspace) -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(workspace.root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changes = git(&["status", "--porcelain", "--", ".", ":(exclude)results"])?;
    if changes.is_empty() { git(&["rev-parse", "HEAD"]) } else { None }
}

/// The first line that a program prints about its version.
pub(crate) fn version(program: &mut Command) -> Option<String> {
    let output = program.arg("--version").output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_what_it_runs_on() {
        let cpuinfo = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\nflags : fpu\n";
        assert_eq!(cpu(cpuinfo).as_deref(), Some("AMD EPYC (family 25, model 1)"));
        assert_eq!(cpu(""), None);
        let release = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            os(release, "6.1.0-18-amd64").as_deref(),
            Some("Debian GNU/Linux 12 (bookworm), Linux 6.1.0")
        );
        assert!(Machine::this().cores > 0);
    }
}
