//! Which languages there are, and which one somebody wants.

use std::ffi::OsString;

/// A language of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Italian.
    It,
    /// English.
    #[default]
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::It, Self::En];

    /// Its code, as in `--language`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::It => "it",
            Self::En => "en",
        }
    }

    /// Its catalogue, as written.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::It => include_str!("../../languages/it.ftl"),
            Self::En => include_str!("../../languages/en.ftl"),
        }
    }

    /// The language asked for on the command line, in `SINCRONIA_LANGUAGE`, or by the locale. Help
    /// is written before the command line is understood, so this looks at the words themselves.
    #[must_use]
    pub fn wanted(words: &[OsString]) -> Self {
        let asked = asked(words).or_else(|| std::env::var("SINCRONIA_LANGUAGE").ok());
        asked.or_else(sys_locale::get_locale).map_or(Self::En, |text| Self::of(&text))
    }

    fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        if text == "it" || text.starts_with("it-") || text.starts_with("it_") {
            Self::It
        } else {
            Self::En
        }
    }
}

fn asked(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.strip_prefix("--language") {
            Some("") => return words.next().map(std::borrow::Cow::into_owned),
            Some(rest) if rest.starts_with('=') => return rest.get(1..).map(str::to_owned),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(Language::wanted(&words("sincronia --language it status")), Language::It);
        assert_eq!(Language::wanted(&words("sincronia status --language=en")), Language::En);
        assert_eq!(Language::of("it_IT.UTF-8"), Language::It);
        assert_eq!(Language::of("de"), Language::En);
    }
}
