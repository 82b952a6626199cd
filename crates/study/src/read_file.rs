//! Reading a file of a column, of any kind.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest file of a column, in bytes: 256 MiB, which are the weights of 800 networks of the paper, or the probabilities of 6 million digits.
const MAX_BYTES: u64 = 256 << 20;

/// The bytes of a file of at most [`MAX_BYTES`]; of a longer one none is read.
///
/// # Errors
/// The system's, and one that names the limit.
pub(crate) fn read_at_most(path: &Path) -> io::Result<Vec<u8>> {
    let too_long = || io::Error::other(format!("longer than {MAX_BYTES} bytes"));
    let file = File::open(path)?;
    let n_bytes = file.metadata()?.len();
    if n_bytes > MAX_BYTES {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(n_bytes as usize);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_long()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_too_long_is_refused_and_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(read_at_most(&path).unwrap_err().to_string(), "longer than 268435456 bytes");
        std::fs::write(&path, "short").unwrap();
        assert_eq!(read_at_most(&path).unwrap(), b"short");
        assert_eq!(
            read_at_most(folder.path().join("no").as_path()).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
