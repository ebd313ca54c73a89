//! Recovery words and the verification phrase.

use super::cast::root;
use super::golden::Golden;
use sincronia_protocol::crypto::{RootKey, Secret};
use sincronia_protocol::identity::Identity;
use sincronia_protocol::phrase::verification_phrase;
use sincronia_protocol::recovery::{WordList, recovery_words, restore_entropy};

const LISTS: [(WordList, &str); 2] =
    [(WordList::Italian, "italian"), (WordList::English, "english")];

/// The bytes 0, 1, … 31.
fn counting() -> Secret<32> {
    Secret::from_bytes(std::array::from_fn(|index| u8::try_from(index).unwrap()))
}

#[test]
fn recovery_words_lead_to_the_root_keys() {
    let mut golden = Golden::new(
        "Recovery words of the entropies 00 01 .. 1f and 32 x 01, and the root keys they derive.",
    );
    let entropies = [("counting", counting()), ("ones", Secret::from_bytes([1; 32]))];
    for (name, entropy) in &entropies {
        golden.hex(&format!("{name} entropy"), entropy.expose());
        for (list, language) in LISTS {
            golden.text(&format!("{name} {language}"), &recovery_words(entropy, list));
        }
        for generation in 0..2 {
            let public = RootKey::derive(entropy, generation).public();
            golden.hex(&format!("{name} root public key {generation}"), public.as_bytes());
        }
    }
    let recorded = golden.settle("recovery.json");

    for name in ["counting", "ones"] {
        for (_, language) in LISTS {
            let words = recorded.words(&format!("{name} {language}"));
            let entropy = restore_entropy(words).unwrap();
            assert_eq!(entropy.expose(), &recorded.array(&format!("{name} entropy")));
            let public = RootKey::derive(&entropy, 1).public();
            assert_eq!(public.as_bytes(), &recorded.array(&format!("{name} root public key 1")));
        }
    }
}

#[test]
fn both_sides_read_the_same_phrase() {
    let mut golden =
        Golden::new("Verification phrase of the organisations of entropies 32 x 01 and 32 x 02.");
    let ids = [1, 2].map(|number| {
        let next = root(number, 1).public().commitment();
        Identity::organisation_id(&root(number, 0).public(), &next)
    });
    for (list, language) in LISTS {
        golden.text(language, &verification_phrase(&ids[0], &ids[1], list).join(" "));
    }
    let recorded = golden.settle("phrase.json");
    for (list, language) in LISTS {
        let other_side = verification_phrase(&ids[1], &ids[0], list).join(" ");
        assert_eq!(recorded.words(language), other_side);
    }
}
