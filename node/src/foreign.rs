//! Text that somebody else chose, made fit to be shown.

use std::fmt::Write;

/// Characters of foreign text in one field of a line.
const FOREIGN_CHARACTERS_MAX: usize = 256;

/// Makes foreign text fit for a line of a log or a terminal: control characters and those that
/// change the direction of writing become their code, and what is too long is cut.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len().min(FOREIGN_CHARACTERS_MAX));
    for (position, character) in text.chars().enumerate() {
        if position == FOREIGN_CHARACTERS_MAX {
            escaped.push('…');
            break;
        }
        if is_hostile(character) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A title as it stands within lists and reports, which have a line for each thing: whoever wrote
/// it may have put line ends into it, and would add to them.
#[must_use]
pub fn one_line(title: &str) -> String {
    title.split(['\n', '\r']).collect::<Vec<_>>().join(" ")
}

/// Whether a character commands a terminal, ends a line, or hides or reorders the text around it.
#[must_use]
pub fn is_hostile(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

/// Marks that reorder or hide the text around them, separators of lines, and whatever is not seen:
/// a name with such a sign in it looks like one without.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_41_foreign_text_cannot_command_a_terminal_or_forge_a_line() {
        assert_eq!(escape("\u{1b}[31mrosso\r\n"), "\\u{1b}[31mrosso\\u{d}\\u{a}");
        assert_eq!(escape("\u{202e}oihcceps"), "\\u{202e}oihcceps");
        assert_eq!(escape("Comune di Aul\u{ad}la"), "Comune di Aul\\u{ad}la");
        assert_eq!(escape("Comunità Montana"), "Comunità Montana");
        assert_eq!(one_line("Tirocini\nstore: ok\r"), "Tirocini store: ok ");
        assert_eq!(escape(&"x".repeat(10_000)).chars().count(), FOREIGN_CHARACTERS_MAX + 1);
    }
}
