//! The text form of identifiers and invitations: bech32m with our prefixes.
//!
//! One value has one text, but for the case of its letters: bits that only fill up the last
//! character must be zero, as in every text that this module makes.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Checksum, Hrp};

/// Bech32m for texts of any length. BIP 350 bounds them at 1,023 characters, up to which four
/// errors are sure to be noticed; an invitation with many addresses is longer, and for it the
/// checksum still misses only one error in a billion.
enum Unbounded {}

impl Checksum for Unbounded {
    type MidstateRepr = <Bech32m as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32m as Checksum>::CorrectionField;

    const ROOT_GENERATOR: Self::CorrectionField = Bech32m::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32m::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32m::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32m::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32m::TARGET_RESIDUE;
}

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

/// `bytes` as bech32m under `prefix`, in lower case.
#[must_use]
pub fn encode_text(prefix: &'static str, bytes: &[u8]) -> String {
    Hrp::parse(prefix)
        .ok()
        .and_then(|hrp| bech32::encode::<Unbounded>(hrp, bytes).ok())
        .unwrap_or_default()
}

/// The bytes of a bech32m text that must have `prefix`.
pub fn decode_bytes(prefix: &'static str, text: &str) -> Result<Vec<u8>, IdError> {
    let trimmed = text.trim();
    let mistyped = || IdError::Checksum { text: trimmed.chars().take(16).collect() };
    let parsed = CheckedHrpstring::new::<Unbounded>(trimmed).map_err(|_| mistyped())?;
    let found = parsed.hrp().to_lowercase();
    if found != prefix {
        return Err(IdError::Prefix { expected: prefix, found });
    }
    let bytes: Vec<u8> = parsed.byte_iter().collect();
    if encode_text(prefix, &bytes).eq_ignore_ascii_case(trimmed) {
        Ok(bytes)
    } else {
        Err(mistyped())
    }
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
    use super::*;
    use bech32::Fe32;
    use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};

    /// A valid text of these characters.
    fn spelled(prefix: &str, characters: impl Iterator<Item = Fe32>) -> String {
        let prefix = Hrp::parse(prefix).unwrap();
        characters.with_checksum::<Bech32m>(&prefix).chars().collect()
    }

    #[test]
    fn a_second_spelling_of_an_identifier_is_refused() {
        let id = RecordId::from_bytes([7; 16]);
        let characters = || id.as_bytes().iter().copied().bytes_to_fes();
        assert_eq!(spelled("scheda", characters()), id.to_string());
        let longer = spelled("scheda", characters().chain([Fe32::Q]));
        let filled = spelled("scheda", characters().take(25).chain([Fe32::L]));
        for text in [longer, filled] {
            assert!(CheckedHrpstring::new::<Bech32m>(&text).is_ok(), "{text}");
            assert!(matches!(text.parse::<RecordId>(), Err(IdError::Checksum { .. })), "{text}");
        }
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn a_text_may_be_longer_than_the_code_of_bech32m() {
        let bytes = vec![9; 4_000];
        let text = encode_text("invito", &bytes);
        assert_eq!(decode_bytes("invito", &text), Ok(bytes));
        let mut mistyped = text.into_bytes();
        mistyped[50] = if mistyped[50] == b'q' { b'p' } else { b'q' };
        let mistyped = String::from_utf8(mistyped).unwrap();
        assert!(matches!(decode_bytes("invito", &mistyped), Err(IdError::Checksum { .. })));
    }

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
