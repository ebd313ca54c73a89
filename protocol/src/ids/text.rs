//! The text form of identifiers and invitations: bech32m with our prefixes.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};

/// Why a text is not the identifier it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The checksum does not match: at least one character was mistyped or lost.
    #[error("“{text}” has a typing error: its checksum does not match; copy it again")]
    Checksum {
        /// The beginning of the text, as typed.
        text: String,
    },
    /// A valid identifier of another kind.
    #[error(
        "expected an identifier that begins with “{expected}1”, this one begins with “{found}1”"
    )]
    Prefix {
        /// The prefix that the place asks for.
        expected: &'static str,
        /// The prefix of the text.
        found: String,
    },
    /// The checksum holds, but the length is not that of such an identifier.
    #[error("an identifier that begins with “{expected}1” has {size} bytes, this one has {found}")]
    Length {
        /// The prefix that the place asks for.
        expected: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The size found.
        found: usize,
    },
}

/// `bytes` as bech32m under `prefix`. Without the 90-character limit of BIP 173, which bounds how
/// many errors are sure to be located, not whether they are detected.
#[must_use]
pub fn encode_text(prefix: &'static str, bytes: &[u8]) -> String {
    Hrp::parse(prefix)
        .ok()
        .and_then(|hrp| bech32::encode::<Bech32m>(hrp, bytes).ok())
        .unwrap_or_default()
}

/// The bytes of a bech32m text that must have `prefix`.
pub fn decode_bytes(prefix: &'static str, text: &str) -> Result<Vec<u8>, IdError> {
    let trimmed = text.trim();
    let parsed = CheckedHrpstring::new::<Bech32m>(trimmed)
        .map_err(|_| IdError::Checksum { text: trimmed.chars().take(16).collect() })?;
    let found = parsed.hrp().to_lowercase();
    if found != prefix {
        return Err(IdError::Prefix { expected: prefix, found });
    }
    Ok(parsed.byte_iter().collect())
}

/// The bytes of a bech32m text that must have `prefix`: exactly `SIZE` bytes.
pub fn decode_text<const SIZE: usize>(
    prefix: &'static str,
    text: &str,
) -> Result<[u8; SIZE], IdError> {
    let bytes = decode_bytes(prefix, text)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| IdError::Length { expected: prefix, size: SIZE, found })
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn a_mistyped_character_is_caught() {
        let id = NodeId::from_bytes([7; 32]);
        let text = id.to_string();
        assert_eq!(text.parse::<NodeId>(), Ok(id));
        for position in 5..text.len() {
            let mut typed: Vec<char> = text.chars().collect();
            typed[position] = if typed[position] == 'q' { 'p' } else { 'q' };
            let typed: String = typed.into_iter().collect();
            assert!(matches!(typed.parse::<NodeId>(), Err(IdError::Checksum { .. })), "{typed}");
        }
    }

    #[test]
    fn an_identifier_of_another_kind_says_so() {
        let node = NodeId::from_bytes([7; 32]).to_string();
        assert!(matches!(node.parse::<OrganisationId>(), Err(IdError::Prefix { .. })));
    }
}
