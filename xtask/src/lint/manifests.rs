//! Whether every crate that others may take can be packaged and found.

use std::path::Path;

use serde::Deserialize;

use super::Package;

/// What a manifest says of its package.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    description: Option<String>,
    license: Option<String>,
    readme: Option<String>,
    keywords: Vec<String>,
    categories: Vec<String>,
    /// The registries it may be published in; none for a package of this workspace alone.
    publish: Option<Vec<String>>,
    /// `[package.metadata]`.
    metadata: Option<serde_json::Value>,
}

/// Files that a package must hold beside its sources.
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Most keywords that a registry takes.
const MAX_KEYWORDS: usize = 5;

/// What is missing from a package's manifest or folder, each in a sentence.
pub(super) fn incomplete(package: &Package) -> Vec<String> {
    let About { description, license, readme, keywords, categories, publish, metadata } = &package.about;
    if publish.as_ref().is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    let folder = Path::new(&package.manifest_path).parent().unwrap_or(Path::new(""));
    let mut missing: Vec<String> = Vec::new();
    for (key, is_there) in [
        ("description", description.as_deref().is_some_and(|text| !text.is_empty())),
        ("license", license.is_some()),
        ("readme", readme.is_some()),
        ("keywords, 1 to 5", (1..=MAX_KEYWORDS).contains(&keywords.len())),
        ("categories", !categories.is_empty()),
        ("package.metadata.docs.rs", metadata.as_ref().is_some_and(|all| all["docs"]["rs"].is_object())),
    ] {
        missing.extend((!is_there).then(|| format!("key {key}")));
    }
    let absent = LICENCES.into_iter().filter(|name| !folder.join(name).is_file());
    missing.extend(absent.map(|name| format!("file {name}")));
    let without_version = package.dependencies.iter().filter(|dependency| dependency.req == "*");
    missing
        .extend(without_version.map(|dependency| format!("version of the dependency {}", dependency.name)));
    let name = &package.name;
    missing.into_iter().map(|what| format!("{name}: missing in its manifest or folder: {what}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Dependency;

    fn package(folder: &Path) -> Package {
        Package {
            name: "a".to_owned(),
            manifest_path: folder.join("Cargo.toml").display().to_string(),
            dependencies: vec![Dependency {
                name: "b".to_owned(),
                kind: None,
                optional: false,
                req: "^0.1.0".to_owned(),
            }],
            targets: Vec::new(),
            about: About {
                description: Some("what it is".to_owned()),
                license: Some("MIT".to_owned()),
                readme: Some("README.md".to_owned()),
                keywords: vec!["mnist".to_owned()],
                categories: vec!["science".to_owned()],
                publish: None,
                metadata: Some(serde_json::json!({ "docs": { "rs": { "all-features": true } } })),
            },
        }
    }

    #[test]
    fn whatever_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        LICENCES.iter().for_each(|name| std::fs::write(folder.path().join(name), "text").unwrap());
        let missing = |change: fn(&mut Package)| {
            let mut package = package(folder.path());
            change(&mut package);
            incomplete(&package)
        };
        assert_eq!(missing(|_| {}), [""; 0]);
        for (change, what) in [
            ((|package| package.about.description = None) as fn(&mut Package), "key description"),
            (|package| package.about.readme = None, "key readme"),
            (|package| package.about.keywords.clear(), "key keywords, 1 to 5"),
            (|package| package.about.categories.clear(), "key categories"),
            (|package| package.about.metadata = None, "key package.metadata.docs.rs"),
            (|package| package.dependencies[0].req = "*".to_owned(), "version of the dependency b"),
            (|package| package.manifest_path = "/no/such/Cargo.toml".to_owned(), "file LICENSE-MIT"),
        ] {
            let got = missing(change);
            assert!(got[0].ends_with(what), "{got:?}");
        }
        let of_the_workspace = |package: &mut Package| {
            package.about.description = None;
            package.about.publish = Some(Vec::new());
        };
        assert_eq!(missing(of_the_workspace), [""; 0]);
    }
}
