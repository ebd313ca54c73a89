//! The state of the node.

use super::backup::CatchingUpView;
use super::partner::PartnerView;
use super::succession::PassedView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always true.
    pub ok: bool,
    /// The program's version.
    pub version: String,
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Partners that are not blocked.
    pub partners: u64,
    /// Partners with a session.
    pub connected: u64,
    /// Partners in sync.
    pub in_sync: u64,
    /// Spaces that this organisation is a member of.
    pub spaces: u64,
    /// Those of them that it only carries, without reading them.
    #[serde(default)]
    pub carried: u64,
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
    /// Records in conflict.
    pub conflicts: u64,
    /// Entries that do not count.
    pub quarantined: u64,
}

/// The state of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each read by its name")]
pub struct Status {
    /// The organisation.
    pub organisation: String,
    /// Its name.
    pub name: String,
    /// This node.
    pub node: String,
    /// The program's version.
    pub version: String,
    /// Where it can be reached.
    pub addresses: Vec<String>,
    /// Whether it works online.
    pub online: bool,
    /// Whether it never listens or dials, by its settings, and takes part by bundles only.
    #[serde(default)]
    pub closed: bool,
    /// Whether another copy of this node was noticed.
    pub cloned: bool,
    /// Whether the organisation revoked this node.
    #[serde(default)]
    pub revoked: bool,
    /// Whether this node was admitted apart from a change of the root key: it is a stranger to the
    /// others.
    #[serde(default)]
    pub set_aside: bool,
    /// Whether this organisation's identity log was signed in two versions that nobody united.
    #[serde(default)]
    pub divided: bool,
    /// Nodes whose revocation does not hold: the root key was rotated beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_aside: Vec<String>,
    /// Titles of spaces, and their owners, that nobody is a member of any more, since a change of
    /// the root key set aside who founded them; the first of them, if they are many. Those made
    /// again are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spaces_aside: Vec<String>,
    /// Whether this node still opens with the sealing key before the one that is certified for it:
    /// keys that come to it open once it is started again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealing_replaced: bool,
    /// Whether the disk is so full that nothing is exchanged.
    #[serde(default)]
    pub short_of_room: bool,
    /// What this node, restored from a backup, still waits for.
    #[serde(default)]
    pub catching_up: Option<CatchingUpView>,
    /// The node that writes the organisation's access logs.
    #[serde(default)]
    pub primary: Option<String>,
    /// Whether rows lag behind entries that arrived.
    pub projecting: bool,
    /// How much there is.
    pub counts: Counts,
    /// Bytes of frames sent.
    pub bytes_sent: u64,
    /// Bytes of frames received.
    pub bytes_received: u64,
    /// Bytes of the store's file.
    pub bytes_stored: u64,
    /// Conventions that passed from this organisation to the one that took its place; the first of
    /// them, if they are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedView>,
    /// Owners of spaces whose keys have not come here: until they do, partners that share these
    /// spaces stay outstanding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited_keys: Vec<AwaitedKeysView>,
    /// Organisations whose invitation was answered by a file and whose own bundle has not been
    /// imported here: until it is, they are no partners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited_bundles: Vec<AwaitedBundleView>,
    /// Spaces of which contents are gone here that a machine erased to which only a stolen root
    /// key had given the right: until somebody brings them back, others differ from this node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingView>,
    /// What waits for a person of this organisation.
    #[serde(default)]
    pub decisions: DecisionsView,
    /// Partners, each with where synchronisation stands.
    pub partners: Vec<PartnerView>,
}

/// What waits for a person of this organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionsView {
    /// Organisations that a partner presented and nobody accepted or refused.
    pub introductions: u64,
    /// Names of bodies that declared that this organisation takes their place; it has not accepted.
    #[serde(default)]
    pub to_accept: Vec<String>,
    /// Names of bodies that say that they take this organisation's place; it has not declared it.
    #[serde(default)]
    pub to_declare: Vec<String>,
    /// Spaces that are offered to this organisation.
    pub offers: u64,
    /// Entries that do not count and of which nobody decided at this machine.
    pub late: u64,
    /// Names of those that different machines declared apart to take this organisation's place,
    /// while what they signed is not united.
    #[serde(default)]
    pub successors_apart: Vec<String>,
}

/// Keys that this node waits for, and who can bring them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AwaitedKeysView {
    /// The owner of the spaces, which made the keys.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// How many of its spaces lack keys here.
    pub spaces: u64,
    /// Whether the owner is a partner, or this organisation: it brings them itself. Otherwise it
    /// has to invite this organisation.
    pub reachable: bool,
    /// Names of partners that carry such spaces, and can bring the keys too.
    pub carriers: Vec<String>,
}

/// An organisation that is to become a partner with its first bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AwaitedBundleView {
    /// Who made the invitation.
    pub organisation: String,
    /// What it is called here: mostly the beginning of its identifier, since no partner named it.
    pub name: String,
    /// When the invitation was answered.
    pub answered_at: u64,
}

/// What is gone here of a space though nothing that counts erased it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingView {
    /// The space.
    pub space: String,
    /// What it is called.
    pub title: String,
    /// Its owner, which alone can erase it for good.
    pub owner: String,
    /// The name of its owner.
    pub owner_name: String,
    /// How many entries have no content here.
    pub entries: u64,
    /// Records of which nothing is shown here any more; the first of them, if they are many.
    #[serde(default)]
    pub records: Vec<String>,
}

/// Goes offline or online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRequest {
    /// Whether to be online.
    pub online: bool,
}

/// One check of `doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether, when it is not, the node itself is well: what a person or a partner is waited for.
    #[serde(default)]
    pub warning: bool,
    /// What was found.
    pub detail: String,
    /// What to do, when it is not.
    pub remedy: Option<String>,
}

/// Asks for a check of everything stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyStoreRequest {
    /// Whether to rebuild every record and compare, too; slower.
    #[serde(default)]
    pub deep: bool,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerifyReport {
    /// Identity entries whose chain and signatures hold.
    pub identity_entries: u64,
    /// Access entries whose chain and signatures hold.
    pub access_entries: u64,
    /// Author entries whose chain holds up to a signature.
    pub author_entries: u64,
    /// Records whose row is what their entries give.
    pub records: u64,
    /// What does not hold.
    pub problems: Vec<String>,
}
