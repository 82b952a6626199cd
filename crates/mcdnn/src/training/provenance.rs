//! Where results come from, for the columns' records.

use std::fs;

use std::process::Command;

use study::Provenance;

use super::machine::Machine;

/// What the columns' records say of this program and this machine.
pub(super) fn provenance(machine: &Machine) -> Provenance {
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("CIRESAN_COMMIT").to_owned(),
        engine: machine.engine.clone(),
        instruction_set: machine.instruction_set.clone(),
        precision: machine.precision.to_string(),
        cpu: cpu_model(),
        gpu: machine.gpu(),
        libc: libc(),
    }
}

/// The C library and its version, where the system has the command that tells: `glibc 2.36`.
fn libc() -> Option<String> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// The CPU's name where the system tells it, else its architecture.
fn cpu_model() -> String {
    // Linux alone has this file; without it the architecture is all there is to say.
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    model_name(&info).unwrap_or(std::env::consts::ARCH).to_owned()
}

/// The first `model name : …` of `/proc/cpuinfo`.
fn model_name(info: &str) -> Option<&str> {
    let values = info.lines().filter_map(|line| line.split_once(':'));
    let mut names = values.filter(|(key, _)| key.trim() == "model name").map(|(_, name)| name.trim());
    names.find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpus_name_is_found() {
        let info = "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nmodel name\t: other\n";
        assert_eq!(model_name(info), Some("AMD EPYC 9R14"));
        assert_eq!(model_name("processor : 0\n"), None);
        assert!(!cpu_model().is_empty());
    }
}
