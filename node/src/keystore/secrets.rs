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

/// Sealing keys that a node replaced: one a year for two generations of people.
const FORMER_MAX: usize = 64;

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
    /// Seeds of sealing keys before this one, oldest first: what was sealed to them still opens.
    pub former: Vec<[u8; 32]>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Fresh secrets of a node; none of a root.
    pub fn generate(random: &mut impl CryptoRng) -> Self {
        let mut secrets = Self::none();
        random.fill_bytes(&mut secrets.node);
        random.fill_bytes(&mut secrets.sealing);
        random.fill_bytes(&mut secrets.storage);
        secrets
    }

    /// Takes a fresh sealing key into use and keeps the one before, to open what was sealed to it.
    pub fn replace_sealing(&mut self, random: &mut impl CryptoRng) {
        if self.former.len() >= FORMER_MAX {
            self.former.remove(0);
        }
        self.former.push(self.sealing);
        random.fill_bytes(&mut self.sealing);
    }

    const fn none() -> Self {
        let (node, sealing, storage) = ([0; 32], [0; 32], [0; 32]);
        Self { node, sealing, storage, root: None, former: Vec::new() }
    }

    /// The bytes that are sealed: three seeds, then the root entropy when there is one, then former
    /// sealing seeds; before these the entropy stands as zeros when there is none.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity((4 + self.former.len()) * 32));
        for seed in [&self.node, &self.sealing, &self.storage] {
            bytes.extend_from_slice(seed);
        }
        match &self.root {
            Some(root) => bytes.extend_from_slice(root),
            None if !self.former.is_empty() => bytes.extend_from_slice(&[0; 32]),
            None => {}
        }
        self.former.iter().for_each(|seed| bytes.extend_from_slice(seed));
        bytes
    }

    /// The secrets in opened bytes; none when there are not at least three of them, or too many.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seeds, rest) = bytes.as_chunks::<32>();
        let ([node, sealing, storage, more @ ..], []) = (seeds, rest) else { return None };
        let (root, former) = more.split_first().map_or((None, [].as_slice()), |(root, former)| {
            (Some(*root).filter(|root| *root != [0; 32]), former)
        });
        if former.len() > FORMER_MAX {
            return None;
        }
        let former = former.to_vec();
        Some(Self { node: *node, sealing: *sealing, storage: *storage, root, former })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_passphrases_do_not_print_themselves() {
        let mut secrets = Secrets::none();
        secrets.sealing = [66; 32];
        assert_eq!(format!("{secrets:?}"), "Secrets(…)");
        let unlock = Unlock::Passphrase(Zeroizing::new("cavallo batteria".into()));
        assert_eq!(format!("{unlock:?}"), "Passphrase(…)");
    }

    #[test]
    fn only_whole_secrets_and_at_least_three_are_secrets() {
        for length in 0..=160 {
            let read = Secrets::from_bytes(&vec![1; length]);
            assert_eq!(read.is_some(), length >= 96 && length % 32 == 0, "{length}");
        }
        assert!(Secrets::from_bytes(&[1; 32 * (5 + FORMER_MAX)]).is_none());
    }

    #[test]
    fn former_keys_are_kept_with_and_without_the_root() {
        for root in [None, Some([9; 32])] {
            for former in [vec![], vec![[1; 32], [2; 32]]] {
                let mut secrets = Secrets::none();
                (secrets.root, secrets.former) = (root, former.clone());
                let read = Secrets::from_bytes(&secrets.to_bytes()).unwrap();
                assert_eq!((read.root, read.former.clone()), (root, former));
            }
        }
    }
}
