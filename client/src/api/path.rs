//! Addresses of endpoints: whatever a person typed is one segment and stays one.

use serde::Serialize;
use sincronia_node::api::{ApiError, ErrorCode};
use std::fmt::Write;

/// `/api/v1/` and the segments, each encoded.
pub fn path(segments: &[&str]) -> Result<String, ApiError> {
    let mut path = "/api/v1".to_owned();
    for segment in segments {
        if matches!(*segment, "" | "." | "..") {
            let remedy = "give the identifier as a list shows it";
            return Err(ApiError::new(ErrorCode::Invalid, "an identifier is missing", remedy));
        }
        path.push('/');
        encode(segment, &mut path);
    }
    Ok(path)
}

/// As [`path`], narrowed by the fields of `query` that hold something.
pub fn narrowed(segments: &[&str], query: &impl Serialize) -> Result<String, ApiError> {
    let mut path = path(segments)?;
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(query) else {
        return Ok(path);
    };
    let mut separator = '?';
    for (name, value) in fields {
        let text = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        path.push(separator);
        separator = '&';
        encode(&name, &mut path);
        path.push('=');
        encode(&text, &mut path);
    }
    Ok(path)
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sincronia_node::api::SearchQuery;

    #[test]
    fn a_title_with_anything_in_it_is_one_segment() {
        let path = path(&["conventions", "Lavoro/giustizia? 100 % è#1"]).unwrap();
        assert_eq!(path, "/api/v1/conventions/Lavoro%2Fgiustizia%3F%20100%20%25%20%C3%A8%231");
    }

    #[test]
    fn no_identifier_climbs_out_of_its_place() {
        for segment in ["", ".", ".."] {
            assert_eq!(path(&["spaces", segment]).unwrap_err().code, ErrorCode::Invalid);
        }
    }

    #[test]
    fn only_what_is_asked_for_stands_in_the_query() {
        let query = SearchQuery { q: "rossi & figli".into(), kind: None, limit: Some(5) };
        let path = narrowed(&["search"], &query).unwrap();
        let (_, query) = path.split_once('?').unwrap();
        let mut parts: Vec<_> = query.split('&').collect();
        parts.sort_unstable();
        assert_eq!(parts, ["limit=5", "q=rossi%20%26%20figli"]);
    }
}
