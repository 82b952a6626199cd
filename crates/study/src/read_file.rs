//! Reading a file of a column, of any kind.

use std::io;
use std::path::Path;

/// Largest file of a column, in bytes: 256 MiB, which are the weights of 800 networks of the paper, or the probabilities of 6 million digits.
const MAX_BYTES: u64 = 256 << 20;

/// The bytes of a file of a column, of at most 256 MiB; of a longer one none is read.
///
/// # Errors
/// The system's, and one that names the limit.
pub fn read_column_file(path: &Path) -> io::Result<Vec<u8>> {
    committee::read_at_most(path, MAX_BYTES)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_file_too_long_is_refused_and_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(read_column_file(&path).unwrap_err().to_string(), "longer than 268435456 bytes");
        std::fs::write(&path, "short").unwrap();
        assert_eq!(read_column_file(&path).unwrap(), b"short");
        assert_eq!(
            read_column_file(folder.path().join("no").as_path()).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
