//! A node whose program was changed: it writes although it is only a reader.

use super::step::Happening;
use super::{PeerIndex, World, practice};
use sincronia_protocol::access::Role;
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{EpochKey, Secret};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::log::{
    AccessPoint, Header, LogPosition, OPERATION_CHANGE, Payload, Run, RunEntry,
};
use sincronia_protocol::record::{Author, Edits, Kind, Record, derive_id};
use sincronia_protocol::storage::{Storage, Table};
use sincronia_protocol::sync::Message;

impl World {
    /// A reader writes a well-made record, signs it, and hands it to a node it is connected with.
    /// Nobody promised it anything, so the oracle objects wherever it counts.
    pub fn write_anyway(&mut self, peer: PeerIndex, to: PeerIndex, space: SpaceId) {
        let is_reader = self.peers[peer].replica.own_role(&space) == Some(Role::Reader);
        let link = self.links_between(peer, to).first().copied();
        let (Some(link), true) = (link, is_reader) else { return };
        let Some(run) = self.forge(peer, &space) else { return };
        self.count_fault("forged entry");
        self.note(&format!("{peer} writes as a reader, to {to}"));
        self.set_forging(peer);
        self.counter += 1;
        let frame = Message::Run(run).encode();
        self.queue.insert((self.now.plus(1), self.counter), Happening::Arrival { link, to, frame });
    }

    fn forge(&mut self, peer: PeerIndex, space: &SpaceId) -> Option<Run> {
        let one = &mut self.peers[peer];
        let node = one.replica.node();
        if one.replica.read_run(&one.disk, space, &node, 0, 1).ok()?.is_some() {
            return None;
        }
        let entries = one.replica.access_entries(&one.disk, space, 0, u64::MAX, usize::MAX).ok()?;
        let access =
            AccessPoint { length: entries.len() as u64, head: entries.last()?.statement.hash() };
        let epoch = one.replica.space_view(&one.disk, space).ok()?.epoch;
        let mut rotations = entries.iter().filter_map(|entry| entry.statement.operation.rotation());
        let commitment = rotations.next_back()?.commitment;
        let place = [space.as_bytes().as_slice(), commitment.as_bytes()].concat();
        let sealed = one.disk.read(Table::Keys, &place).ok()??;
        let bound = [Table::Keys.name().as_bytes(), &[0], &place].concat();
        let secret = one.credentials.storage.open(&bound, &sealed).ok()?;
        let key = EpochKey::from_secret(Secret::from_bytes(secret.as_slice().try_into().ok()?));
        let previous = LogPosition::origin(space, &node, &one.credentials.organisation).head;
        let header = Header { space: *space, author: node, sequence: 0, previous, access, epoch };
        let text = codec::encode(&self.forged_payload(peer)?);
        let body = key.seal_body(&header.associated_data(), &text).ok()?;
        let hash = header.hash(&body);
        let signature = Header::sign(&hash, &self.peers[peer].credentials.node_key);
        let entry = RunEntry { access: Some(access), epoch: Some(epoch), body: body.into() };
        Some(Run { space: *space, author: node, start: 0, entries: vec![entry], signature })
    }

    fn forged_payload(&self, peer: PeerIndex) -> Option<Payload> {
        let node = self.peers[peer].replica.node();
        let author = Author { node, organisation: self.organisation(peer), grant: 1 };
        let nonce = [7; 8];
        let record = derive_id(Kind::Practice, &node, nonce);
        let fields = practice("Scritta da chi può solo leggere").as_object()?.clone();
        let document = Record::new(record).ok()?;
        let change = document.edit(&author, &Edits { fields }, Some(nonce)).ok()?;
        Some(Payload {
            record,
            operation_code: OPERATION_CHANGE,
            operation: change.encode(),
            operator: String::new(),
            written_at: self.time_at(peer),
            comment: None,
        })
    }
}
