//! Tells the program which commit it was built from: `CIRESAN_COMMIT`, "unknown" outside a git checkout, with "+dirty"
//! where the source is not that commit's; and, with the feature `libtorch`, where libtorch is.
//!
//! What is guaranteed of "+dirty": it is there when a tracked file outside of `results/` differs from the commit at the time this
//! script runs. Cargo runs it again after every commit and checkout, and whenever it sees a file change that programs
//! are made of: anything in `crates/`, and the manifest and lock file of the workspace. So a program with
//! changed sources never keeps the mark of clean ones. Two limits: cargo tells changes by files' times, so a file
//! that is replaced by another with an old time changes neither the program nor the mark; and a change elsewhere, in `docs/`
//! say, counts only from the next run on.

use std::env;
use std::path::Path;
use std::process::Command;

/// What programs are made of, from this package's folder: all crates, and what says how they are built.
const SOURCES: [&str; 3] = ["..", "../../Cargo.toml", "../../Cargo.lock"];

fn main() {
    let folder = Path::new(".");
    SOURCES.iter().for_each(|source| println!("cargo::rerun-if-changed={source}"));
    // The log of HEAD grows with every commit and checkout; HEAD alone changes only when the branch does.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(folder, &["rev-parse", "--git-path", file])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rustc-env=CIRESAN_COMMIT={}", commit(folder));
    // From the build script of ciresan-net, which says why. Not set without the feature.
    if let Ok(folder) = env::var("DEP_CIRESAN_NET_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

/// The commit that is checked out around `folder`, marked where the tracked files differ from it. Results do not count: training
/// writes them.
pub(crate) fn commit(folder: &Path) -> String {
    let Some(commit) = git(folder, &["rev-parse", "HEAD"]) else { return "unknown".to_owned() };
    let changes = ["diff", "--quiet", "HEAD", "--", ":(top)", ":(top,exclude)results"];
    let is_clean = Command::new("git").args(changes).current_dir(folder).status();
    // Where git cannot tell, nobody vouches for the source.
    if is_clean.is_ok_and(|status| status.success()) { commit } else { format!("{commit}+dirty") }
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
