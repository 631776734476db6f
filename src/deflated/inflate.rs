//! Reads a file of the base piece by piece: its digest is checked, and nothing is held but what the caller keeps.

use std::io::{self, Read};

use miniz_oxide::inflate::stream::{InflateState, MinReset, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};
use thiserror::Error;

use super::{BaseError, LIMIT};
use crate::digest::{Digest, Digester};
use crate::limits::Budget;

/// How much is read and inflated at a time, in bytes.
const PIECE: usize = 64 << 10;

/// Why a file of the base is not read to its end.
#[derive(Debug, Error)]
pub enum Unread {
    /// It does not hold the bytes of its digest.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// What all files inflate to is more than the run may spend.
    #[error("inflates to too much")]
    Spent,
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Inflates files of the base. Its tables take 50 KB, and its buffers 128 KB: use one for many files.
pub struct Inflater {
    state: Box<InflateState>,
    buffers: Box<[[u8; PIECE]; 2]>,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inflater")
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self { state: InflateState::new_boxed(DataFormat::Zlib), buffers: Box::new([[0; PIECE]; 2]) }
    }
}

impl Inflater {
    /// Checks that `encoded` holds the bytes of a digest, and gives them to `take` piece by piece; returns how many they are.
    /// `budget` is what all files together may inflate to, or be read of.
    ///
    /// # Errors
    ///
    /// Says why they cannot be used; what `take` got is not to be trusted then.
    pub fn check(
        &mut self,
        digest: Digest,
        mut encoded: impl Read,
        budget: &Budget,
        mut take: impl FnMut(&[u8]),
    ) -> Result<u64, Unread> {
        self.state.reset_as(MinReset);
        let [input, output] = &mut *self.buffers;
        let mut digester = Digester::default();
        let (mut length, mut waiting) = (0_u64, 0..0);
        loop {
            if waiting.is_empty() {
                waiting = 0..encoded.read(input)?;
            }
            let ended = waiting.is_empty();
            let step = inflate(&mut self.state, &input[waiting.clone()], output, MZFlush::None);
            let status = step.status.map_err(|_| BaseError::NotDeflated)?;
            waiting.start += step.bytes_consumed;
            length += step.bytes_written as u64;
            // Also what inflates to nothing costs something.
            if !budget.take(step.bytes_written.max(step.bytes_consumed) as u64) {
                return Err(Unread::Spent);
            }
            if length > LIMIT as u64 {
                return Err(BaseError::TooLarge.into());
            }
            digester.add(&output[..step.bytes_written]);
            take(&output[..step.bytes_written]);
            match status {
                MZStatus::StreamEnd => break,
                _ if ended && step.bytes_written == 0 => return Err(BaseError::NotDeflated.into()),
                _ => {}
            }
        }
        if digester.finish() == digest { Ok(length) } else { Err(BaseError::WrongDigest.into()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Encoder, decode};
    use super::*;

    fn read(digest: Digest, encoded: &[u8], budget: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let checked = Inflater::default().check(digest, encoded, &Budget::new(budget), |piece| bytes.extend(piece));
        let length = checked.map_err(|error| error.to_string())?;
        assert_eq!(length, bytes.len() as u64);
        Ok(bytes)
    }

    #[test]
    fn what_was_cut_or_forged_is_refused_and_nothing_is_read_beyond_the_budget() {
        let zeros = vec![0; 1 << 20];
        let (encoded, digest) = (Encoder::default().encode(&zeros), Digest::of(&zeros));
        assert_eq!(read(digest, &encoded, 1 << 20), Ok(zeros));
        assert_eq!(read(digest, &encoded, (1 << 20) - 1), Err("inflates to too much".into()));
        assert_eq!(read(digest, &encoded[..encoded.len() - 1], 1 << 21), Err(BaseError::NotDeflated.to_string()));
        assert_eq!(read(Digest::of(b""), &encoded, 1 << 21), Err(BaseError::WrongDigest.to_string()));
        // A header, then empty blocks without end.
        let endless = [&[0x78, 0x01][..], &[0, 0, 0, 0xff, 0xff].repeat(1 << 20)].concat();
        assert_eq!(read(digest, &endless, 1 << 20), Err("inflates to too much".into()));
    }

    proptest! {
        #[test]
        fn it_reads_what_decode_reads(bytes in proptest::collection::vec(0..4_u8, 0..200_000), cut in 0..40_usize, flip in any::<u8>()) {
            let mut encoded = Encoder::default().encode(&bytes);
            encoded.truncate(encoded.len() - cut.saturating_sub(30).min(encoded.len()));
            if flip < 64 && !encoded.is_empty() {
                let at = flip as usize * encoded.len() / 64;
                encoded[at] ^= flip | 1;
            }
            let digest = Digest::of(&bytes);
            let expected = decode(digest, &encoded).map_err(|error| error.to_string());
            prop_assert_eq!(read(digest, &encoded, 1 << 30), expected);
        }
    }
}
