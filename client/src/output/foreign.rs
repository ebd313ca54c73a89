//! Text of others on this terminal.
//!
//! Names, notes and messages come from partners, and a terminal obeys what it is sent: colours and
//! titles, cleared screens, text that runs backwards. What could drive it is replaced where the
//! text enters a sentence, and once more where anything is printed.
//!
//! People believe what they read: a name with letters of another script that look like Latin ones
//! passes for somebody else's. Such letters are shown by their number, as in `‹U+0410›ulla`. A word
//! that is wholly in another script, and could not be read as a Latin one, stays as it is.

use std::fmt::Write;

/// Begins a command to the terminal.
const ESCAPE: char = '\u{1b}';

/// Stands for what is not shown.
const REPLACED: &str = "\u{fffd}";

/// Letters of other scripts that look like one of the Latin alphabet.
const LOOK_ALIKES: &str = "АВЕЅІЈКМНОРСТУХЗаеѕіјорсухԁԛԝьһӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ";

/// Text of others without the characters that could drive the terminal or hide what it says, and
/// with letters that pass for others shown as what they are.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_alphabetic();
        let end = rest.find(|one: char| one.is_alphabetic() != is_word).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        if is_word && is_deceptive(part) {
            part.chars().for_each(|one| push_marked(&mut shown, one));
        } else {
            push_harmless(&mut shown, part);
        }
        rest = after;
    }
    shown
}

/// As [`safe`], of what stands within a line: whoever could end it would write the next one, in the
/// name of somebody else.
#[must_use]
pub fn safe_line(text: &str) -> String {
    safe(text).replace('\n', REPLACED)
}

/// As [`safe`], of what may have several lines, all but the first of them behind `margin`: where it
/// ends, and whose word the next line is, can be seen.
#[must_use]
pub fn safe_lines(text: &str, margin: &str) -> String {
    safe(text).replace('\n', &format!("\n{margin}"))
}

/// What is printed, with the colours of our own tables (`ESC [ digits m`) and no other command.
#[must_use]
pub fn safe_in_colour(text: &str) -> String {
    let mut parts = text.split(ESCAPE);
    let mut printed = safe(parts.next().unwrap_or_default());
    for part in parts {
        let (colour, rest) = part.split_at(colour_length(part).unwrap_or(0));
        printed.push(if colour.is_empty() { char::REPLACEMENT_CHARACTER } else { ESCAPE });
        printed.push_str(colour);
        printed.push_str(&safe(rest));
    }
    printed
}

/// A JSON document that says the same and cannot drive the terminal: such characters stand in its
/// texts alone, where their numbers mean them.
#[must_use]
pub fn escaped(document: &str) -> String {
    let mut printed = String::with_capacity(document.len());
    let mut units = [0; 2];
    for one in document.chars() {
        if is_hostile(one) {
            for unit in one.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(printed, "\\u{unit:04x}");
            }
        } else {
            printed.push(one);
        }
    }
    printed
}

/// How long the rest of a command for a colour is, if that is what stands there.
fn colour_length(part: &str) -> Option<usize> {
    let digits = part.strip_prefix('[')?;
    let end = digits.find(|one: char| !one.is_ascii_digit() && one != ';')?;
    digits.get(end..)?.starts_with('m').then_some(end + "[m".len())
}

/// What is not printed as it is: all that commands, turns or hides text, but for the end of a line.
fn is_hostile(one: char) -> bool {
    one != '\n' && sincronia_node::foreign::is_hostile(one)
}

fn push_harmless(shown: &mut String, part: &str) {
    let mut before = None;
    for one in part.chars() {
        let is_shown = !is_hostile(one) || colours(before, one);
        shown.push(if is_shown { one } else { char::REPLACEMENT_CHARACTER });
        before = Some(one);
    }
}

/// Whether a sign only says that the symbol before it is shown in colour, as of a telephone.
const fn colours(before: Option<char>, one: char) -> bool {
    let is_symbol = matches!(before, Some('\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}'));
    one == '\u{fe0f}' && is_symbol
}

/// Whether a word can pass for a Latin one that it is not: letters of several scripts, or none but
/// such as look Latin.
fn is_deceptive(word: &str) -> bool {
    let is_mixed = word.chars().any(is_latin) && !word.chars().all(is_latin);
    is_mixed || word.chars().all(|one| LOOK_ALIKES.contains(one))
}

/// Letters of the Latin script, and signs that every script uses (µ, Ω as units, ª).
const fn is_latin(one: char) -> bool {
    matches!(one,
        'a'..='z' | 'A'..='Z' | '\u{aa}'..='\u{2ff}' | '\u{1d00}'..='\u{1dbf}'
        | '\u{1e00}'..='\u{1eff}' | '\u{2070}'..='\u{218b}' | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}' | '\u{fb00}'..='\u{fb06}')
}

fn push_marked(shown: &mut String, one: char) {
    if is_latin(one) {
        shown.push(one);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(shown, "‹U+{:04X}›", u32::from(one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_38_text_of_others_cannot_drive_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\n");
        assert_eq!(safe("uno\rdue\u{2028}\u{e0041}"), "uno\u{fffd}due\u{fffd}\u{fffd}");
        assert_eq!(safe("Comunità"), "Comunità");
    }

    /// A soft hyphen, a joiner, a filler: the name was shown as if it were the other's.
    #[test]
    fn threat_38_a_name_with_what_is_not_seen_does_not_pass_for_another() {
        for hidden in ["\u{ad}", "\u{34f}", "\u{61c}", "\u{3164}", "\u{ffa0}", "\u{fe0f}"] {
            for name in [format!("Comune di Aul{hidden}la"), format!("Comune di {hidden} Aulla")] {
                assert!(!safe(&name).contains(hidden), "{}", name.escape_unicode());
                assert_ne!(safe(&name).replace(hidden, ""), "Comune di Aulla");
            }
        }
        assert_eq!(safe("\u{260e}\u{fe0f} 0187"), "\u{260e}\u{fe0f} 0187", "a telephone in colour");
    }

    #[test]
    fn threat_38_who_ends_a_line_does_not_write_the_next_one() {
        assert_eq!(safe_line("x\nTrust: verified"), "x\u{fffd}Trust: verified");
        assert_eq!(safe_lines("x\n  2. y", "     "), "x\n       2. y");
    }

    /// A name of a partner turned the line around, or drove the terminal, where a person looked at
    /// the document of a program.
    #[test]
    fn a_document_says_the_same_and_cannot_drive_the_terminal() {
        let said = "Aulla\u{9b}31m\u{202e}\u{e0041}\u{7f}\n à";
        let printed = escaped(&serde_json::json!({ "name": said }).to_string());
        assert_eq!(printed, safe(&printed), "{printed}");
        let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(read["name"], said);
    }

    #[test]
    fn of_commands_only_colours_are_printed() {
        let coloured = "\u{1b}[1;33mDA SCEGLIERE\u{1b}[0m";
        assert_eq!(safe_in_colour(coloured), coloured);
        assert_eq!(safe_in_colour("\u{1b}[2J\u{1b}]0;p\u{7}"), "\u{fffd}[2J\u{fffd}]0;p\u{fffd}");
        assert_eq!(safe_in_colour("\u{1b}[31"), "\u{fffd}[31", "a command that is cut off");
        let foreign = "\u{1b}[33mЩука\u{1b}[0m";
        assert_eq!(safe_in_colour(foreign), foreign, "a colour is no part of the word after it");
    }

    #[test]
    fn letters_that_pass_for_latin_ones_are_shown_as_what_they_are() {
        assert_eq!(safe("Comune di \u{410}ulla"), "Comune di ‹U+0410›ulla");
        assert_eq!(safe("Z\u{435}ri (\u{421}\u{410})"), "Z‹U+0435›ri (‹U+0421›‹U+0410›)");
        assert_eq!(safe(&safe("\u{410}ulla")), "‹U+0410›ulla", "also when it is printed again");
        for plain in [
            "Città di Łódź",
            "Občina Đakovo",
            "50 \u{b5}g, 3 k\u{2126}",
            "Общество «Щука»",
            "Δήμος",
        ] {
            assert_eq!(safe(plain), plain);
        }
    }
}
