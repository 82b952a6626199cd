//! Frozen copies of configs of format 1, and their hashes, which never change.
//!
//! A results folder belongs to one config by its hash. A version that hashed one of these configs to another value would
//! refuse the folders that were begun with it. So a new key must be optional, and a config without it must keep its hash. Do not
//! edit the files or the hashes; the configs in `configs/` may change.

use std::path::Path;

use study::Study;

#[track_caller]
fn check(name: &str, hash: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/configs-1");
    let study = Study::read(&folder.join(name)).unwrap();
    assert_eq!(study.hash(), hash, "{name}");
    // Results folders hold the config with every key written out.
    assert_eq!(Study::from_json(&study.to_json()).unwrap().hash(), hash, "{name}, written out");
}

#[test]
fn paper_keeps_its_hash() {
    check("paper.json", "ec3d93aa47e1e6898bfb806527dddf50b2814c4927a0580861d9f4a2a99da824");
}

#[test]
fn theano_keeps_its_hash() {
    check("theano.json", "49b707eb73962c99dc1b58756623608dd551ff6f7d348676cb4f484186e85afa");
}

#[test]
fn held_out_keeps_its_hash() {
    check("held-out.json", "6ef53fee0300f2efcb2e1da13a3e0fc6685b84fa8fdb271457cf40b388ad3810");
}

#[test]
fn quick_keeps_its_hash() {
    check("quick.json", "603dfb65a01e9a4075ba96191f563a3919247b2c77f733db695bfe939249af36");
}
