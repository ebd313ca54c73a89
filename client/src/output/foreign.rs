//! Text of others on this terminal.
//!
//! Names, notes and messages come from partners, and a terminal obeys what it is sent: colours and
//! titles, cleared screens, text that runs backwards. What could drive it is replaced where the
//! text enters a sentence, and once more where anything is printed.

/// Begins a command to the terminal.
const ESCAPE: char = '\u{1b}';

/// Text of others without the characters that could drive the terminal or hide what it says.
#[must_use]
pub fn safe(text: &str) -> String {
    text.chars()
        .map(|one| if is_hostile(one) { char::REPLACEMENT_CHARACTER } else { one })
        .collect()
}

/// What is printed, with the colours of our own tables (`ESC [ digits m`) and no other command.
#[must_use]
pub fn safe_in_colour(text: &str) -> String {
    let mut parts = text.split(ESCAPE);
    let mut printed = safe(parts.next().unwrap_or_default());
    for part in parts {
        let is_colour = part.strip_prefix('[').is_some_and(|rest| {
            let end = rest.find(|one: char| !one.is_ascii_digit() && one != ';');
            end.is_some_and(|end| rest.get(end..).is_some_and(|rest| rest.starts_with('m')))
        });
        printed.push(if is_colour { ESCAPE } else { char::REPLACEMENT_CHARACTER });
        printed.push_str(&safe(part));
    }
    printed
}

/// Controls but for the end of a line, marks that turn or hide text, tags that are not seen.
fn is_hostile(one: char) -> bool {
    (one.is_control() && one != '\n')
        || matches!(one,
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
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

    #[test]
    fn of_commands_only_colours_are_printed() {
        let coloured = "\u{1b}[1;33mDA SCEGLIERE\u{1b}[0m";
        assert_eq!(safe_in_colour(coloured), coloured);
        assert_eq!(safe_in_colour("\u{1b}[2J\u{1b}]0;p\u{7}"), "\u{fffd}[2J\u{fffd}]0;p\u{fffd}");
        assert_eq!(safe_in_colour("\u{1b}[31"), "\u{fffd}[31", "a command that is cut off");
    }
}
