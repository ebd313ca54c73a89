//! The characters of a file, whatever program wrote it.
//!
//! A byte order mark says UTF-16, as spreadsheets write “Unicode text”. Text that is valid UTF-8 is
//! UTF-8: text of another encoding with accents almost never is. All else is Windows-1252, which
//! has ISO-8859-1's characters in the same places.

use std::borrow::Cow;

/// What Windows-1252 has from 0x80 to 0x9F; the five holes stay the control characters they are.
const FROM_80: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of `bytes`, without a byte order mark.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return Cow::Owned(utf16(rest, u16::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return Cow::Owned(utf16(rest, u16::from_be_bytes));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(character).collect()),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn character(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|at| FROM_80.get(usize::from(at)));
    special.copied().unwrap_or_else(|| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_encoding_of_the_field_is_read() {
        assert_eq!(decode("Comunità".as_bytes()), "Comunità");
        assert_eq!(decode(b"\xef\xbb\xbfComunit\xc3\xa0"), "Comunità");
        assert_eq!(decode(b"Comunit\xe0"), "Comunità");
        assert_eq!(decode(b"\x80 10 \x96 Citt\xe0"), "€ 10 – Città");
        assert_eq!(decode(b"\xff\xfeC\0\xe0\0"), "Cà");
        assert_eq!(decode(b"\xfe\xff\0C\0\xe0\0"), "Cà", "a byte too many is left out");
    }
}
