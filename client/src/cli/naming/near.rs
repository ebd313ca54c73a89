//! What somebody may have meant by a name that nothing has.

use sincronia_node::config::distance;

/// Names of which one may be meant, at most.
const NEAR_MAX: usize = 3;

/// A longer text is no name with a mistake in it.
const WANTED_BYTES_MAX: usize = 200;

/// The names that differ from a text by a few letters, or a word of which does: the nearest first.
pub(super) fn near<'a>(names: impl Iterator<Item = &'a str>, text: &str) -> Vec<&'a str> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() || wanted.len() > WANTED_BYTES_MAX {
        return Vec::new();
    }
    let mut found: Vec<_> = names.filter_map(|name| Some((apart(name, &wanted)?, name))).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(NEAR_MAX).map(|(_, name)| name).collect()
}

/// By how many letters a name, or the word of it that is nearest, differs, if that is a mistake.
fn apart(name: &str, wanted: &str) -> Option<usize> {
    let name = name.to_lowercase();
    if name.len() > WANTED_BYTES_MAX {
        return None;
    }
    let words = name.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
    let apart = words.chain([name.as_str()]).map(|word| distance(word, wanted)).min()?;
    (apart <= (wanted.len() / 5).max(1) && apart < wanted.len()).then_some(apart)
}

#[cfg(test)]
mod tests {
    use super::near;

    const NAMES: [&str; 4] = ["Comune di Aulla", "Comune di Zeri", "Casa", "Azienda USL"];

    #[test]
    fn a_name_with_a_mistake_finds_the_one_that_is_meant_and_no_other() {
        let near = |text| near(NAMES.into_iter(), text);
        assert_eq!(near("Comune di Aula"), ["Comune di Aulla"]);
        assert_eq!(near("aula"), ["Comune di Aulla"]);
        assert_eq!(near("comune  di zeri"), ["Comune di Zeri"]);
        assert_eq!(near("Caza"), ["Casa"]);
        for other in ["Comune di Massa", "Prefettura", "x", "", &"a".repeat(10_000)] {
            assert!(near(other).is_empty(), "{other}");
        }
    }
}
