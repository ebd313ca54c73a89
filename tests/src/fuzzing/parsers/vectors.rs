//! The golden bytes of the protocol, as samples.

use std::path::Path;

/// The values of a file of golden bytes whose names contain `part`.
pub fn read(file: &str, part: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/vectors");
    let text = std::fs::read_to_string(folder.join(file)).expect("golden bytes");
    let json: serde_json::Value = serde_json::from_str(&text).expect("a file of golden bytes");
    let vectors = json["vectors"].as_array().expect("a list");
    let of_part =
        vectors.iter().filter(|one| one["name"].as_str().is_some_and(|name| name.contains(part)));
    of_part
        .map(|one| match (one["hex"].as_str(), one["text"].as_str()) {
            (Some(hex), _) => from_hex(hex),
            (_, text) => text.unwrap_or_default().as_bytes().to_vec(),
        })
        .collect()
}

fn from_hex(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len() / 2).map(|at| &hex[at * 2..at * 2 + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}
