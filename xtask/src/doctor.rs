//! `cargo xtask doctor`: what this machine has of everything that matters here.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use ciresan_cpu::Isa;
use mnist_data::{Collection, Data};
use serde::Serialize;

use crate::bench::machine::{self, Machine};
use crate::workspace::Workspace;
use crate::{device, digits, libtorch, terminal};

/// Print what this machine has: CPU, GPU, libtorch, digits, folders.
///
/// Looks only: nothing is fetched, built or changed. What is absent and fetched when needed is no fault; what is needed and
/// broken is named with what to do.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Exit codes: 0 nothing is broken; 1 something that is needed is; 2 wrong usage.

{}
{}",
        digits::ENVIRONMENT,
        libtorch::ENVIRONMENT
    )
}

/// Below this, a study and its digits may not fit.
const ENOUGH_BYTES: u64 = 500_000_000;

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    ok: bool,
    checks: Vec<Check>,
}

/// Something that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found, in words.
    found: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Not there, and nothing waits for it.
    Absent,
    Broken,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Self { name, state, found: found.into() }
    }

    fn line(&self) -> String {
        let state = match self.state {
            State::Ok => "ok",
            State::Absent => "absent",
            State::Broken => "BROKEN",
        };
        format!("{:<10} {state:<6}  {}", self.name, self.found)
    }
}

/// Looks at everything and prints it.
///
/// # Errors
/// When something that is needed is broken.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let mut checks =
        vec![cpu(), instruction_set(), memory(), gpu(), libtorch_check(&workspace), link(&workspace)];
    checks.extend([
        mnist(),
        cache(),
        disk("results", workspace.root()),
        tool("cargo", &mut workspace.cargo(), true),
    ]);
    checks.push(tool("python", &mut Command::new("python3"), false));
    checks.push(tool("npm", &mut Command::new("npm"), false));

    let broken: Vec<&str> =
        checks.iter().filter(|check| check.state == State::Broken).map(|check| check.name).collect();
    let failed = broken.join(", ");
    let report = Report { schema: SCHEMA, ok: broken.is_empty(), checks };
    if args.json {
        terminal::result(serde_json::to_string(&report)?)?;
    } else {
        let lines: Vec<String> = report.checks.iter().map(Check::line).collect();
        terminal::result(lines.join("\n"))?;
    }
    if !report.ok {
        bail!("broken: {failed}; the lines above say how");
    }
    Ok(())
}

fn cpu() -> Check {
    let Machine { cpu, cores, os, .. } = Machine::this();
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let features = features(&info);
    let with = if features.is_empty() { String::new() } else { format!(", {}", features.join(" ")) };
    Check::new("cpu", State::Ok, format!("{cpu}, {cores} cores{with}; {os}"))
}

/// Those of the first processor's features that this project's kernels or libtorch's use.
fn features(cpuinfo: &str) -> Vec<&str> {
    const USED: [&str; 8] =
        ["avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_vnni", "amx_bf16"];
    let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags")).unwrap_or_default();
    flags.split_whitespace().filter(|flag| USED.contains(flag)).collect()
}

fn instruction_set() -> Check {
    const VARIABLE: &str = "CIRESAN_INSTRUCTION_SET";
    let chosen = match env::var(VARIABLE) {
        Ok(name) => name.parse::<Isa>().map(|isa| format!("{isa}, as {VARIABLE} says")),
        Err(_) => Ok(Isa::best().to_string()),
    };
    match chosen {
        Ok(name) => Check::new("engine", State::Ok, format!("ciresan-cpu computes with {name}")),
        Err(error) => Check::new("engine", State::Broken, format!("{VARIABLE}: {error}")),
    }
}

fn memory() -> Check {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match (kilobytes(&info, "MemTotal:"), kilobytes(&info, "MemAvailable:")) {
        (Some(total), Some(free)) => Check::new(
            "memory",
            State::Ok,
            format!("{} in all, {} available", gigabytes(total), gigabytes(free)),
        ),
        _ => Check::new("memory", State::Absent, "this system does not tell"),
    }
}

/// A value of Linux's `/proc/meminfo`, in bytes.
fn kilobytes(meminfo: &str, key: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

fn gpu() -> Check {
    match device::nvidia_gpus() {
        Some(gpus) if !gpus.is_empty() => Check::new("gpu", State::Ok, gpus.join("; ")),
        _ if device::has_nvidia_gpu() => {
            Check::new("gpu", State::Broken, "an NVIDIA driver is there, but nvidia-smi tells of no GPU")
        }
        _ => {
            Check::new("gpu", State::Absent, "no NVIDIA GPU: --device cuda is refused, everything else works")
        }
    }
}

fn libtorch_check(workspace: &Workspace) -> Check {
    match libtorch::find(workspace) {
        Ok(Some(found)) => Check::new("libtorch", State::Ok, found.to_string()),
        Ok(None) => Check::new(
            "libtorch",
            State::Absent,
            "none yet; only --device cuda and libtorch-cpu need it and bring it, `cargo xtask setup --libtorch` does too",
        ),
        Err(error) => Check::new("libtorch", State::Broken, format!("{error:#}")),
    }
}

/// Whether cargo and editors find libtorch.
fn link(workspace: &Workspace) -> Check {
    let link = workspace.libtorch_link();
    match fs::read_link(&link) {
        Ok(to) if to.is_dir() => {
            Check::new("link", State::Ok, format!(".libtorch leads to {}", to.display()))
        }
        Ok(to) => Check::new(
            "link",
            State::Broken,
            format!(
                ".libtorch leads to {}, which is gone; `cargo xtask setup --libtorch` renews it",
                to.display()
            ),
        ),
        Err(_) => Check::new("link", State::Absent, "no .libtorch; `cargo xtask setup --libtorch` makes it"),
    }
}

fn mnist() -> Check {
    let folder = match digits::cache() {
        Ok(cache) => cache.join(Collection::Mnist.name()),
        Err(error) => return Check::new("mnist", State::Broken, format!("{error:#}")),
    };
    if !folder.exists() {
        return Check::new("mnist", State::Absent, "not fetched yet; commands that need it fetch it");
    }
    match Data::read_verified(Collection::Mnist, &folder) {
        Ok(_) => Check::new("mnist", State::Ok, format!("verified, in {}", folder.display())),
        Err(error) => {
            let error = anyhow::Error::new(error);
            Check::new("mnist", State::Absent, format!("fetched again when needed: {error:#}"))
        }
    }
}

fn cache() -> Check {
    match digits::cache() {
        // It need not exist yet: then the nearest folder above decides.
        Ok(folder) => match folder.ancestors().find(|folder| folder.is_dir()) {
            Some(there) => {
                let disk = disk("cache", there);
                Check { found: format!("{}: {}", folder.display(), disk.found), ..disk }
            }
            None => Check::new("cache", State::Broken, format!("{}: no such file system", folder.display())),
        },
        Err(error) => Check::new("cache", State::Broken, format!("{error:#}")),
    }
}

/// Whether a folder can be written to, and how much.
fn disk(name: &'static str, folder: &Path) -> Check {
    if let Err(error) = tempfile::tempfile_in(folder) {
        return Check::new(
            name,
            State::Broken,
            format!("{}: cannot be written to ({error})", folder.display()),
        );
    }
    match libtorch::free_bytes(folder) {
        Some(free) if free < ENOUGH_BYTES => Check::new(
            name,
            State::Broken,
            format!("{} free, expected {}", gigabytes(free), gigabytes(ENOUGH_BYTES)),
        ),
        Some(free) => Check::new(name, State::Ok, format!("{} free", gigabytes(free))),
        None => Check::new(name, State::Ok, "can be written to; this system does not tell what is free"),
    }
}

fn tool(name: &'static str, program: &mut Command, is_needed: bool) -> Check {
    match machine::version(program) {
        Some(version) => Check::new(name, State::Ok, version),
        None if is_needed => Check::new(name, State::Broken, "cannot be started"),
        None => Check::new(name, State::Absent, "cannot be started; only downloads of last resort need it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_memory_and_features() {
        let info = "MemTotal:       24000000 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(kilobytes(info, "MemTotal:"), Some(24_576_000_000));
        assert_eq!((kilobytes(info, "SwapTotal:"), gigabytes(24_576_000_000).as_str()), (None, "24.6 GB"));
        assert_eq!(
            features("processor: 0\nflags\t\t: fpu avx2 fma avx512f sse\n"),
            ["avx2", "fma", "avx512f"]
        );
        assert!(features("").is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_broken() {
        assert_eq!(disk("cache", Path::new("/no/such/folder")).state, State::Broken);
        assert_eq!(tool("cargo", &mut Command::new("/no/such/program"), true).state, State::Broken);
        assert_eq!(tool("npm", &mut Command::new("/no/such/program"), false).state, State::Absent);
    }
}
