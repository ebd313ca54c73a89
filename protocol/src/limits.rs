//! Every bound of the protocol, each with its reason. A peer cannot choose our memory use.

/// A frame on the wire. Large enough that a first sync is not chatty, small enough to hold several.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// The plain body of an entry: a change that a person makes is hundreds of bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// The sealed body: payload, padding (at most 12 %), nonce and tag.
pub const BODY_BYTES_MAX: usize = 80 * 1024;
/// Padding floor: short edits of different fields all look alike.
pub const PAYLOAD_BYTES_MIN: usize = 96;

/// Operations of one change: the largest real record has about two hundred fields.
pub const CHANGE_OPERATIONS_MAX: usize = 1_000;
/// Values that one operation replaces: as many as there are concurrent writers of one field.
pub const OPERATION_PREDECESSORS_MAX: usize = 64;
/// Concurrent heads that one change joins.
pub const CHANGE_DEPENDENCIES_MAX: usize = 64;
/// Nesting of objects in a record. Automerge recurses without a limit of its own.
pub const RECORD_DEPTH_MAX: usize = 8;
/// A key of a map.
pub const KEY_BYTES_MAX: usize = 256;
/// One text value.
pub const STRING_BYTES_MAX: usize = 32 * 1024;
/// Changes of one record that are kept in memory together.
pub const RECORD_CHANGES_MAX: usize = 100_000;
/// Operations in the past of one change: bounds what a member can make others keep in memory.
pub const RECORD_OPERATIONS_MAX: u64 = 1_000_000;
/// Bytes of text in the past of one change; a record of the example network has under 2 KiB.
pub const RECORD_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// An operator's name inside a change.
pub const OPERATOR_BYTES_MAX: usize = 128;
/// A comment inside a change.
pub const COMMENT_BYTES_MAX: usize = 2_000;

/// Entries of an identity log: a root rotation a month for eighty years.
pub const IDENTITY_ENTRIES_MAX: usize = 1_000;
/// Of the places that are left on a branch when a root key comes into force, the part that it may
/// fill: one half. The other is kept for the key that it committed to. So who stole a root key
/// fills no branch, and whoever has the words can change the key and go on: after one such thief
/// with 500 places, after two with 250. The change of the key finds a place until a log is full.
pub const IDENTITY_SHARE_OF_ROOT: usize = 2;
/// Branches of one identity log that count beside its first and were not united with it: each takes
/// somebody with the recovery words who used them at a machine that had not heard of the last time.
/// Of more of one root key the longest count.
pub const IDENTITY_BRANCHES_MAX: usize = 7;
/// Unions on one branch of an identity log: two people who each year once use the words apart.
pub const IDENTITY_UNIONS_MAX: usize = 16;
/// Branches of one identity log in all: those that count, those that were united, and as many that
/// count no more or not yet. What comes takes the place of what counts least.
pub const IDENTITY_BRANCHES_ALL_MAX: usize = 2 * (1 + IDENTITY_BRANCHES_MAX) + IDENTITY_UNIONS_MAX;
/// Branches that are looked at while entries of one message are taken.
pub const IDENTITY_BRANCHES_OPEN_MAX: usize = 2 * IDENTITY_BRANCHES_ALL_MAX;
/// Entries of all branches of one identity log.
pub const IDENTITY_ENTRIES_ALL_MAX: usize = IDENTITY_ENTRIES_MAX * IDENTITY_BRANCHES_ALL_MAX;
/// Bytes of one identity entry without its signature: a hybrid public key is 1,216.
pub const IDENTITY_ENTRY_BYTES_MAX: usize = 4 * 1024;
/// Nodes that one organisation certifies at a time.
pub const IDENTITY_NODES_MAX: usize = 32;
/// Entries of one access log.
pub const ACCESS_ENTRIES_MAX: usize = 100_000;
/// Stretches of entries that one erasure names, at most 54 bytes each: they fit into an access
/// entry. For more, the owner writes another erasure.
pub const ERASURE_STRETCHES_MAX: usize = 4_096;
/// Branches of one access log that are kept beside the one that holds: machines that died or were
/// copied. Of more, those that rank highest are kept, the same on every node.
pub const ACCESS_BRANCHES_MAX: usize = 8;
/// Branches that are kept in all: as many again that rank lower and erase something, until the
/// owner's primary has said it again on the branch that holds.
pub const ACCESS_BRANCHES_KEPT_MAX: usize = 2 * ACCESS_BRANCHES_MAX;
/// Branches that are kept and named to a partner when the owner's primary was replaced again and
/// again meanwhile: what its machine of now writes must find room.
pub const ACCESS_ENDS_MAX: usize = 2 * ACCESS_BRANCHES_KEPT_MAX;
/// Places of a cut log that one access entry names: at most 46 bytes each.
pub const SETTLED_PLACES_MAX: usize = 1_024;
/// Places that are named of one log, by cuts and beside them: as many as four cuts of a long log
/// name. Each is looked at once, and again when more are named.
pub const SETTLED_PLACES_OF_NODE_MAX: usize = 4 * SETTLED_PLACES_MAX;
/// Places that are named of all logs of a space: 32 of each log that there may be, some five
/// megabytes of memory. Cuts find room beyond it.
pub const SETTLED_PLACES_OF_SPACE_MAX: usize = 32 * SPACE_AUTHORS_MAX;
/// Entries from one named place of a cut log to the next, where it has no more than the limit:
/// fewer than a run brings at once.
pub const SETTLED_STEP: u64 = 256;
/// Bytes of one access entry without its signature: 70 for each recipient, 80 for each cut.
pub const ACCESS_ENTRY_BYTES_MAX: usize = 256 * 1024;
/// Members of one space, former ones too: a table of all mayors of a province fits.
pub const SPACE_MEMBERS_MAX: usize = 512;
/// Author logs in one space: members times their nodes over the years.
pub const SPACE_AUTHORS_MAX: usize = 2_048;
/// Receipts for erasures in one space, one for each node: as many as may have written in it.
pub const SPACE_RECEIPTS_MAX: usize = SPACE_AUTHORS_MAX;
/// Stretches of missing bodies that heads of a space name, at most 54 bytes each: the rest is named
/// when these have come.
pub const MISSING_NAMED_MAX: usize = 4_096;
/// Author logs of one organisation's nodes in one space: nobody takes the places of others.
pub const SPACE_AUTHORS_OF_ONE_MAX: usize = 128;
/// Organisations for which a node may have begun its log in a space that are tried: those admitted
/// first. One certified it, or two when its key was stolen; anybody can found more.
pub const ORIGINS_MAX: usize = 32;
/// Recipients of one rotation.
pub const ROTATION_RECIPIENTS_MAX: usize = 1_024;
/// Keys in one sealed keyring: one for each stretch of history that starts afresh.
pub const KEYRING_KEYS_MAX: usize = 1_024;
/// A sealed keyring: hybrid encapsulation 1,120 bytes, then 40 for each key.
pub const SEALED_BYTES_MAX: usize = 64 * 1024;
/// Entries of one run: bounds the work of one frame.
pub const RUN_ENTRIES_MAX: usize = 4_096;
/// Entries beyond a cut that are kept of one author, for the owner to adopt: a long absence.
pub const LATE_ENTRIES_MAX: u64 = 10_000;
/// Entries of one organisation's nodes that are taken within a day: the first synchronisation with
/// the busiest partner in ten years brings half of it.
pub const DAY_ENTRIES_MAX: u64 = 1_000_000;
/// Bytes of their bodies.
pub const DAY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Entries of one author in one space.
pub const AUTHOR_ENTRIES_MAX: u64 = 10_000_000;

/// Content of one chunk of a backup: what is in memory while one is made or read.
pub const BACKUP_CHUNK_BYTES: usize = 1024 * 1024;
/// The header of a backup: its largest part is a sealed key of 1,168 bytes.
pub const BACKUP_HEADER_BYTES_MAX: usize = 4 * 1024;
/// One key and value in a backup: the longest is the proof of a fork, a frame.
pub const BACKUP_ITEM_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Introductions under way at one node, in each direction: more than a person answers in a month.
pub const INTRODUCTIONS_MAX: usize = 64;
/// Of these, by one partner.
pub const INTRODUCTIONS_OF_PARTNER_MAX: usize = 8;
/// How long one waits to be accepted: 30 days.
pub const INTRODUCTION_VALID_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// An admission of a new machine: the longest identity log, and every address of every node.
pub const ADMISSION_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Partners that nodes of one organisation tell each other of: ten times what one node is made for.
pub const PARTNERS_MAX: usize = 10_000;
/// Partners in one message between nodes of one organisation.
pub const PARTNER_RECORDS_MAX: usize = 256;
/// Addresses in one invitation or address record.
pub const ADDRESSES_MAX: usize = 16;
/// One address in text form.
pub const ADDRESS_BYTES_MAX: usize = 256;
/// Beacons that are compared, or named, in one message: forty bytes each. Of a node with
/// more partners the first by their ids are passed on.
pub const BEACONS_MAX: usize = 4_096;
/// Spaces in a beacon: 28 KiB of tags and lengths. Of a node with more the first are told.
pub const BEACON_SPACES_MAX: usize = 2_048;
/// Beacons of one node that are taken within a day: an address that changes every quarter of an
/// hour. Each is written down and passed on to all common partners.
pub const BEACONS_DAY_MAX: u32 = 100;
/// An organisation's name.
pub const NAME_BYTES_MAX: usize = 1_000;
/// How long an invitation can be valid: longer ones are forgotten in drawers.
pub const INVITATION_VALID_MS_MAX: u64 = 90 * 24 * 60 * 60 * 1000;

/// What one bundle holds before it is sealed, some 400,000 edits: it is made and read in memory and
/// in one step. What does not fit goes into the next one.
pub const BUNDLE_CONTENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The clear beginning of a sealed bundle: one sealed key for each node of an organisation.
pub const BUNDLE_HEADER_BYTES_MAX: usize = 64 * 1024;
/// A bundle as it travels: its content, a tag for each chunk, the clear beginning.
pub const BUNDLE_BYTES_MAX: u64 = 66 * 1024 * 1024;
/// Parts of one bundle; each names all others, in 34 bytes.
pub const BUNDLE_PARTS_MAX: usize = 1_024;
/// The clear beginning of one part.
pub const PART_HEADER_BYTES_MAX: usize = 36 * 1024;
/// The smallest part: its beginning leaves room for content.
pub const PART_BYTES_MIN: usize = 4 * 1024;
/// What fits into an ordinary mailbox.
pub const PART_BYTES_DEFAULT: usize = 20_000_000;
/// The largest part; it is imported in one request.
pub const PART_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Parts that wait for the rest of their bundle, in bytes; beyond it the oldest bundle is dropped.
pub const PARTS_KEPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long they wait after the last of them came: as long as an invitation holds. Whoever finds
/// the rest later imports all of its files again.
pub const PARTS_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// Bundles that are remembered as imported: who imports one again is told so.
pub const BUNDLES_REMEMBERED_MAX: usize = 256;
/// Refusals that the report of one bundle names.
pub const BUNDLE_REFUSALS_MAX: usize = 32;

const _: () = assert!(BODY_BYTES_MAX > PAYLOAD_BYTES_MAX + PAYLOAD_BYTES_MAX / 8 + 64);
const _: () = assert!(FRAME_BYTES_MAX > BODY_BYTES_MAX * 2);
const _: () = assert!(FRAME_BYTES_MAX > ACCESS_ENTRY_BYTES_MAX * 2);
const _: () = assert!(STRING_BYTES_MAX < PAYLOAD_BYTES_MAX);
const _: () = assert!(BUNDLE_BYTES_MAX > BUNDLE_CONTENT_BYTES_MAX as u64 + 1024 * 1024);
const _: () = assert!(PART_HEADER_BYTES_MAX > BUNDLE_PARTS_MAX * 34 + 256);
/// Keys that heads name as lacking: 140 KB of a frame. The rest is named when these have come.
pub const KEYS_NAMED_MAX: usize = 4_096;
/// Keys of chains that were given up in the spaces of one owner, by each node that asks for one:
/// machines are lost one by one.
pub const ASKERS_OF_OWNER_MAX: usize = 4_096;
/// Items that one comparison asks for: ten times the largest node, 32 MB.
pub const ITEMS_NEEDED_MAX: usize = 1_000_000;
/// What one partner tells of another: a frame less its other fields.
pub const PRESENTATION_BYTES_MAX: usize = FRAME_BYTES_MAX - 4 * 1024;
/// How long an access log may be for erasures to be said by themselves: the other half is for
/// removals.
pub const ERASURES_SETTLED_UNTIL: u64 = ACCESS_ENTRIES_MAX as u64 / 2;
/// How far a machine's count of decisions about a partner may be ahead of another's: people make
/// them, and a count at its end would make the last one final.
pub const DECISIONS_AHEAD_MAX: u64 = 1 << 32;
/// Spaces that a node takes of one owner, those included that it handed over: three times what the
/// largest node shares with one partner. Each takes about a kilobyte of memory for good, so one
/// owner takes 32 MB.
pub const SPACES_OF_OWNER_MAX: usize = 32_768;
/// Organisations and beginnings of spaces that are not known here and that one partner brings
/// within a day: anybody can make them, and each is kept. A whole country comes in two.
pub const DAY_STRANGERS_MAX: u64 = 4_096;
/// Whole spaces that count as much as one stranger: 32,768 a day, three times what the largest node
/// shares with one partner. Each takes about a kilobyte of memory for good.
pub const SPACES_PER_STRANGER: u64 = 8;
/// By how much two clocks may be apart before people are told: more than a message takes from one
/// partner to the next, less than what would confuse who reads the dates.
pub const CLOCKS_APART_MS: u64 = 10 * 60 * 1000;
