//! Text that people write and other people read: nothing in it may command a terminal, turn the
//! line around or hide.

/// Whether `text` can stand in a line: a name, an operator.
#[must_use]
pub fn is_line(text: &str) -> bool {
    !text.chars().any(|one| one.is_control() || is_hidden(one))
}

/// Whether `text` can stand on a page: a comment, of several lines.
#[must_use]
pub fn is_prose(text: &str) -> bool {
    let is_layout = |one| matches!(one, '\n' | '\t' | '\r');
    !text.chars().any(|one| (one.is_control() && !is_layout(one)) || is_hidden(one))
}

/// Marks that turn text around, separators and spaces that are not seen, tags.
const fn is_hidden(one: char) -> bool {
    matches!(one,
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
    fn what_commands_or_hides_is_no_text() {
        assert!(is_line("Comunità Montana «Lunigiana» – n. 1"));
        assert!(is_prose("prima riga\nseconda\triga"));
        for hostile in ["\u{1b}[31mX", "a\u{202e}b", "a\u{2028}b", "a\u{e0041}b", "a\0b"] {
            assert!(!is_line(hostile) && !is_prose(hostile), "{hostile:?}");
        }
        assert!(!is_line("due\nrighe"));
    }
}
