//! Where things are: the workspace's folders and the cargo that started this program.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The folder with the workspace's `Cargo.toml`, and what is found from it.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the workspace: from the manifest's folder that cargo tells the programs it runs, else from the current
    /// folder upwards.
    ///
    /// # Errors
    /// When this program was started by hand outside of the workspace.
    pub(crate) fn find() -> Result<Self> {
        let current = env::current_dir().context("the current folder")?;
        let told = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root =
            told.iter().chain([&current]).flat_map(|start| start.ancestors()).find(|folder| {
                folder.join("Cargo.toml").is_file() && folder.join("xtask/Cargo.toml").is_file()
            });
        match root {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => bail!(
                "{}: neither this folder nor one above it is the project's workspace; go there and run `cargo xtask`",
                current.display()
            ),
        }
    }

    /// The folder of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder whose sub-folders are results folders of studies.
    pub(crate) fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    /// The folder with the studies' configs.
    pub(crate) fn configs(&self) -> PathBuf {
        self.root.join("configs")
    }

    /// A path as a person in the current folder would write it.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        let current = env::current_dir().ok();
        let short = current.and_then(|current| path.strip_prefix(current).ok());
        short.filter(|short| !short.as_os_str().is_empty()).unwrap_or(path).display()
    }

    /// The cargo that runs this program, at work in the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.current_dir(&self.root);
        command
    }
}

/// The command that was given, to be typed again: `cargo xtask reproduce --config configs/quick.json`.
pub(crate) fn same_command_again() -> String {
    let args = env::args_os().skip(1).map(|arg| quoted(&arg.to_string_lossy()));
    ["cargo xtask".to_owned()].into_iter().chain(args).collect::<Vec<_>>().join(" ")
}

fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,=:+@%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        return arg.to_owned();
    }
    format!("'{}'", arg.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("configs/quick.json"), "configs/quick.json");
        assert_eq!(quoted("my study"), "'my study'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_workspace_holds_this_crate() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("xtask/src/workspace.rs").is_file());
        assert!(workspace.configs().join("quick.json").is_file());
    }
}
