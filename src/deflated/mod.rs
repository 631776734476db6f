//! The base: the pristine bytes of each file, deflated (zlib), under the name of their digest.
//!
//! Deflated, because git would otherwise take a file that the template moved for one that moved into the base, and
//! because formatters, search and scanners then leave it alone. The encoder is the one of `miniz_oxide`, not whichever
//! zlib happens to be linked: it is portable Rust and writes the same bytes on every machine, so two branches that made
//! the same upgrade do not conflict.

mod inflate;

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};
use thiserror::Error;

pub use self::inflate::{Inflater, Unread};
use crate::digest::Digest;

/// The largest file that the base keeps and that [`decode`] makes, in bytes: a few forged bytes must not fill the memory.
pub const LIMIT: usize = 256 << 20;

/// Level 1: a template's text shrinks to about a third at more than 100 MB/s, and higher levels gain a few per cent.
const LEVEL: i32 = 1;

/// Why the base's bytes for a digest cannot be used. The texts complete "the base … ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BaseError {
    /// Not what [`Encoder`] writes.
    #[error("is damaged: it is not deflated data")]
    NotDeflated,
    /// More than [`LIMIT`].
    #[error("is damaged: it would be larger than {} MB", LIMIT >> 20)]
    TooLarge,
    /// Other bytes than those that were recorded.
    #[error("was changed: its content does not match its name")]
    WrongDigest,
}

/// Makes the bytes that the base keeps. An encoder's tables take 300 KB: use one for many files.
#[derive(Debug)]
pub struct Encoder(Box<Compressor>);

/// `miniz_oxide`'s compressor, which has no `Debug`.
struct Compressor(CompressorOxide);

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compressor")
    }
}

impl Default for Encoder {
    fn default() -> Self {
        // Positive window bits ask for a zlib header; strategy 0 is the default one.
        let flags = create_comp_flags_from_zip_params(LEVEL, 15, 0);
        Self(Box::new(Compressor(CompressorOxide::new(flags))))
    }
}

impl Encoder {
    /// The bytes as the base keeps them. Equal bytes give equal results on every machine.
    #[must_use]
    pub fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        let compressor = &mut self.0.0;
        compressor.reset();
        // What does not shrink takes 5 bytes more for each 32 KB; and to grow takes twice as much for a moment.
        let mut encoded = Vec::with_capacity(bytes.len() + bytes.len() / 4096 + 64);
        let (status, taken) = compress_to_output(compressor, bytes, TDEFLFlush::Finish, |part| {
            encoded.extend_from_slice(part);
            true
        });
        // It can only end early where the callback says so.
        debug_assert!(status == TDEFLStatus::Done && taken == bytes.len());
        encoded.shrink_to_fit();
        encoded
    }
}

/// The bytes that were given to [`Encoder::encode`].
///
/// # Errors
///
/// Says why `encoded` does not hold the bytes of this digest.
pub fn decode(digest: Digest, encoded: &[u8]) -> Result<Vec<u8>, BaseError> {
    decode_within(LIMIT, digest, encoded)
}

pub(crate) fn decode_within(limit: usize, digest: Digest, encoded: &[u8]) -> Result<Vec<u8>, BaseError> {
    let bytes = decompress_to_vec_zlib_with_limit(encoded, limit).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => BaseError::TooLarge,
        _ => BaseError::NotDeflated,
    })?;
    if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(BaseError::WrongDigest) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(bytes: &[u8]) -> Vec<u8> {
        Encoder::default().encode(bytes)
    }

    #[test]
    fn an_encoder_remembers_nothing_of_the_last_file() {
        let mut encoder = Encoder::default();
        for text in ["the same line\n".repeat(500), String::new(), "the same line\n".repeat(3)] {
            assert_eq!(encoder.encode(text.as_bytes()), encode(text.as_bytes()));
        }
    }

    #[test]
    fn the_encoding_is_fixed() {
        let text = "create-app keeps what it rendered; create-app keeps what it rendered.\n".repeat(40);
        let digest = "6a1defb8eb5856440cdea00c17dcce5ac5b31f91b1cc945da4a490f7e38a8597";
        assert_eq!(Digest::of(&encode(text.as_bytes())).to_string(), digest, "projects hold the old encoding");
        assert_eq!(encode(b""), [0x78, 0x01, 0x03, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn what_was_changed_cut_or_forged_is_refused() {
        let bytes = b"the same line\n".repeat(100);
        let digest = Digest::of(&bytes);
        let encoded = encode(&bytes);
        assert_eq!(decode(digest, &encoded[..encoded.len() - 1]), Err(BaseError::NotDeflated));
        assert_eq!(decode(digest, b"plain text"), Err(BaseError::NotDeflated));
        assert_eq!(decode(digest, b""), Err(BaseError::NotDeflated));
        assert_eq!(decode(digest, &encode(b"other")), Err(BaseError::WrongDigest));
    }

    #[test]
    fn a_few_bytes_cannot_fill_the_memory() {
        let zeros = vec![0; 1 << 20];
        let (bomb, digest) = (encode(&zeros), Digest::of(&zeros));
        assert!(bomb.len() < zeros.len() / 100);
        assert_eq!(decode_within(zeros.len() - 1, digest, &bomb), Err(BaseError::TooLarge));
        assert_eq!(decode_within(zeros.len(), digest, &bomb), Ok(zeros));
    }

    proptest! {
        #[test]
        fn every_content_survives(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(decode(Digest::of(&bytes), &encode(&bytes)), Ok(bytes));
        }
    }
}
