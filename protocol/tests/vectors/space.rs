//! A space with every access operation, the keyrings sealed in it, and an author's log.

use super::cast::{NOW, Organisation, Seat, random};
use sincronia_protocol::access::{
    Access, AccessEntry, AccessOperation, Cut, History, Keyring, Recipient, Role, Rotation,
    sealed_hash,
};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{EpochKey, Secret};
use sincronia_protocol::ids::{EntryHash, NodeId, RecordId, SpaceId};
use sincronia_protocol::log::{Header, LogPosition, OPERATION_CHANGE, Payload, Run, RunEntry};
use sincronia_protocol::record::{Author, Authored, Change, Edits, Kind, Record, derive_id};

pub const NAMES: [&str; 9] = [
    "0 create",
    "1 grant reader from start",
    "2 grant contributor",
    "3 grant carrier",
    "4 grant reader from now",
    "5 rotate",
    "6 cut node",
    "7 revoke",
    "8 grant reader from start",
];

/// A sealed keyring and where it belongs.
pub struct Sealed {
    pub position: u64,
    pub node: NodeId,
    pub bytes: Vec<u8>,
}

/// An entry in the making: header, plain text and sealed body.
pub struct Written {
    pub header: Header,
    pub payload: Payload,
    pub body: Vec<u8>,
    pub authored: Authored,
}

/// The space: owner 1, contributor and then leaver 2, carrier 3, reader 4.
pub struct Space {
    pub owner: Organisation,
    pub member: Organisation,
    pub carrier: Organisation,
    pub reader: Organisation,
    pub access: Access,
    pub entries: Vec<AccessEntry>,
    pub sealed: Vec<Sealed>,
    pub written: Vec<Written>,
    pub run: Run,
}

/// The key of an epoch: 32 times `e0` and on.
pub fn epoch_key(epoch: u64) -> EpochKey {
    EpochKey::from_secret(Secret::from_bytes([0xE0 + u8::try_from(epoch).unwrap(); 32]))
}

impl Space {
    pub fn new() -> Self {
        let (owner, member) = (Organisation::found(1, 2), Organisation::found(2, 1));
        let (carrier, reader) = (Organisation::found(3, 1), Organisation::found(4, 1));
        let space = AccessEntry::space_id(&owner.id(), &[7; 16]);
        let mut sealed = Vec::new();
        let seats = [owner.seats[1].clone()];
        let rotation = rotation(&space, 0, 0, false, &seats, &mut sealed);
        let primary = owner.identity.primary().unwrap();
        let creation =
            Access::draft_creation(owner.id(), [7; 16], primary.node, primary.term, rotation);
        let entry = creation.sign(&owner.seats[0].key);
        let access = Access::begin(&entry, &owner.identities()).unwrap();
        let run = Run {
            space,
            author: member.seats[0].id(),
            start: 0,
            entries: Vec::new(),
            signature: sincronia_protocol::crypto::Signature::from_bytes([0; 64]),
        };
        let (entries, written) = (vec![entry], Vec::new());
        let mut built =
            Self { owner, member, carrier, reader, access, entries, sealed, written, run };
        built.admit_everyone();
        built.rotate_and_remove();
        built
    }

    pub fn id(&self) -> SpaceId {
        self.access.space()
    }

    fn admit_everyone(&mut self) {
        let (member, carrier, reader) = (self.member.id(), self.carrier.id(), self.reader.id());
        let keyring = Keyring { keys: vec![(0, epoch_key(0))] };
        let recipients = self.seal(&keyring, &[self.member.seats[0].clone()]);
        self.grant(member, Role::Reader, History::Start, recipients, None);
        self.grant(member, Role::Contributor, History::Start, Vec::new(), None);
        self.write_two();
        self.grant(carrier, Role::Carrier, History::Start, Vec::new(), None);
        let seats = [self.member.seats[0].clone(), self.reader.seats[0].clone()];
        let fresh = self.rotation(1, false, &seats);
        self.grant(reader, Role::Reader, History::Now, Vec::new(), Some(fresh));
    }

    fn rotate_and_remove(&mut self) {
        let member = [self.member.seats[0].clone()];
        let rotation = self.rotation(2, true, &member);
        self.say(AccessOperation::Rotate { rotation });
        self.write_last();
        let cut = Cut {
            node: self.owner.seats[1].id(),
            length: 1,
            head: EntryHash::from_bytes([0xC0; 32]),
        };
        let rotation = self.rotation(3, true, &member);
        self.say(AccessOperation::CutNode { cut, rotation });
        let two = &self.written[1];
        let head = two.header.hash(&two.body);
        let cuts = vec![Cut { node: self.member.seats[0].id(), length: 2, head }];
        let organisation = self.member.id();
        let rotation = self.rotation(4, true, &[self.reader.seats[0].clone()]);
        self.say(AccessOperation::Revoke { organisation, cuts, rotation });
        let keyring = Keyring { keys: vec![(0, epoch_key(0)), (4, epoch_key(4))] };
        let recipients = self.seal(&keyring, &member);
        self.grant(organisation, Role::Reader, History::Start, recipients, None);
    }

    fn grant(
        &mut self,
        organisation: sincronia_protocol::ids::OrganisationId,
        role: Role,
        history: History,
        recipients: Vec<Recipient>,
        rotation: Option<Rotation>,
    ) {
        self.say(AccessOperation::Grant { organisation, role, history, recipients, rotation });
    }

    fn say(&mut self, operation: AccessOperation) {
        let primary = self.owner.identity.primary().unwrap();
        let statement = self.access.draft(primary.node, primary.term, operation);
        let entry = statement.sign(&self.owner.seats[0].key);
        self.access.apply(&entry, &self.owner.identities()).unwrap();
        self.entries.push(entry);
    }

    fn seal(&mut self, keyring: &Keyring, seats: &[Seat]) -> Vec<Recipient> {
        seal(&self.id(), self.access.length(), keyring, seats, &mut self.sealed)
    }

    fn rotation(&mut self, epoch: u64, wraps: bool, seats: &[Seat]) -> Rotation {
        let (space, position) = (self.id(), self.access.length());
        rotation(&space, position, epoch, wraps, seats, &mut self.sealed)
    }

    /// Two entries that have seen three access entries: a record and an edit of it.
    fn write_two(&mut self) {
        let fields = serde_json::json!({
            "title": "Una scheda sola", "area": "accoglienza", "maturity": "proposta",
            "problem": "Ogni servizio chiede un modulo diverso.",
        });
        self.write(&fields, None);
        self.write(&serde_json::json!({ "title": "Una scheda per tutti" }), Some("più chiaro"));
    }

    /// One that has seen more, under a later key: both travel with it.
    fn write_last(&mut self) {
        self.write(&serde_json::json!({ "maturity": "adottata" }), None);
        let last = &self.written[2];
        let hash = last.header.hash(&last.body);
        self.run.signature = Header::sign(&hash, &self.member.seats[0].key);
    }

    /// Where the contributor's log begins.
    pub fn origin(&self) -> LogPosition {
        LogPosition::origin(&self.id(), &self.member.seats[0].id(), &self.member.id())
    }

    fn write(&mut self, fields: &serde_json::Value, comment: Option<&str>) {
        let node = self.member.seats[0].id();
        let author = Author { node, organisation: self.member.id(), grant: 2 };
        let record = derive_id(Kind::Practice, &node, [9; 8]);
        let change = self.change(record, &author, fields);
        let payload = Payload {
            record,
            operation_code: OPERATION_CHANGE,
            operation: change.encode(),
            operator: "operator".to_owned(),
            written_at: NOW.plus(1_000 * self.written.len() as u64),
            comment: comment.map(ToOwned::to_owned),
        };
        let position = self.written.last().map_or(self.origin(), |last| LogPosition {
            length: last.header.sequence + 1,
            head: last.header.hash(&last.body),
        });
        let header = Header {
            space: self.id(),
            author: node,
            sequence: position.length,
            previous: position.head,
            access: self.access.access_point(),
            epoch: self.access.epoch(),
        };
        let key = epoch_key(header.epoch);
        let body = key.seal_body(&header.associated_data(), &codec::encode(&payload)).unwrap();
        self.travel(&header, &body);
        let authored = authored(&header, &body, &payload, &author, change);
        self.written.push(Written { header, payload, body, authored });
    }

    fn change(&self, id: RecordId, author: &Author, fields: &serde_json::Value) -> Change {
        let entries: Vec<_> = self.written.iter().map(|one| one.authored.clone()).collect();
        let nonce = entries.is_empty().then_some([9; 8]);
        let record = Record::rebuild(id, entries).unwrap();
        let edits = Edits { fields: fields.as_object().unwrap().clone() };
        record.edit(author, &edits, nonce).unwrap()
    }

    fn travel(&mut self, header: &Header, body: &[u8]) {
        let before = self.written.last().map(|last| &last.header);
        let access = before.is_none_or(|last| last.access != header.access);
        let epoch = before.is_none_or(|last| last.epoch != header.epoch);
        self.run.entries.push(RunEntry {
            access: access.then_some(header.access),
            epoch: epoch.then_some(header.epoch),
            body: body.to_vec().into(),
        });
    }
}

/// What a receiver makes of an opened entry.
pub fn authored(
    header: &Header,
    body: &[u8],
    payload: &Payload,
    author: &Author,
    change: Change,
) -> Authored {
    Authored {
        entry: header.hash(body),
        node: author.node,
        organisation: author.organisation,
        grant: author.grant,
        position: header.sequence,
        operator: payload.operator.clone(),
        comment: payload.comment.clone(),
        written_at: payload.written_at,
        change,
    }
}

fn rotation(
    space: &SpaceId,
    position: u64,
    epoch: u64,
    wraps: bool,
    seats: &[Seat],
    sealed: &mut Vec<Sealed>,
) -> Rotation {
    let key = epoch_key(epoch);
    let keyring = Keyring { keys: vec![(epoch, key.clone())] };
    let wrap = || key.wrap(&codec::encode(&(space, epoch)), &epoch_key(epoch - 1)).unwrap();
    Rotation {
        epoch,
        commitment: key.commitment(space.as_bytes(), epoch),
        previous: wraps.then(wrap),
        recipients: seal(space, position, &keyring, seats, sealed),
    }
}

/// Seals with randomness of the key stream of 32 times the number of keyrings before it.
fn seal(
    space: &SpaceId,
    position: u64,
    keyring: &Keyring,
    seats: &[Seat],
    sealed: &mut Vec<Sealed>,
) -> Vec<Recipient> {
    let mut recipients = Vec::new();
    for Seat { key, sealing } in seats {
        let node = key.id();
        let mut random = random(u8::try_from(sealed.len()).unwrap());
        let bytes = keyring.seal(space, position, &node, sealing.public(), &mut random).unwrap();
        recipients.push(Recipient { node, sealed: sealed_hash(&bytes) });
        sealed.push(Sealed { position, node, bytes });
    }
    recipients
}
