//! Identifiers: 32-byte values that cannot be confused with one another.
//!
//! People read and type them as bech32m (BIP 350), whose checksum catches every typing error of up
//! to four characters: `ente1…` for organisations, `nodo1…` for nodes, `fascicolo1…` for spaces,
//! `scheda1…` for records.

mod text;

pub(crate) use text::decode_bytes;
pub use text::{IdError, decode_text, encode_text};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $size]);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// An identifier from its bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $size]) -> Self {
                Self(bytes)
            }

            /// The bytes of the identifier.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                encoder.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let bytes = decoder.bytes()?.try_into();
                bytes.map(Self).map_err(|_| minicbor::decode::Error::message("identifier length"))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&encode_text($prefix, self.as_bytes()))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let text = self.to_string();
                formatter.write_str(text.get(..$prefix.len() + 9).unwrap_or(&text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                decode_text::<$size>($prefix, text).map(Self::from_bytes)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

identifier!(
    /// An organisation: the hash of its first root public key, so that it survives root rotation.
    OrganisationId, "ente", 32
);
identifier!(
    /// A node: its Ed25519 public key.
    NodeId, "nodo", 32
);
identifier!(
    /// A space: the hash of its owner and a random salt.
    SpaceId, "fascicolo", 32
);
identifier!(
    /// A record: one byte of kind and fifteen of a hash of its creator and a nonce.
    RecordId, "scheda", 16
);
identifier!(
    /// An entry of a log: the hash of its header (which holds the hash of its body).
    EntryHash, "voce", 32
);

impl EntryHash {
    /// What stands in the place of a predecessor before the first entry of a log.
    pub const ZERO: Self = Self::from_bytes([0; 32]);
}
