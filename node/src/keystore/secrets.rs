//! What a keystore protects, and what opens it.

use rand_core::CryptoRng;
use std::fmt;
use std::path::PathBuf;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What opens a keystore.
#[derive(Clone)]
pub enum Unlock {
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// A file of 32 random bytes that only its owner can read; also a systemd credential.
    KeyFile(PathBuf),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase(_) => formatter.write_str("Passphrase(…)"),
            Self::KeyFile(path) => write!(formatter, "KeyFile({})", path.display()),
        }
    }
}

/// The node's secrets.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    /// Seed of the node key.
    pub node: [u8; 32],
    /// Seed of the sealing key.
    pub sealing: [u8; 32],
    /// Seed of the storage key.
    pub storage: [u8; 32],
    /// Entropy of the organisation's root key, until its words are on paper and it is removed.
    pub root: Option<[u8; 32]>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Fresh secrets of a node; none of a root.
    pub fn generate(random: &mut impl CryptoRng) -> Self {
        let mut secrets = Self { node: [0; 32], sealing: [0; 32], storage: [0; 32], root: None };
        random.fill_bytes(&mut secrets.node);
        random.fill_bytes(&mut secrets.sealing);
        random.fill_bytes(&mut secrets.storage);
        secrets
    }

    /// The bytes that are sealed: three seeds, then the root entropy when there is one.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 * 32));
        for seed in [&self.node, &self.sealing, &self.storage] {
            bytes.extend_from_slice(seed);
        }
        if let Some(root) = &self.root {
            bytes.extend_from_slice(root);
        }
        bytes
    }

    /// The secrets in opened bytes; none when there are not three or four of them.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seeds, rest) = bytes.as_chunks::<32>();
        match (seeds, rest) {
            ([node, sealing, storage], []) => {
                Some(Self { node: *node, sealing: *sealing, storage: *storage, root: None })
            }
            ([node, sealing, storage, root], []) => {
                Some(Self { node: *node, sealing: *sealing, storage: *storage, root: Some(*root) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_passphrases_do_not_print_themselves() {
        let secrets = Secrets { node: [65; 32], sealing: [66; 32], storage: [67; 32], root: None };
        assert_eq!(format!("{secrets:?}"), "Secrets(…)");
        let unlock = Unlock::Passphrase(Zeroizing::new("cavallo batteria".into()));
        assert_eq!(format!("{unlock:?}"), "Passphrase(…)");
    }

    #[test]
    fn only_three_or_four_whole_secrets_are_secrets() {
        for length in 0..=160 {
            let read = Secrets::from_bytes(&vec![1; length]);
            assert_eq!(read.is_some(), length == 96 || length == 128, "{length}");
        }
    }
}
