//! The picture of the README, for rustdoc.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `UPDATE_SHEET=1 cargo test -p preprocess --test it sheet` writes it anew.
#[test]
fn the_documentation_shows_the_readmes_picture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc");
    let png = fs::read(folder.join("sheet.png")).unwrap();
    let want = format!("[sheet]: data:image/png;base64,{}\n\n", STANDARD.encode(png));
    if std::env::var_os("UPDATE_SHEET").is_some() {
        fs::write(folder.join("sheet.md"), &want).unwrap();
    }
    assert!(
        fs::read_to_string(folder.join("sheet.md")).unwrap() == want,
        "doc/sheet.md is of another picture"
    );
}
