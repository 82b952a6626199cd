//! JSON files that carry a checksum of themselves, so that no flipped bit is read as if it had been written.
//!
//! A sealed file is one indented JSON object whose last key is `sha256`: the SHA-256, hexadecimal, of all bytes
//! before that key. Any JSON reader can read it; this one refuses a file whose checksum does not hold.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// What stands between the object's other keys and the checksum.
const KEY: &str = ",\n  \"sha256\": \"";
/// What stands behind the checksum.
const END: &str = "\"\n}\n";
/// What an indented object ends with.
const CLOSE: &str = "\n}";

/// A file whose checksum does not hold, or that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("damaged: the checksum at its end does not match its content")]
pub struct BrokenSeal;

/// The bytes of a sealed file that holds `value`, which must be a struct with at least one key.
#[must_use]
pub fn seal(value: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_string_pretty(value).expect("plain keys and finite numbers");
    let body = text.strip_suffix(CLOSE).expect("an indented object with keys ends like this");
    format!("{body}{KEY}{}{END}", sha256_hex(body.as_bytes())).into_bytes()
}

/// The JSON object in a sealed file, without its checksum.
///
/// # Errors
/// [`BrokenSeal`] when a bit has changed, a byte is missing, or the file was never sealed.
pub fn unseal(text: &str) -> Result<String, BrokenSeal> {
    let (body, sum) = text.strip_suffix(END).and_then(|text| text.rsplit_once(KEY)).ok_or(BrokenSeal)?;
    if sha256_hex(body.as_bytes()) == sum { Ok(format!("{body}{CLOSE}")) } else { Err(BrokenSeal) }
}

/// The SHA-256 of some bytes, hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Serialize)]
    struct Sample<'a> {
        errors: u32,
        names: &'a [&'a str],
    }

    fn sample() -> Vec<u8> {
        seal(&Sample { errors: 23, names: &["a, \"sha256\": \"b\"", "ö"] })
    }

    #[test]
    fn a_sealed_file_is_plain_json_with_its_checksum_last() {
        let text = String::from_utf8(sample()).unwrap();
        assert!(text.starts_with("{\n  \"errors\": 23,\n") && text.ends_with("\"\n}\n"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["sha256"].as_str().unwrap().len(), 64);
        let value: serde_json::Value = serde_json::from_str(&unseal(&text).unwrap()).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 2);
    }

    #[test]
    fn every_flipped_bit_and_every_prefix_is_found() {
        let whole = sample();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                let Ok(text) = str::from_utf8(&flipped) else { continue };
                assert_eq!(unseal(text), Err(BrokenSeal), "bit {bit} of byte {at}");
            }
            let Ok(text) = str::from_utf8(&whole[..at]) else { continue };
            assert_eq!(unseal(text), Err(BrokenSeal), "the first {at} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_text_but_a_sealed_one_is_refused(text in ".{0,200}") {
            prop_assert_eq!(unseal(&text), Err(BrokenSeal));
        }
    }
}
