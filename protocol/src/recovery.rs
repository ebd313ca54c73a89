//! Recovery words: the organisation's root on paper.
//!
//! 24 words (BIP 39, Italian or English list) hold the 256 bits from which every root key of the
//! organisation derives. The last word holds a checksum, so a wrong word is noticed. Whoever has
//! the words can name a new primary node, revoke a lost one, and rotate the root key.

use crate::crypto::{Domain, SealingSecret, Secret};
use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

/// The list the words are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordList {
    /// Italian words.
    Italian,
    /// English words.
    English,
}

impl WordList {
    pub(crate) const fn language(self) -> Language {
        match self {
            Self::Italian => Language::Italian,
            Self::English => Language::English,
        }
    }
}

/// The words do not restore a root key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// There are not 24 words.
    #[error("there must be 24 words, these are {0}; write them all, in order")]
    Count(usize),
    /// A word is in neither list.
    #[error("word number {0} is in neither list; check its spelling")]
    Word(usize),
    /// All words are in a list, but the checksum does not hold.
    #[error("the words do not belong together: one of them is wrong, or two are exchanged")]
    Checksum,
}

/// The key to which backups are sealed: who has the words opens them.
#[must_use]
pub fn recovery_sealing(entropy: &Secret<32>) -> SealingSecret {
    let seed = Domain::RECOVERY_SEALING.keyed_hash(entropy.expose(), &[]);
    SealingSecret::from_seed(&Secret::from_bytes(seed))
}

/// The words of an entropy.
#[must_use]
pub fn recovery_words(entropy: &Secret<32>, list: WordList) -> Zeroizing<String> {
    let mnemonic = Mnemonic::from_entropy_in(list.language(), entropy.expose());
    Zeroizing::new(mnemonic.map(|mnemonic| mnemonic.to_string()).unwrap_or_default())
}

/// The entropy of words typed by a person, in either language. Only letters count, and not their
/// case: spaces, commas, and the numbers of a sheet do not matter.
///
/// # Errors
/// [`RecoveryError`] names what to correct.
pub fn restore_entropy(words: &str) -> Result<Secret<32>, RecoveryError> {
    let words = Zeroizing::new(words.to_lowercase());
    let parts = || words.split(|one: char| !one.is_alphabetic()).filter(|word| !word.is_empty());
    let count = parts().count();
    if count != 24 {
        return Err(RecoveryError::Count(count));
    }
    let joined = Zeroizing::new(parts().collect::<Vec<_>>().join(" "));
    let mut worst = RecoveryError::Checksum;
    for list in [WordList::Italian, WordList::English] {
        match Mnemonic::parse_in(list.language(), joined.as_str()) {
            Ok(mnemonic) => {
                let entropy = Zeroizing::new(mnemonic.to_entropy());
                let bytes = entropy.as_slice().try_into();
                return bytes.map(Secret::from_bytes).map_err(|_| RecoveryError::Checksum);
            }
            Err(bip39::Error::InvalidChecksum) => return Err(RecoveryError::Checksum),
            Err(bip39::Error::UnknownWord(index)) => {
                // The list that gets further is the one that was meant.
                if !matches!(worst, RecoveryError::Word(other) if other > index) {
                    worst = RecoveryError::Word(index + 1);
                }
            }
            Err(_) => {}
        }
    }
    Err(worst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::RootKey;

    #[test]
    fn the_words_restore_the_root_key_in_both_languages() {
        let entropy =
            Secret::from_bytes(std::array::from_fn(|index| u8::try_from(index * 7 % 251).unwrap()));
        for list in [WordList::Italian, WordList::English] {
            let words = recovery_words(&entropy, list);
            assert_eq!(words.split(' ').count(), 24);
            let typed = format!("  {}\n", words.to_uppercase().replace(' ', "   "));
            let restored = restore_entropy(&typed).unwrap();
            assert_eq!(
                RootKey::derive(&restored, 0).public(),
                RootKey::derive(&entropy, 0).public()
            );
        }
    }

    #[test]
    fn a_sheet_copied_with_its_numbers_and_commas_is_read() {
        let entropy = Secret::from_bytes([9; 32]);
        let words = recovery_words(&entropy, WordList::Italian);
        let sheet: Vec<_> =
            (1..).zip(words.split(' ')).map(|(at, word)| format!("{at:>4}. {word}")).collect();
        for typed in [sheet.join("\n"), words.replace(' ', ", "), words.replace(' ', ",")] {
            assert!(restore_entropy(&typed).unwrap() == entropy);
        }
    }

    #[test]
    fn a_wrong_word_is_named_and_an_exchanged_one_noticed() {
        let words = recovery_words(&Secret::from_bytes([3; 32]), WordList::Italian);
        let mut list: Vec<_> = words.split(' ').collect();
        assert_eq!(restore_entropy("abaco"), Err(RecoveryError::Count(1)));
        list[4] = "xyzzy";
        assert_eq!(restore_entropy(&list.join(" ")), Err(RecoveryError::Word(5)));
        let entropy = Secret::from_bytes(std::array::from_fn(|index| u8::try_from(index).unwrap()));
        let words = recovery_words(&entropy, WordList::Italian);
        let mut list: Vec<_> = words.split(' ').collect();
        list.swap(2, 9);
        assert_eq!(restore_entropy(&list.join(" ")), Err(RecoveryError::Checksum));
    }
}
