//! One operation of a change, as it travels.
//!
//! An operation says what the author wanted, and nothing that the receiver can work out from the
//! causal past: which object a field holds, which values a write replaces, which identifiers new
//! elements get. Predecessors are therefore not sent and cannot be forged: a write replaces exactly
//! the values that its author saw. Only elements of free text are named, by [`Reference`].
//!
//! Counters, marks and increments do not exist here, and the parts of a list or struct cannot be
//! written one by one: they have no encoding.

use crate::record::value::Value;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// One operation. Fields are named by their numbers in the schema of the record's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Sets a field to a whole new value: of a set, its elements; of free text, the text.
    Put {
        /// The field.
        field: u16,
        /// Its value.
        value: Value,
    },
    /// Adds an element to a set.
    Add {
        /// The field.
        field: u16,
        /// The element.
        element: String,
    },
    /// Removes an element that the set has.
    Remove {
        /// The field.
        field: u16,
        /// The element.
        element: String,
    },
    /// Inserts a run of text.
    Splice {
        /// The field.
        field: u16,
        /// The element it follows; `None` at the beginning.
        after: Option<Reference>,
        /// What is inserted.
        text: String,
    },
    /// Removes a run of text elements that were inserted together.
    Erase {
        /// The field.
        field: u16,
        /// The first element.
        first: Reference,
        /// How many.
        count: u32,
    },
}

/// An element of free text in the causal past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The number of the operation that inserted it.
    pub counter: u64,
    /// Whose operation: the position among the actors of the causal past, sorted by their bytes.
    pub actor: u32,
}

impl Operation {
    /// The field that it writes.
    #[must_use]
    pub const fn field(&self) -> u16 {
        match self {
            Self::Put { field, .. }
            | Self::Add { field, .. }
            | Self::Remove { field, .. }
            | Self::Splice { field, .. }
            | Self::Erase { field, .. } => *field,
        }
    }
}

const PUT: u8 = 0;
const ADD: u8 = 1;
const REMOVE: u8 = 2;
const SPLICE: u8 = 3;
const ERASE: u8 = 4;

impl<C> Encode<C> for Operation {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Put { field, value } => {
                encoder.array(3)?.u8(PUT)?.u16(*field)?;
                value.encode(encoder, context)
            }
            Self::Add { field, element } => {
                encoder.array(3)?.u8(ADD)?.u16(*field)?.str(element)?.ok()
            }
            Self::Remove { field, element } => {
                encoder.array(3)?.u8(REMOVE)?.u16(*field)?.str(element)?.ok()
            }
            Self::Splice { field, after, text } => {
                let (counter, actor) = after.map_or((0, 0), |after| (after.counter, after.actor));
                encoder.array(5)?.u8(SPLICE)?.u16(*field)?.u64(counter)?.u32(actor)?.str(text)?.ok()
            }
            Self::Erase { field, first, count } => {
                encoder.array(5)?.u8(ERASE)?.u16(*field)?.u64(first.counter)?;
                encoder.u32(first.actor)?.u32(*count)?.ok()
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Operation {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
        let length = decoder.array()?;
        let action = decoder.u8()?;
        let field = decoder.u16()?;
        match (action, length) {
            (PUT, Some(3)) => Ok(Self::Put { field, value: Value::decode(decoder, context)? }),
            (ADD, Some(3)) => Ok(Self::Add { field, element: decoder.str()?.to_owned() }),
            (REMOVE, Some(3)) => Ok(Self::Remove { field, element: decoder.str()?.to_owned() }),
            (SPLICE, Some(5)) => {
                let place = decode_reference(decoder)?;
                let after = (place != HEAD).then_some(place);
                if after.is_some_and(|after| after.counter == 0) {
                    return Err(DecodeError::message("elements are numbered from one"));
                }
                Ok(Self::Splice { field, after, text: decoder.str()?.to_owned() })
            }
            (ERASE, Some(5)) => {
                let first = decode_reference(decoder)?;
                Ok(Self::Erase { field, first, count: decoder.u32()? })
            }
            _ => Err(DecodeError::message("unknown operation")),
        }
    }
}

const HEAD: Reference = Reference { counter: 0, actor: 0 };

fn decode_reference(decoder: &mut Decoder<'_>) -> Result<Reference, DecodeError> {
    Ok(Reference { counter: decoder.u64()?, actor: decoder.u32()? })
}
