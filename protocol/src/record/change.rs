//! What one user action does to one record: the body of an author entry.
//!
//! `[creation nonce or null, [dependency …], [operation …]]` in deterministic CBOR. What follows
//! from the causal past is not sent: the actor, its sequence, the numbers of the operations, what
//! they replace. A change is decoded without looking at any record; whether it counts is for
//! [`crate::record::gate`].

use crate::codec::{self, CodecError};
use crate::ids::{EntryHash, NodeId, OrganisationId};
use crate::limits::{CHANGE_DEPENDENCIES_MAX, CHANGE_OPERATIONS_MAX, PAYLOAD_BYTES_MAX};
use crate::record::operation::Operation;
use crate::record::value::bounded;
use crate::time::Timestamp;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A change of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The nonce from which the record's identifier derives, in the change that creates it.
    pub creation: Option<[u8; 8]>,
    /// The heads its author saw: sorted, each once; none in a creation.
    pub dependencies: Vec<Dependency>,
    /// What it does.
    pub operations: Vec<Operation>,
}

/// An earlier change that this one builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dependency {
    /// The author's previous change of this record under the same grant: the first bytes of its
    /// entry's hash. They tell a missing entry from one that was never written.
    Own([u8; 4]),
    /// The change in this entry.
    Entry(EntryHash),
}

/// A change with what its entry says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authored {
    /// The entry.
    pub entry: EntryHash,
    /// The node that wrote it.
    pub node: NodeId,
    /// The organisation of the node.
    pub organisation: OrganisationId,
    /// The grant under which the node wrote: its position in the access log.
    pub grant: u64,
    /// The sequence in the author's log.
    pub position: u64,
    /// Who did it, as the node declares.
    pub operator: String,
    /// Why, if the operator said so.
    pub comment: Option<String>,
    /// When, as the node declares.
    pub written_at: Timestamp,
    /// What was done.
    pub change: Change,
}

/// Who makes a change on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
    /// The node.
    pub node: NodeId,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// The grant under which it writes.
    pub grant: u64,
}

impl Dependency {
    /// Names the entry before as the author's own previous one.
    #[must_use]
    pub fn own(previous: &EntryHash) -> Self {
        let [first, second, third, fourth, ..] = *previous.as_bytes();
        Self::Own([first, second, third, fourth])
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let own = bytes.try_into().map(Self::Own);
        let entry = || bytes.try_into().map(EntryHash::from_bytes).map(Self::Entry);
        own.or_else(|_| entry()).map_err(|_| DecodeError::message("neither an entry nor a tag"))
    }
}

impl Change {
    /// The bytes that travel.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a change from the body of an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode_bounded(bytes, PAYLOAD_BYTES_MAX)
    }
}

impl<C> Encode<C> for Change {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.array(3)?;
        match &self.creation {
            Some(nonce) => encoder.bytes(nonce)?,
            None => encoder.null()?,
        };
        encoder.array(self.dependencies.len() as u64)?;
        for dependency in &self.dependencies {
            match dependency {
                Dependency::Own(tag) => encoder.bytes(tag)?.ok()?,
                Dependency::Entry(entry) => entry.encode(encoder, context)?,
            }
        }
        encoder.array(self.operations.len() as u64)?;
        self.operations.iter().try_for_each(|operation| operation.encode(encoder, context))
    }
}

impl<'b, C> Decode<'b, C> for Change {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
        if decoder.array()? != Some(3) {
            return Err(DecodeError::message("a change has three parts"));
        }
        let creation = decode_nonce(decoder)?;
        let count = bounded(decoder.array()?)?;
        if count > CHANGE_DEPENDENCIES_MAX as u64 {
            return Err(DecodeError::message("too many dependencies"));
        }
        let dependencies =
            (0..count).map(|_| Dependency::decode(decoder.bytes()?)).collect::<Result<_, _>>()?;
        let count = bounded(decoder.array()?)?;
        let operations =
            (0..count).map(|_| Operation::decode(decoder, context)).collect::<Result<_, _>>()?;
        Ok(Self { creation, dependencies, operations })
    }
}

fn decode_nonce(decoder: &mut Decoder<'_>) -> Result<Option<[u8; 8]>, DecodeError> {
    if decoder.datatype()? == minicbor::data::Type::Null {
        return decoder.null().map(|()| None);
    }
    let nonce = decoder.bytes()?.try_into();
    nonce.map(Some).map_err(|_| DecodeError::message("a nonce has eight bytes"))
}

const _: () = assert!(CHANGE_OPERATIONS_MAX >= CHANGE_DEPENDENCIES_MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::operation::Reference;
    use crate::record::value::Value;

    fn edit(value: Value) -> Change {
        Change {
            creation: None,
            dependencies: vec![Dependency::Own([1; 4])],
            operations: vec![Operation::Put { field: 8, value }],
        }
    }

    #[test]
    fn an_edit_of_one_field_costs_twelve_bytes_and_its_value() {
        let title = "Accoglienza";
        assert_eq!(edit(Value::Text(title.into())).encode().len(), 12 + 1 + title.len());
        assert_eq!(edit(Value::Integer(3)).encode().len(), 12 + 1);
    }

    #[test]
    fn every_operation_comes_back() {
        let reference = Reference { counter: 70_000, actor: 3 };
        let change = Change {
            creation: Some([3; 8]),
            dependencies: vec![
                Dependency::Own([7; 4]),
                Dependency::Entry(EntryHash::from_bytes([9; 32])),
            ],
            operations: vec![
                Operation::Put { field: 900, value: Value::Null },
                Operation::Add { field: 1, element: "ospiti".into() },
                Operation::Remove { field: 1, element: String::new() },
                Operation::Splice { field: 2, after: None, text: "à la fin".into() },
                Operation::Splice { field: 2, after: Some(reference), text: String::new() },
                Operation::Erase { field: 2, first: reference, count: 12 },
            ],
        };
        assert_eq!(Change::decode(&change.encode()), Ok(change));
    }

    #[test]
    fn threat_07_a_declared_bomb_is_refused_without_reading_on() {
        let operations = [0x83, 0xf6, 0x80, 0x1a, 0x3b, 0x9a, 0xca, 0x00];
        assert_eq!(Change::decode(&operations), Err(CodecError::Malformed));
        let dependencies = [0x83, 0xf6, 0x18, 0x41];
        assert_eq!(Change::decode(&dependencies), Err(CodecError::Malformed));
        let large = vec![0; PAYLOAD_BYTES_MAX + 1];
        assert_eq!(Change::decode(&large), Err(CodecError::TooLarge));
    }

    #[test]
    fn every_truncation_and_many_bit_flips_are_refused_or_canonical() {
        let bytes = edit(Value::List(vec![Value::Text("rct".into())])).encode();
        for end in 0..bytes.len() {
            assert!(Change::decode(&bytes[..end]).is_err());
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(change) = Change::decode(&flipped) {
                    assert_eq!(change.encode(), flipped);
                }
            }
        }
    }
}
