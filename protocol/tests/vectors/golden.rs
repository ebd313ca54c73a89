//! A file of golden bytes: named values, in hex or as text.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Rewrites the files instead of comparing.
const WRITE: &str = "SINCRONIA_WRITE_VECTORS";

/// A named value: bytes in hex, or text as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Vector {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// The values of one file, in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Golden {
    about: String,
    vectors: Vec<Vector>,
}

impl Golden {
    pub fn new(about: &str) -> Self {
        Self { about: about.to_owned(), vectors: Vec::new() }
    }

    pub fn hex(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        let hex = Some(hex(bytes.as_ref()));
        self.push(Vector { name: name.to_owned(), hex, text: None });
    }

    pub fn text(&mut self, name: &str, text: &str) {
        let text = Some(text.to_owned());
        self.push(Vector { name: name.to_owned(), hex: None, text });
    }

    fn push(&mut self, vector: Vector) {
        assert!(self.find(&vector.name).is_none(), "{} is there twice", vector.name);
        self.vectors.push(vector);
    }

    fn find(&self, name: &str) -> Option<&Vector> {
        self.vectors.iter().find(|vector| vector.name == name)
    }

    /// Compares with the file, or writes it; gives what stands in the file.
    pub fn settle(self, file: &str) -> Self {
        let path = path(file);
        if std::env::var_os(WRITE).is_some() {
            let text = serde_json::to_string_pretty(&self).expect("plain values");
            fs::write(&path, text + "\n").expect("a writable folder");
        }
        let recorded = Self::read(&path);
        let findings = self.differences(&recorded);
        assert!(findings.is_empty(), "{file} {findings:?}");
        recorded
    }

    /// Names of other bytes than recorded, of what is new, and of what is not made any more.
    fn differences<'a>(&'a self, recorded: &'a Self) -> Vec<&'a str> {
        let made = self.vectors.iter().filter(|one| recorded.find(&one.name) != Some(one));
        let gone = recorded.vectors.iter().filter(|one| self.find(&one.name).is_none());
        made.chain(gone).map(|one| one.name.as_str()).collect()
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}; write it with {WRITE}=1", path.display()));
        serde_json::from_str(&text).expect("a file of vectors")
    }

    /// The recorded bytes of a name.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let vector = self.find(name).unwrap_or_else(|| panic!("no vector {name}"));
        unhex(vector.hex.as_deref().unwrap_or_else(|| panic!("{name} is text")))
    }

    /// The recorded bytes of a name, exactly so many.
    pub fn array<const SIZE: usize>(&self, name: &str) -> [u8; SIZE] {
        self.bytes(name).try_into().unwrap_or_else(|_| panic!("{name} has another length"))
    }

    /// The recorded text of a name.
    pub fn words(&self, name: &str) -> &str {
        let vector = self.find(name).unwrap_or_else(|| panic!("no vector {name}"));
        vector.text.as_deref().unwrap_or_else(|| panic!("{name} is hex"))
    }

    /// The names that begin with `prefix`, in order.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let names = self.vectors.iter().map(|vector| vector.name.clone());
        names.filter(|name| name.starts_with(prefix)).collect()
    }
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file)
}

pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("a nibble");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

#[test]
fn a_changed_a_new_and_a_lost_value_are_noticed() {
    let of = |values: &[(&str, u8)]| {
        let mut golden = Golden::new("");
        for (name, byte) in values {
            golden.hex(name, [*byte]);
        }
        golden
    };
    let recorded = of(&[("same", 0), ("changed", 1), ("lost", 2)]);
    let made = of(&[("same", 0), ("changed", 3), ("new", 4)]);
    assert_eq!(made.differences(&recorded), ["changed", "new", "lost"]);
    assert_eq!(unhex(&hex(&[0, 255, 16])), [0, 255, 16]);
}
