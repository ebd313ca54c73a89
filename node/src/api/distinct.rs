//! Fields of which each is named once.
//!
//! JSON lets a name stand twice in an object, and most readers keep the last value in silence. Here
//! the fields of records decide who is insured and until when: whoever names one twice is told.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A value in a text, in which no name stands twice in one object.
///
/// # Errors
/// When the text is no JSON, or a name stands twice; the error says where.
pub fn value(text: &str) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Distinct.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The fields of one record.
pub fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    match Distinct.deserialize(deserializer)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(D::Error::custom("expected the fields of a record")),
    }
}

/// The fields of several records.
pub fn records<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Map<String, Value>>, D::Error> {
    let Value::Array(records) = Distinct.deserialize(deserializer)? else {
        return Err(D::Error::custom("expected a list of records"));
    };
    let fields = |record| match record {
        Value::Object(fields) => Ok(fields),
        _ => Err(D::Error::custom("expected the fields of a record")),
    };
    records.into_iter().map(fields).collect()
}

/// Reads a value in which no name stands twice in one object.
struct Distinct;

impl<'de> DeserializeSeed<'de> for Distinct {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(Self)? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self)?;
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("“{name}” stands there twice")));
            }
            fields.insert(name, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::api::EditRequest;
    use serde_json::json;

    fn read(body: &str) -> Result<EditRequest, serde_json::Error> {
        serde_json::from_str(body)
    }

    #[test]
    fn every_kind_of_value_is_read_as_it_is() {
        let fields = json!({"a": null, "b": [true, -1, 2.5, "x"], "c": {"a": {"a": []}}});
        let body = json!({ "fields": fields });
        let read = read(&body.to_string()).unwrap();
        assert_eq!(serde_json::Value::Object(read.fields), fields);
    }

    #[test]
    fn a_field_that_is_named_twice_is_refused() {
        let twice = [r#"{"fields":{"a":1,"a":2}}"#, r#"{"fields":{"p":[{"role":1,"role":1}]}}"#];
        for body in twice {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains("twice"), "{error}");
        }
    }
}
