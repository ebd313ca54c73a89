//! The plain body of an author entry.

use crate::codec::{self, CodecError};
use crate::ids::RecordId;
use crate::limits;
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

/// The operation is a change of a record, in the explicit form of `record::Change`.
pub const OPERATION_CHANGE: u32 = 1;

/// What an entry says once opened. An operation of an unknown code is kept, forwarded and shown as
/// written by a newer version, never dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payload {
    /// The record concerned.
    #[n(0)]
    pub record: RecordId,
    /// What kind of operation follows.
    #[n(1)]
    pub operation_code: u32,
    /// The operation, encoded.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub operation: Vec<u8>,
    /// The person who acted, as the writing node knows them.
    #[n(3)]
    pub operator: String,
    /// When, by the writer's clock: a claim.
    #[n(4)]
    pub written_at: Timestamp,
    /// Why, in the person's words.
    #[n(5)]
    pub comment: Option<String>,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Payload({:?}, …)", self.record)
    }
}

impl Payload {
    /// Decodes an opened body within its limits.
    ///
    /// # Errors
    /// As [`codec::decode`], and [`CodecError::TooLarge`] beyond a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let payload: Self = codec::decode_bounded(bytes, limits::PAYLOAD_BYTES_MAX)?;
        let comment = payload.comment.as_ref().map_or(0, String::len);
        if payload.operator.len() > limits::OPERATOR_BYTES_MAX
            || comment > limits::COMMENT_BYTES_MAX
        {
            return Err(CodecError::TooLarge);
        }
        Ok(payload)
    }
}
