//! The commit that a build records, and its mark where the source is not that commit's.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[path = "../../build.rs"]
#[expect(dead_code, clippy::print_stdout, reason = "a build script, of which one function is tested")]
mod build_script;

fn git(folder: &Path, arguments: &[&str]) {
    let identity =
        ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

#[test]
fn a_build_from_changed_sources_is_marked() {
    // In a hook git's variables would lead every call to the repository of the hook.
    if env::var_os("GIT_DIR").is_some() || Command::new("git").arg("--version").output().is_err() {
        println!("skipped: there is no git, or this is one of its hooks");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // From a folder inside, as cargo runs build scripts.
    let package = root.join("crates/one");
    fs::create_dir_all(&package).unwrap();
    fs::create_dir(root.join("results")).unwrap();
    let write = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
    let commit = || build_script::commit(&package);
    assert_eq!(commit(), "unknown");

    git(root, &["init", "--quiet"]);
    write("crates/one/lib.rs", "1");
    write("Cargo.lock", "1");
    write("results/bench.json", "1");
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "--message", "first"]);
    let clean = commit();
    assert!(clean.len() == 40 && clean.bytes().all(|byte| byte.is_ascii_hexdigit()), "{clean}");
    let dirty = format!("{clean}+dirty");

    // Neither results nor files that git does not know are source.
    write("results/bench.json", "2");
    write("crates/one/scratch.rs", "1");
    assert_eq!(commit(), clean);
    // A change anywhere else is, whether it is staged or not.
    for name in ["crates/one/lib.rs", "Cargo.lock"] {
        write(name, "2");
        assert_eq!(commit(), dirty, "{name}");
        git(root, &["add", name]);
        assert_eq!(commit(), dirty, "{name}, staged");
        git(root, &["checkout", "--quiet", "HEAD", "--", name]);
        assert_eq!(commit(), clean, "{name}, as it was");
    }
    fs::remove_file(root.join("Cargo.lock")).unwrap();
    assert_eq!(commit(), dirty, "a file is gone");
    git(root, &["checkout", "--quiet", "--", "Cargo.lock"]);
    git(root, &["add", "crates/one/scratch.rs"]);
    assert_eq!(commit(), dirty, "a file is new");

    git(root, &["commit", "--quiet", "--all", "--message", "second"]);
    let second = commit();
    assert!(second != clean && !second.contains('+'), "{second}");
}
