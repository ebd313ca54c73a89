//! The body of an author entry as it travels and is stored: sealed, or erased.

use crate::crypto::Domain;
use crate::limits;
use minicbor::data::Type;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A sealed body, or what remains of it after an erasure: enough for the entry's hash, so that the
/// chain and its signatures still hold. In CBOR a sealed body is a byte string, an erased one an
/// array of hash and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// As its author sealed it.
    Sealed(Vec<u8>),
    /// Erased.
    Erased {
        /// Hash of the sealed body.
        hash: [u8; 32],
        /// Its length in bytes.
        length: u64,
    },
}

impl Body {
    /// The sealed bytes, unless they were erased.
    #[must_use]
    pub fn sealed(&self) -> Option<&[u8]> {
        match self {
            Self::Sealed(bytes) => Some(bytes),
            Self::Erased { .. } => None,
        }
    }

    /// Whether only hash and length are left.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        matches!(self, Self::Erased { .. })
    }

    /// What goes into the hash of the entry: hash and length of the sealed bytes.
    #[must_use]
    pub fn hash_and_length(&self) -> ([u8; 32], u64) {
        match self {
            Self::Sealed(bytes) => (Domain::BODY.hash(&[bytes]), bytes.len() as u64),
            Self::Erased { hash, length } => (*hash, *length),
        }
    }

    /// The same body without its bytes.
    #[must_use]
    pub fn erased(&self) -> Self {
        let (hash, length) = self.hash_and_length();
        Self::Erased { hash, length }
    }

    /// Bytes that it takes on the wire.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.sealed().map_or(32, <[u8]>::len)
    }

    /// Whether the sealed bytes are, or were, no more than a body may have.
    #[must_use]
    pub fn is_within_limit(&self) -> bool {
        match self {
            Self::Sealed(bytes) => bytes.len() <= limits::BODY_BYTES_MAX,
            Self::Erased { length, .. } => *length <= limits::BODY_BYTES_MAX as u64,
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(sealed: Vec<u8>) -> Self {
        Self::Sealed(sealed)
    }
}

impl<C> Encode<C> for Body {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Sealed(bytes) => encoder.bytes(bytes)?.ok(),
            Self::Erased { hash, length } => encoder.array(2)?.bytes(hash)?.u64(*length)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Body {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        if decoder.datatype()? == Type::Bytes {
            return Ok(Self::Sealed(decoder.bytes()?.to_vec()));
        }
        if decoder.array()? != Some(2) {
            return Err(DecodeError::message("an erased body has a hash and a length"));
        }
        let hash = decoder.bytes()?.try_into();
        let hash = hash.map_err(|_| DecodeError::message("length of a body's hash"))?;
        Ok(Self::Erased { hash, length: decoder.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn an_erased_body_counts_for_the_hash_as_the_sealed_one_did() {
        let sealed = Body::from(vec![7; 100]);
        let erased = sealed.erased();
        assert_eq!(sealed.hash_and_length(), erased.hash_and_length());
        assert_eq!(erased.erased(), erased);
        for body in [sealed, erased] {
            assert_eq!(codec::decode::<Body>(&codec::encode(&body)), Ok(body));
        }
    }

    #[test]
    fn a_sealed_body_is_a_plain_byte_string() {
        assert_eq!(codec::encode(&Body::from(vec![7; 3])), [0x43, 7, 7, 7]);
    }
}
