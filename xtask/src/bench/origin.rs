//! What contenders are built and run with, and the state of the code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use mcdnn::host::version;

use crate::workspace::Workspace;

/// Versions of what contenders are built and run with.
pub(super) fn tools(python: &Path) -> BTreeMap<String, String> {
    let tools = [("rustc", Command::new("rustc")), ("python", Command::new(python))];
    tools
        .into_iter()
        .filter_map(|(name, mut program)| Some((name.to_owned(), version(&mut program)?)))
        .collect()
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
