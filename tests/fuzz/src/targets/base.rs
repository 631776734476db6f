//! The base: what was encoded is decoded, and other bytes are refused.

use create_app::deflated::{BaseError, Encoder, decode};
use create_app::digest::Digest;

pub(crate) fn run(data: &[u8]) {
    let digest = Digest::of(data);
    let encoded = Encoder::default().encode(data);
    assert_eq!(decode(digest, &encoded).as_deref(), Ok(data));
    match decode(digest, data) {
        Ok(bytes) => assert_eq!(Digest::of(&bytes), digest),
        Err(BaseError::NotDeflated | BaseError::TooLarge | BaseError::WrongDigest) => {}
    }
    // Cut, it must not decode to the same.
    if let Some((_, cut)) = encoded.split_last() {
        assert!(decode(digest, cut).is_err() && decode(digest, &encoded[..cut.len()]).is_err());
    }
}
