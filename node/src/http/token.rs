//! The token that a local program presents.

use crate::random;
use rand_core::Rng;
use std::fmt::Write;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A random secret, new at every start; only the user of the node can read it.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// 256 random bits.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        random::generator()?.fill_bytes(bytes.as_mut_slice());
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in bytes.iter() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// A token that was read from its file.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(Zeroizing::new(text.trim().to_owned()))
    }

    /// The text, for the file and for the request.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `presented` is this token, in a time that does not tell how much of it is right.
    /// An empty token admits nobody.
    #[must_use]
    pub fn admits(&self, presented: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(presented))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_do_not_show_themselves() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.expose().len(), 64);
        assert_ne!(one.expose(), other.expose());
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn only_the_whole_token_is_admitted() {
        let token = Token::from_text("abcdef\n");
        assert!(token.admits(b"abcdef"));
        assert!(!token.admits(b"abcde"));
        assert!(!token.admits(b"abcdef0"));
        assert!(!Token::from_text("").admits(b""));
    }
}
