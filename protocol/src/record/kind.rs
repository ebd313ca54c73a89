//! The kinds of record, who may write each, and the identifiers that carry the kind.
//!
//! A kind has a stable number (the first byte of every [`RecordId`]) and a stable name. Numbers are
//! never used again for something else: an identifier made today must read the same in ten years.

use crate::ids::{NodeId, RecordId};
use crate::record::schema::{self, Schema};
use serde::{Deserialize, Serialize};

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    /// The profile of a body.
    Organisation = 1,
    /// An office or a service of a body.
    Office = 2,
    /// Who to call: staff and mailboxes, never the people who are cared for.
    Contact = 3,
    /// A convention between two or more parties.
    Convention = 4,
    /// An insurance cover.
    Cover = 5,
    /// Who answers for what in a convention.
    Responsibility = 6,
    /// An educational or therapeutic objective of a convention.
    Objective = 7,
    /// Seats free and used in a month.
    Seats = 8,
    /// What one party keeps about a convention: its own protocol numbers and filing.
    PartySheet = 9,
    /// A meeting.
    Meeting = 10,
    /// A good practice.
    Practice = 11,
}

/// Who may write a kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// Every contributor of the space; conflicts on legal fields are shown.
    Shared,
    /// Only the organisation that created the record.
    Owned,
}

/// A name or number that is no kind of record this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this kind of record is not known; it may have been written by a newer version")]
pub struct UnknownKind;

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Organisation,
        Self::Office,
        Self::Contact,
        Self::Convention,
        Self::Cover,
        Self::Responsibility,
        Self::Objective,
        Self::Seats,
        Self::PartySheet,
        Self::Meeting,
        Self::Practice,
    ];

    /// The stable number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The stable name, as in JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Office => "office",
            Self::Contact => "contact",
            Self::Convention => "convention",
            Self::Cover => "cover",
            Self::Responsibility => "responsibility",
            Self::Objective => "objective",
            Self::Seats => "seats",
            Self::PartySheet => "party_sheet",
            Self::Meeting => "meeting",
            Self::Practice => "practice",
        }
    }

    /// Who may write it.
    #[must_use]
    pub const fn ownership(self) -> Ownership {
        match self {
            Self::Organisation
            | Self::Office
            | Self::Contact
            | Self::Cover
            | Self::Seats
            | Self::PartySheet => Ownership::Owned,
            Self::Convention
            | Self::Responsibility
            | Self::Objective
            | Self::Meeting
            | Self::Practice => Ownership::Shared,
        }
    }

    /// Its fields.
    #[must_use]
    pub const fn schema(self) -> &'static Schema {
        schema::of(self)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownKind)
    }
}

/// The identifier of the record that `creator` makes with `nonce`: one byte of kind and fifteen of
/// a hash. Nobody else can claim to have created it, because a creation must derive its own record.
#[must_use]
pub fn derive_id(kind: Kind, creator: &NodeId, nonce: [u8; 8]) -> RecordId {
    let mut hasher = blake3::Hasher::new_derive_key("sincronia/1/record-id");
    hasher.update(&[kind.code()]).update(creator.as_bytes()).update(&nonce);
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    bytes.rotate_right(1);
    let [first, ..] = &mut bytes;
    *first = kind.code();
    RecordId::from_bytes(bytes)
}

/// The kind of record that an identifier names, unless a newer version made it.
#[must_use]
pub fn kind_of(id: &RecordId) -> Option<Kind> {
    let [code, ..] = id.as_bytes();
    Kind::from_code(*code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!("placement".parse::<Kind>(), Err(UnknownKind));
    }

    #[test]
    fn an_identifier_carries_its_kind_and_hides_its_nonce() {
        let node = NodeId::from_bytes([7; 32]);
        let id = derive_id(Kind::Cover, &node, [1; 8]);
        assert_eq!(kind_of(&id), Some(Kind::Cover));
        assert_ne!(id, derive_id(Kind::Cover, &node, [2; 8]));
        assert_ne!(id, derive_id(Kind::Cover, &NodeId::from_bytes([8; 32]), [1; 8]));
        let mut hash = [0; 16];
        let mut hasher = blake3::Hasher::new_derive_key("sincronia/1/record-id");
        hasher.update(&[5]).update(&[7; 32]).update(&[1; 8]);
        hasher.finalize_xof().fill(&mut hash);
        assert_eq!(id.as_bytes()[1..], hash[..15], "the first fifteen bytes of the hash");
        assert_eq!(kind_of(&RecordId::from_bytes([0xEE; 16])), None);
    }
}
