//! The value of a field as it travels: a small tree with bounded depth.
//!
//! Struct parts are named by their stable numbers, in ascending order, so that a value has one
//! encoding. Numbers with fractions, bytes, and keys of our own choice have no form here: what the
//! schema cannot describe cannot be written down.

use crate::limits::{CHANGE_OPERATIONS_MAX, RECORD_DEPTH_MAX};
use crate::record::schema::{Field, Type};
use minicbor::data::Type as Cbor;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde_json::Value as Json;

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: what remains of a field that was emptied. Kept as a value so that emptying a field
    /// on one side and changing it on the other is a conflict that people see.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// Text, a code, a date, a reference.
    Text(String),
    /// A list, or the elements of a set.
    List(Vec<Self>),
    /// The parts of a struct, by number, ascending.
    Struct(Vec<(u16, Self)>),
}

impl<C> Encode<C> for Value {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Null => encoder.null()?.ok(),
            Self::Boolean(value) => encoder.bool(*value)?.ok(),
            Self::Integer(value) => encoder.i64(*value)?.ok(),
            Self::Text(value) => encoder.str(value)?.ok(),
            Self::List(values) => {
                encoder.array(values.len() as u64)?;
                values.iter().try_for_each(|value| value.encode(encoder, context))
            }
            Self::Struct(parts) => {
                encoder.map(parts.len() as u64)?;
                parts.iter().try_for_each(|(number, value)| {
                    encoder.u16(*number)?;
                    value.encode(encoder, context)
                })
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Value {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        decode_at(decoder, 1)
    }
}

fn decode_at(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DecodeError> {
    if depth > RECORD_DEPTH_MAX {
        return Err(DecodeError::message("nested too deeply"));
    }
    match decoder.datatype()? {
        Cbor::Null => decoder.null().map(|()| Value::Null),
        Cbor::Bool => decoder.bool().map(Value::Boolean),
        Cbor::String => decoder.str().map(|text| Value::Text(text.to_owned())),
        Cbor::Array => {
            let length = bounded(decoder.array()?)?;
            let values = (0..length).map(|_| decode_at(decoder, depth + 1));
            values.collect::<Result<_, _>>().map(Value::List)
        }
        Cbor::Map => {
            let length = bounded(decoder.map()?)?;
            decode_parts(decoder, length, depth).map(Value::Struct)
        }
        _ => decoder.i64().map(Value::Integer),
    }
}

fn decode_parts(
    decoder: &mut Decoder<'_>,
    length: u64,
    depth: usize,
) -> Result<Vec<(u16, Value)>, DecodeError> {
    let mut parts: Vec<(u16, Value)> = Vec::new();
    for _ in 0..length {
        let number = decoder.u16()?;
        if parts.last().is_some_and(|(last, _)| *last >= number) {
            return Err(DecodeError::message("parts are not in ascending order"));
        }
        parts.push((number, decode_at(decoder, depth + 1)?));
    }
    Ok(parts)
}

/// A collection's length, if it is definite and not absurd. Nothing is allocated for it yet.
pub(super) fn bounded(length: Option<u64>) -> Result<u64, DecodeError> {
    length
        .filter(|length| *length <= CHANGE_OPERATIONS_MAX as u64)
        .ok_or_else(|| DecodeError::message("indefinite or too long"))
}

impl Value {
    /// The value as JSON, its parts named as in the schema of the field.
    #[must_use]
    pub fn to_json(&self, holds: &Type) -> Json {
        match (self, holds) {
            (Self::Boolean(value), _) => Json::Bool(*value),
            (Self::Integer(value), _) => Json::from(*value),
            (Self::Text(value), _) => Json::from(value.as_str()),
            (Self::List(values), Type::List { of, .. }) => {
                values.iter().map(|value| value.to_json(of)).collect()
            }
            (Self::List(values), holds) => {
                values.iter().map(|value| value.to_json(holds)).collect()
            }
            (Self::Struct(parts), Type::Struct { fields }) => parts
                .iter()
                .filter_map(|(number, value)| part_to_json(fields, *number, value))
                .collect(),
            // The gate lets a struct only where the schema has one.
            (Self::Null | Self::Struct(_), _) => Json::Null,
        }
    }
}

fn part_to_json(fields: &'static [Field], number: u16, value: &Value) -> Option<(String, Json)> {
    let field = crate::record::schema::find(fields, number)?;
    Some((field.name.to_owned(), value.to_json(&field.holds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{CodecError, decode, encode};

    #[test]
    fn values_come_back() {
        let value = Value::Struct(vec![
            (1, Value::Text("aulla".into())),
            (2, Value::List(vec![Value::Integer(-7), Value::Null, Value::Boolean(true)])),
        ]);
        assert_eq!(decode(&encode(&value)), Ok(value));
    }

    #[test]
    fn threat_09_deep_nesting_is_refused_before_it_recurses() {
        let deep = vec![0x81; 60_000];
        assert_eq!(decode::<Value>(&deep), Err(CodecError::Malformed));
        let nested = |levels: usize| [vec![0x81; levels - 1], vec![0x01]].concat();
        assert!(decode::<Value>(&nested(RECORD_DEPTH_MAX)).is_ok());
        assert!(decode::<Value>(&nested(RECORD_DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn other_spellings_are_refused() {
        let malformed: [&[u8]; 7] = [
            &[0x9f, 0x01, 0xff],                // an indefinite list
            &[0xa2, 0x02, 0x01, 0x01, 0x01],    // parts out of order
            &[0xa2, 0x01, 0x01, 0x01, 0x01],    // a part twice
            &[0xf9, 0x3c, 0x00],                // a number with a fraction
            &[0x41, 0x00],                      // bytes
            &[0x9b, 0, 0, 0, 1, 0, 0, 0, 0],    // a list of billions
            &[0x1b, 0xff, 0, 0, 0, 0, 0, 0, 0], // an integer out of range
        ];
        for bytes in malformed {
            assert_eq!(decode::<Value>(bytes), Err(CodecError::Malformed), "{bytes:02x?}");
        }
    }
}
