//! Deterministic CBOR (RFC 8949 §4.2): one value has exactly one encoding.
//!
//! Structures are CBOR arrays whose elements have fixed positions; absent elements at the end are
//! left out, others are null. Integers are shortest-form, lengths definite. The decoder does not
//! trust the writer: it decodes, encodes again and compares, so a second spelling of the same
//! value, trailing bytes, or a field it would drop are all refused. Sizes are bounded by the
//! caller before decoding, and with them every collection; what costs more than its bytes has its
//! own bound in [`crate::limits`].

use minicbor::{Decode, Decoder, Encode, Encoder};

/// Why bytes are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes do not have the expected structure.
    #[error("the bytes do not have the expected structure")]
    Malformed,
    /// The value has another, shorter or sorted, spelling.
    #[error("the encoding is not the canonical one")]
    NotCanonical,
    /// The value is larger than its limit.
    #[error("the value is larger than its limit")]
    TooLarge,
}

/// Encodes a value.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail, and none of our encoders reports an error of its own.
    let _ = Encoder::new(&mut bytes).encode(value);
    bytes
}

/// Decodes a value and refuses every other spelling of it.
///
/// # Errors
/// [`CodecError::Malformed`] when the structure differs, [`CodecError::NotCanonical`] when encoding
/// the value again gives other bytes.
pub fn decode<T>(bytes: &[u8]) -> Result<T, CodecError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let mut decoder = Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| CodecError::Malformed)?;
    if decoder.position() != bytes.len() {
        return Err(CodecError::NotCanonical);
    }
    if encode(&value) == bytes { Ok(value) } else { Err(CodecError::NotCanonical) }
}

/// Decodes a value no longer than `bytes_max`.
///
/// # Errors
/// [`CodecError::TooLarge`] beyond the limit, otherwise as [`decode`].
pub fn decode_bounded<T>(bytes: &[u8], bytes_max: usize) -> Result<T, CodecError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    if bytes.len() > bytes_max { Err(CodecError::TooLarge) } else { decode(bytes) }
}

/// A list that is left out where it would be empty, so that a format to which it was added stays
/// what it was.
pub mod list_if_any {
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decode, Decoder, Encode, Encoder};

    /// Writes the list.
    ///
    /// # Errors
    /// As the writer's.
    pub fn encode<C, T: Encode<C>, W: Write>(
        list: &[T],
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        list.encode(encoder, context)
    }

    /// Reads the list.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode<'b, C, T: Decode<'b, C>>(
        decoder: &mut Decoder<'b>,
        context: &mut C,
    ) -> Result<Vec<T>, DecodeError> {
        Vec::decode(decoder, context)
    }

    /// What stands for a list that was left out.
    #[must_use]
    pub const fn nil<T>() -> Option<Vec<T>> {
        Some(Vec::new())
    }

    /// Whether the list is left out.
    #[must_use]
    pub const fn is_nil<T>(list: &[T]) -> bool {
        list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_spelling_of_an_integer_is_refused() {
        assert_eq!(decode::<u64>(&[0x05]), Ok(5));
        assert_eq!(decode::<u64>(&[0x18, 0x05]), Err(CodecError::NotCanonical));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(decode::<u64>(&[0x05, 0x00]), Err(CodecError::NotCanonical));
    }

    #[test]
    fn a_declared_length_without_its_bytes_is_refused_without_allocating_it() {
        let huge = [0x9b, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(decode::<Vec<u64>>(&huge), Err(CodecError::Malformed));
    }
}
