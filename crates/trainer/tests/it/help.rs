//! The help, as it is read: `UPDATE_HELP=1` rewrites the snapshot.

use std::path::Path;
use std::process::Command;

#[test]
fn the_help_is_the_one_reviewed() {
    let output = Command::new(env!("CARGO_BIN_EXE_trainer")).arg("--help").output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let got = String::from_utf8(output.stdout).unwrap();
    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help.txt");
    if std::env::var_os("UPDATE_HELP").is_some() {
        std::fs::write(&snapshot, &got).unwrap();
    }
    assert_eq!(
        got,
        std::fs::read_to_string(&snapshot).unwrap(),
        "run with UPDATE_HELP=1 and review the change"
    );
}
