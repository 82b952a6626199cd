//! The machine that this is.

use std::fs;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

/// What figures depend on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The processor's name, with family and model where the name alone says little.
    pub cpu: String,
    /// Cores that programs may use.
    pub cores: usize,
    /// The widest vector instructions.
    pub instruction_set: String,
    /// Name and version of the operating system, and of its kernel.
    pub os: String,
}

impl Machine {
    /// This machine, as far as the system describes it.
    #[must_use]
    pub fn this() -> Self {
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

/// The first line that a program prints about its version.
#[must_use]
pub fn version(program: &mut Command) -> Option<String> {
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
