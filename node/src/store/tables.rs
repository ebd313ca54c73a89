//! All tables of the store file. Their keys and values are described at
//! [`sincronia_protocol::storage::Table`], whose names they bear; the number in a name is the
//! version of the format of its values. Integers in keys are big-endian, so byte order is log
//! order.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | name | `format`: version 8; `organisation`: id 32; `created`: milliseconds since 1970 8 |
//! | `identity/1` | organisation 32 ‖ sequence 8 | identity entry, CBOR |
//! | `access/1` | space 32 ‖ sequence 8 | access entry, CBOR |
//! | `branches/1` | space 32 ‖ hash 32 | access entry of a branch that does not hold, CBOR |
//! | `entries/1` | space 32 ‖ author 32 ‖ sequence 8 | author entry as it travels, CBOR |
//! | `heads/1` | space 32 ‖ author 32 | length, last hash, progress of rows, CBOR |
//! | `sealed/1` | space 32 ‖ hash 32 | sealed keyring as it travels |
//! | `keys/1` | space 32 ‖ commitment 32 | epoch key, sealed under the storage key |
//! | `rows/1` | space 32 ‖ record 16 | materialised record, sealed under the storage key |
//! | `spaces/1` | space 32 | summary: owner, members, digest, counts, CBOR |
//! | `waiting/1` | space 32 ‖ author 32 ‖ sequence 8 | empty: an entry that cannot be read yet; 1: one that never can |
//! | `forks/1` | space 32 ‖ author 32 ‖ sequence 8 | the other branch, CBOR run |
//! | `partners/1` | organisation 32 | partner, sealed under the storage key |
//! | `invitations/1` | hash of secret 32 | invitation, sealed under the storage key |
//! | `addresses/1` | node 32 | its latest address record, sealed under the storage key |
//! | `settings/1` | name | local setting, sealed under the storage key |
//! | `bundles/1` | organisation 32 | what was exchanged with it by bundles, sealed under the storage key |
//! | `bundles/1` | organisation 32 ‖ space 32 | its heads by its own word, sealed under the storage key |
//! | `parts/1` | bundle 32 ‖ number 4 | when it was imported 8 ‖ part of a bundle that is not complete |

use redb::TableDefinition;
use sincronia_protocol::storage::Table;

/// Format version, owner, and when the store was made.
pub const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// The redb table of a protocol table.
pub const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}
