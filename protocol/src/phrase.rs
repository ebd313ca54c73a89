//! The verification phrase: six words that two people read to each other over the telephone.
//!
//! Both nodes compute it from the two organisations' ids, 66 bits. If someone stood between them
//! when they joined, at least one id is another and so are the words.

use crate::crypto::Domain;
use crate::ids::OrganisationId;
use crate::recovery::WordList;

/// How many words two people compare.
pub const WORDS: usize = 6;
const BITS_PER_WORD: usize = 11;

/// The six words of two organisations, the same for both.
#[must_use]
pub fn verification_phrase(
    one: &OrganisationId,
    other: &OrganisationId,
    list: WordList,
) -> [&'static str; WORDS] {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let hash = Domain::PHRASE.hash(&[first.as_bytes(), second.as_bytes()]);
    let words = list.language().word_list();
    std::array::from_fn(|number| {
        let index = bits(&hash, number * BITS_PER_WORD);
        words.get(index).copied().unwrap_or_default()
    })
}

/// Eleven bits from `start`.
fn bits(bytes: &[u8], start: usize) -> usize {
    (start..start + BITS_PER_WORD).fold(0, |value, bit| {
        let byte = bytes.get(bit / 8).copied().unwrap_or(0);
        (value << 1) | usize::from(byte >> (7 - bit % 8) & 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_read_the_same_words_and_a_third_reads_others() {
        let (a, b) = (OrganisationId::from_bytes([1; 32]), OrganisationId::from_bytes([2; 32]));
        let between = OrganisationId::from_bytes([3; 32]);
        let phrase = verification_phrase(&a, &b, WordList::Italian);
        assert_eq!(phrase, verification_phrase(&b, &a, WordList::Italian));
        assert_ne!(phrase, verification_phrase(&a, &between, WordList::Italian));
        assert!(phrase.iter().all(|word| !word.is_empty()));
    }
}
