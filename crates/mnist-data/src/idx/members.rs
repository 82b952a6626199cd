//! Gzip data of one member or several, as `gzip` itself takes them: `cat a.gz b.gz` inflates to what `cat a b` gives, and zeros behind are
//! padding.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// How a member starts (RFC 1952).
const MARK: u8 = 0x1f;

/// The inflated members, one after the other.
pub(super) struct Members<R> {
    /// The member that is being inflated, or what follows the last one.
    now: Option<Result<GzDecoder<R>, R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn of(reader: R) -> Self {
        Self { now: Some(Ok(GzDecoder::new(reader))) }
    }

    /// Bytes that follow the last member and are no zeros, as far as they are buffered.
    pub(super) fn n_after(self) -> io::Result<u64> {
        let mut rest = match self.now {
            Some(Ok(decoder)) => decoder.into_inner(),
            Some(Err(rest)) => rest,
            None => return Ok(0),
        };
        loop {
            let bytes = rest.fill_buf()?;
            let n_zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            if n_zeros < bytes.len() || bytes.is_empty() {
                return Ok((bytes.len() - n_zeros) as u64);
            }
            rest.consume(n_zeros);
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(Ok(decoder)) = &mut self.now {
            let n = decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            // The member's sum has been compared.
            let Some(Ok(decoder)) = self.now.take() else { break };
            let mut rest = decoder.into_inner();
            let is_member = rest.fill_buf()?.first() == Some(&MARK);
            self.now = Some(if is_member { Ok(GzDecoder::new(rest)) } else { Err(rest) });
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(file: &[u8]) -> (Vec<u8>, u64) {
        // A buffer so small that marks and zeros lie in several.
        let mut members = Members::of(BufReader::with_capacity(3, file));
        let mut bytes = Vec::new();
        members.read_to_end(&mut bytes).unwrap();
        (bytes, members.n_after().unwrap())
    }

    #[test]
    fn members_follow_one_another_and_zeros_end_them() {
        let two = [member(b"one"), member(b""), member(b" and two")].concat();
        assert_eq!(inflated(&two), (b"one and two".to_vec(), 0));
        assert_eq!(inflated(&[&two[..], &[0; 700]].concat()), (b"one and two".to_vec(), 0));
        let (bytes, n_after) = inflated(&[&two[..], &[0; 7], b"x"].concat());
        assert!(bytes == b"one and two" && n_after > 0);
    }
}
