//! SHA-256 of streams, as lower-case hex.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// A file's name and the SHA-256 of its raw (not gzipped) bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileHash {
    /// Name as the collection has it, without folder and without `.gz`.
    pub name: String,
    /// SHA-256 of the raw IDX bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A writer that hashes what it is given.
#[derive(Default)]
pub(crate) struct HashWriter(Sha256);

impl HashWriter {
    /// The hash of all bytes written, as 64 lower-case hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digest = self.0.finalize();
        let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles.map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect()
    }
}

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_the_standards_first_example() {
        // FIPS 180-4's example: SHA-256("abc").
        let mut hash = HashWriter::default();
        hash.write_all(b"a").unwrap();
        hash.write_all(b"bc").unwrap();
        assert_eq!(hash.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
