//! The program as its commands see it: what it is called, its folders, its streams, and how it is asked to stop.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Display, Path, PathBuf, is_separator};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::terminal::Terminal;

/// Environment variable by which `cargo xtask` tells the program that it runs in its place: the workspace's folder.
pub const WORKSPACE_VARIABLE: &str = "CIRESAN_WORKSPACE";

/// What `main` gives to a command.
pub struct App {
    /// Where it is at work.
    pub place: Place,
    /// The arguments that it was called with.
    pub arguments: Vec<OsString>,
    /// Where it writes.
    pub terminal: Terminal,
    /// Called once by a command that can save and stop, when there is something to save: from then on signals set the
    /// flag that this returns. Before that they end the program.
    pub listen: fn() -> io::Result<Arc<AtomicBool>>,
}

/// Whose command line this is, and which folders it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What a person types to call it: `mcdnn` or `cargo xtask`.
    pub name: &'static str,
    /// The folder whose sub-folders are results folders of studies.
    pub results: PathBuf,
    /// A link that is pointed to libtorch where it is found or brought, so that cargo finds it.
    pub libtorch_link: Option<PathBuf>,
}

impl Place {
    /// The folder of published studies, which `publish` alone writes.
    #[must_use]
    pub fn published(&self) -> PathBuf {
        self.results.join("published")
    }

    /// The program `mcdnn`, with results below the current folder.
    #[must_use]
    pub fn here() -> Self {
        Self { name: "mcdnn", results: PathBuf::from("results"), libtorch_link: None }
    }

    /// `cargo xtask` in the workspace in the folder `root`.
    #[must_use]
    pub fn workspace(root: &Path) -> Self {
        Self {
            name: "cargo xtask",
            results: root.join("results"),
            libtorch_link: Some(root.join(".libtorch")),
        }
    }
}

impl App {
    /// The results folder that `--study` names: a path, if it is there or holds a separator, else a name below the
    /// folder of results, or below that of published studies where only these have it.
    pub(crate) fn study_folder(&self, given: &Path) -> PathBuf {
        if given.exists() || has_separator(given) {
            return given.to_owned();
        }
        let (own, published) = (self.place.results.join(given), self.place.published().join(given));
        if !own.exists() && published.exists() { published } else { own }
    }

    /// The command that was given, to be typed again: `mcdnn reproduce --config quick`.
    pub(crate) fn same_command_again(&self) -> String {
        same_command_again(self.place.name, &self.arguments)
    }
}

/// A path as a person in the current folder would write it.
#[must_use]
pub fn shown(path: &Path) -> Display<'_> {
    let current = env::current_dir().ok();
    let short = current.and_then(|current| path.strip_prefix(current).ok());
    short.filter(|short| !short.as_os_str().is_empty()).unwrap_or(path).display()
}

/// Whether an argument can only mean a path, not a name.
pub(crate) fn has_separator(given: &Path) -> bool {
    given.to_string_lossy().contains(is_separator)
}

/// A command line, to be typed again.
#[must_use]
pub fn same_command_again(name: &str, arguments: &[OsString]) -> String {
    let arguments = arguments.iter().map(|argument| quoted(&argument.to_string_lossy()));
    [name.to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
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
        let arguments = ["reproduce", "--study", "my study"].map(OsString::from);
        assert_eq!(same_command_again("mcdnn", &arguments), "mcdnn reproduce --study 'my study'");
    }

    #[test]
    fn a_study_is_a_path_where_there_is_one_and_a_name_elsewhere() {
        let place = tempfile::tempdir().unwrap();
        let app = App {
            place: Place { results: "there".into(), ..Place::here() },
            arguments: Vec::new(),
            terminal: Terminal::new(io::sink(), io::sink()),
            listen: || Ok(Arc::default()),
        };
        for path in [place.path(), Path::new("./quick"), Path::new("no/such"), Path::new("src")] {
            assert_eq!(app.study_folder(path), path);
        }
        assert_eq!(app.study_folder(Path::new("no-such-folder")), Path::new("there/no-such-folder"));
    }
}
