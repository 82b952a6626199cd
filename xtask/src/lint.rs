//! `cargo xtask lint`: formatting, clippy, and the project's own rules.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use study::Study;

use crate::terminal;
use crate::test::{WITH_DEMO, step};
use crate::workspace::Workspace;

mod dense_bits;
mod manifests;

/// Where the table of crates and their edges is.
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

/// The one crate whose kernels may be unsafe.
const UNSAFE_CRATE: &str = "ciresan-cpu";

/// The one crate that may name libtorch's bindings, and only behind a feature.
const LIBTORCH_CRATE: &str = "ciresan-net";

/// How that crate forbids unsafe code. With the feature it opts in for one call, which loads a library.
const FORBIDS_WITHOUT_LIBTORCH: &str = r#"#![cfg_attr(not(feature = "libtorch"), forbid(unsafe_code))]"#;

/// The one file of it that may opt in, with its reason.
const LOADER: &str = "libtorch/cuda_library.rs";

/// Check formatting, clippy and the project's own rules.
///
/// The project's rules: crates depend on each other only as docs/ARCHITECTURE.md allows; only ciresan-net uses libtorch's bindings,
/// as an optional dependency; every crate but ciresan-cpu forbids unsafe code, except for one call in ciresan-net that loads
/// libtorch's part for GPUs; matrixmultiply is built without its feature avx512; every config in configs/ is valid; the manifest of
/// every crate is complete, so that it can be packaged. Each problem is printed as one sentence on stderr.
///
/// Exit codes: 0 no problem found, 1 problems found.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Checks everything that does not need a test to run, cheapest first.
///
/// # Errors
/// Names the first step that found problems.
pub(crate) fn run(_: &Args) -> Result<()> {
    let workspace = Workspace::find()?;

    terminal::note("── the project's own rules");
    let metadata = metadata(&workspace)?;
    let text = fs::read_to_string(workspace.root().join(ARCHITECTURE)).context(ARCHITECTURE)?;
    let edges = Edges::from_markdown(&text)?;
    let mut problems: Vec<String> = Vec::new();
    for package in &metadata.packages {
        problems.extend(edges.broken_by(package));
        problems.extend(libtorch_edges(package));
        problems.extend(unsafe_targets(package));
        problems.extend(unsafe_opt_ins(package)?);
        problems.extend(manifests::incomplete(package));
    }
    problems.extend(dense_bits::avx512_products(workspace.cargo())?);
    problems.extend(invalid_configs(&workspace.configs())?);
    for problem in &problems {
        terminal::note(format_args!("error: {problem}"));
    }
    if !problems.is_empty() {
        bail!("{} of the project's rules broken; each is named above", problems.len());
    }

    step("formatting: cargo fmt", workspace.cargo().args(["fmt", "--all", "--", "--check"]))?;
    let mut clippy = workspace.cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    step("clippy: cargo clippy --workspace --all-targets", &mut clippy)?;
    let mut clippy = workspace.cargo();
    clippy.arg("clippy").args(WITH_DEMO).args(["--lib", "--", "-D", "warnings"]);
    step("clippy of the demo: cargo clippy --workspace --features mcdnn/demo --test demo --lib", &mut clippy)
}

/// What is read of `cargo metadata`.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
    #[serde(flatten)]
    about: manifests::About,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
    optional: bool,
    /// The versions that fit; `*` where the manifest names none.
    req: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: String,
}

fn metadata(workspace: &Workspace) -> Result<Metadata> {
    let output = workspace
        .cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed something unexpected")
}

/// Which crates of the workspace a crate may depend on, in the order of the table. Development dependencies are free,
/// because nothing that is shipped follows them.
#[derive(Debug, PartialEq)]
struct Edges(Vec<(String, Vec<String>)>);

impl Edges {
    /// Reads the table: its rows begin with a crate's name in backquotes and end with the crates it may depend on, separated by
    /// commas, or a dash.
    fn from_markdown(text: &str) -> Result<Self> {
        let rows = text
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.trim_end().strip_suffix('|')?.split_once('`'));
        let edges = rows.map(|(name, rest)| {
            let last = rest.rsplit('|').next().unwrap_or_default();
            let allowed = last.split(',').map(|word| word.trim().trim_matches('`').to_owned());
            (name.to_owned(), allowed.filter(|word| word != "–").collect())
        });
        let edges = Self(edges.collect());
        for (name, allowed) in &edges.0 {
            if let Some(unknown) = allowed.iter().find(|to| edges.of(to).is_none()) {
                bail!(
                    "{ARCHITECTURE}: the row of {name} allows an edge to {unknown}, expected crates of the table or –"
                );
            }
        }
        Ok(edges)
    }

    fn of(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, allowed)| allowed.as_slice())
    }

    /// The dependencies of a package that the table does not have, a sentence each.
    fn broken_by(&self, package: &Package) -> Vec<String> {
        let Package { name, manifest_path, dependencies, .. } = package;
        let Some(allowed) = self.of(name) else {
            return vec![format!("{manifest_path}: the crate {name} is not in the table of {ARCHITECTURE}")];
        };
        let is_shipped_member =
            |to: &&Dependency| to.kind.as_deref() != Some("dev") && self.of(&to.name).is_some();
        let edges = dependencies.iter().filter(is_shipped_member).filter(|to| !allowed.contains(&to.name));
        let may =
            if allowed.is_empty() { "no crate of the workspace".to_owned() } else { allowed.join(", ") };
        edges
            .map(|to| {
                format!("{manifest_path}: depends on {}, but {ARCHITECTURE} allows {name} {may}", to.name)
            })
            .collect()
    }
}

/// The dependencies of a package on libtorch's bindings that may not be, a sentence each.
fn libtorch_edges(package: &Package) -> Vec<String> {
    let Package { name, manifest_path, dependencies, .. } = package;
    let bindings = dependencies.iter().filter(|to| ["tch", "torch-sys"].contains(&to.name.as_str()));
    let wrong = bindings.filter(|to| name != LIBTORCH_CRATE || !to.optional);
    let sentence = |to: &Dependency| {
        format!(
            "{manifest_path}: depends on {}, which must be optional and of {LIBTORCH_CRATE} alone",
            to.name
        )
    };
    wrong.map(sentence).collect()
}

/// The libraries and programs of a package that do not forbid unsafe code. Tests and benches are under the
/// workspace's lint `unsafe_code = "deny"`.
fn unsafe_targets(package: &Package) -> Vec<String> {
    if package.name == UNSAFE_CRATE {
        return Vec::new();
    }
    let shipped = |target: &&Target| target.kind.iter().any(|kind| kind == "lib" || kind == "bin");
    let targets = package.targets.iter().filter(shipped);
    let forbids =
        if package.name == LIBTORCH_CRATE { FORBIDS_WITHOUT_LIBTORCH } else { "#![forbid(unsafe_code)]" };
    let problem = |target: &Target| match fs::read_to_string(&target.src_path) {
        Ok(text) if text.lines().any(|line| line.trim() == forbids) => None,
        Ok(_) => Some(format!(
            "{}: has no `{forbids}`; unsafe code belongs into {UNSAFE_CRATE} alone",
            target.src_path
        )),
        Err(error) => Some(format!("{}: {error}", target.src_path)),
    };
    targets.filter_map(problem).collect()
}

/// The files of the crate with libtorch that opt in to unsafe code and are not the one that may.
fn unsafe_opt_ins(package: &Package) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if package.name != LIBTORCH_CRATE {
        return Ok(problems);
    }
    let mut folders = vec![Path::new(&package.manifest_path).with_file_name("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry.with_context(|| folder.display().to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(LOADER) {
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                if ["expect(unsafe_code", "allow(unsafe_code"].iter().any(|opt_in| text.contains(opt_in)) {
                    problems.push(format!(
                        "{}: opts in to unsafe code, expected that of {LOADER} alone",
                        path.display()
                    ));
                }
            }
        }
    }
    Ok(problems)
}

/// The configs that are not valid studies. The schema beside them is none and is checked by a test of `study`.
fn invalid_configs(folder: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in json_files(folder)? {
        if let Err(error) = Study::read(&path) {
            problems.push(format!("{:#}", anyhow::Error::new(error)));
        }
    }
    Ok(problems)
}

fn json_files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| folder.display().to_string())?;
    let is_config = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|extension| extension == "json")
            && !path.to_string_lossy().ends_with(".schema.json")
    };
    paths.retain(is_config);
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>, bool)]) -> Package {
        let dependency = |&(name, kind, optional): &(&str, Option<&str>, bool)| Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            optional,
            req: String::new(),
        };
        Package {
            name: name.to_owned(),
            manifest_path: format!("crates/{name}/Cargo.toml"),
            dependencies: dependencies.iter().map(dependency).collect(),
            targets: Vec::new(),
            about: manifests::About::default(),
        }
    }

    const TABLE: &str = "\
| crate | what it is | depends on |
| --- | --- | --- |
| `net` | the network, with \u{60}tch\u{60} or without | – |
| `study` | the config | net |
| `trainer` | the program | `net`, study |
";

    #[track_caller]
    fn check_edges(name: &str, dependencies: &[(&str, Option<&str>, bool)], want: &[&str]) {
        let got = Edges::from_markdown(TABLE).unwrap().broken_by(&package(name, dependencies));
        assert_eq!(got.len(), want.len(), "{got:?}");
        for (got, want) in got.iter().zip(want) {
            assert!(got.contains(want), "{got}");
        }
    }

    #[test]
    fn edges_of_the_table_pass_and_others_are_named() {
        check_edges("trainer", &[("net", None, false), ("study", None, false), ("serde", None, false)], &[]);
        check_edges("net", &[("study", Some("dev"), false)], &[]);
        check_edges(
            "net",
            &[("study", None, false)],
            &["depends on study, but docs/ARCHITECTURE.md allows net no crate"],
        );
        check_edges(
            "study",
            &[("trainer", None, true)],
            &["depends on trainer, but docs/ARCHITECTURE.md allows study net"],
        );
        check_edges("newcomer", &[], &["newcomer is not in the table"]);
    }

    #[test]
    fn a_row_with_something_else_than_crates_is_refused() {
        let error = Edges::from_markdown("| `net` | it | all but study |").unwrap_err().to_string();
        assert!(error.contains("the row of net allows an edge to all but study"), "{error}");
    }

    #[test]
    fn libtorch_is_optional_and_of_one_crate() {
        let n_wrong = |name, optional| libtorch_edges(&package(name, &[("tch", None, optional)])).len();
        assert_eq!(
            (n_wrong("ciresan-net", true), n_wrong("ciresan-net", false), n_wrong("trainer", true)),
            (0, 1, 1)
        );
    }

    #[test]
    fn a_library_that_does_not_forbid_unsafe_code_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lib.rs");
        let target = || Target { kind: vec!["lib".to_owned()], src_path: path.display().to_string() };
        let with = |name: &str| Package { targets: vec![target()], ..package(name, &[]) };

        fs::write(&path, "//! Docs.\n").unwrap();
        assert_eq!(unsafe_targets(&with("study")).len(), 1);
        assert_eq!(unsafe_targets(&with("ciresan-cpu")).len(), 0);
        fs::write(&path, "//! Docs.\n#![forbid(unsafe_code)]\n").unwrap();
        assert_eq!(unsafe_targets(&with("study")).len(), 0);

        fs::write(&path, format!("//! Docs.\n{FORBIDS_WITHOUT_LIBTORCH}\n")).unwrap();
        assert_eq!(
            (unsafe_targets(&with("study")).len(), unsafe_targets(&with("ciresan-net")).len()),
            (1, 0)
        );
    }

    #[test]
    fn only_the_loader_of_a_library_opts_in() {
        let folder = tempfile::tempdir().unwrap();
        let net = Package {
            manifest_path: folder.path().join("Cargo.toml").display().to_string(),
            ..package("ciresan-net", &[])
        };
        fs::create_dir_all(folder.path().join("src/libtorch")).unwrap();
        let opt_in = "#[expect(unsafe_code, reason = \"it loads\")]";
        fs::write(folder.path().join("src").join(LOADER), opt_in).unwrap();
        assert_eq!(unsafe_opt_ins(&net).unwrap(), Vec::<String>::new());
        fs::write(folder.path().join("src/network.rs"), opt_in).unwrap();
        let problems = unsafe_opt_ins(&net).unwrap();
        assert!(problems.len() == 1 && problems[0].contains("network.rs: opts in"), "{problems:?}");
    }

    #[test]
    fn an_invalid_config_is_named_and_the_schema_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("study.schema.json"), "{}").unwrap();
        assert!(invalid_configs(folder.path()).unwrap().is_empty());
        fs::write(folder.path().join("bad.json"), "{}").unwrap();
        let problems = invalid_configs(folder.path()).unwrap();
        assert!(problems.len() == 1 && problems[0].contains("bad.json"), "{problems:?}");
    }
}
