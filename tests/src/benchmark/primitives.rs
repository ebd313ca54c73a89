//! What nobody can avoid paying: the machine's disk and the cryptography, alone.

use super::figure::{number, percentile};
use super::{Failure, content};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use redb::{Database, TableDefinition};
use serde::Serialize;
use sincronia_protocol::crypto::{Domain, EpochKey, NodeKey, SealingSecret, Secret};
use sincronia_protocol::ids::{EntryHash, OrganisationId};
use sincronia_protocol::record::{
    Author, Authored, Change, Dependency, Edits, GateError, Kind, Operation, Record, Verdict,
    derive_id,
};
use sincronia_protocol::time::Timestamp;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("primitive");
/// About a stored entry.
const VALUE: [u8; 300] = [7; 300];
const PUTS: u64 = 1_000;
const CHANGES: u8 = 5;
/// The notes of a convention, and how many pages a bomb writes into them.
const NOTES: u16 = 31;
const BOMB_PAGES: usize = 300;

/// Medians, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Primitives {
    /// `fdatasync` after appending 4 KiB.
    pub fsync: f64,
    /// The same, of which one in a hundred takes longer.
    pub fsync_p99: f64,
    /// A durable commit of redb with one put.
    pub durable_commit: f64,
    /// A durable commit of redb with a thousand puts.
    pub commit_of_1000: f64,
    /// One put of those.
    pub put: f64,
    /// Ed25519.
    pub sign: f64,
    /// Ed25519, `verify_strict`.
    pub verify: f64,
    /// XChaCha20-Poly1305 with derived key and synthetic nonce, 300 B.
    pub seal_body: f64,
    /// The way back.
    pub open_body: f64,
    /// X-Wing to a node's sealing key.
    pub seal_keyring: f64,
    /// The way back.
    pub open_keyring: f64,
    /// A record from its five changes, through the gate, and its view.
    pub apply_record: f64,
    /// A record whose second change unfolds into more operations than a change may, refused.
    pub refuse_bomb: f64,
}

impl Primitives {
    /// Measures on the disk that holds `directory`.
    pub fn measure(directory: &Path) -> Result<Self, Failure> {
        let place = tempfile::Builder::new().prefix("primitives").tempdir_in(directory)?;
        let (fsync, fsync_p99) = fsync(place.path())?;
        let database = Database::create(place.path().join("primitive.redb"))?;
        let durable_commit = median(200, |round| commit(&database, round * PUTS, 1))?;
        let commit_of_1000 = median(20, |round| commit(&database, round * PUTS, PUTS))?;
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let node = NodeKey::from_seed(&Secret::from_bytes([1; 32]));
        let signature = node.sign(Domain::AUTHOR_SIGNATURE, &VALUE);
        let epoch = EpochKey::random(&mut random);
        let body = epoch.seal_body(&VALUE[..100], &VALUE)?;
        let sealing = SealingSecret::from_seed(&Secret::from_bytes([2; 32]));
        let keyring = sealing.public().seal(b"context", &VALUE[..48], &mut random)?;
        let entries = changes(&node)?;
        let record = derive_id(Kind::Contact, &node.id(), [1; 8]);
        Ok(Self {
            fsync,
            fsync_p99,
            durable_commit,
            commit_of_1000,
            put: commit_of_1000 / number(PUTS),
            sign: median(500, |_| {
                black_box(node.sign(Domain::AUTHOR_SIGNATURE, &VALUE));
                Ok(())
            })?,
            verify: median(500, |_| {
                Ok(signature.verify(Domain::AUTHOR_SIGNATURE, &node.id(), &VALUE)?)
            })?,
            seal_body: median(500, |_| {
                let _ = black_box(epoch.seal_body(&VALUE[..100], &VALUE)?);
                Ok(())
            })?,
            open_body: median(500, |_| {
                let _ = black_box(epoch.open_body(&VALUE[..100], &body)?);
                Ok(())
            })?,
            seal_keyring: median(200, |_| {
                let sealed = sealing.public().seal(b"context", &VALUE[..48], &mut random)?;
                let _ = black_box(sealed);
                Ok(())
            })?,
            open_keyring: median(200, |_| {
                let _ = black_box(sealing.open(b"context", &keyring)?);
                Ok(())
            })?,
            apply_record: median(200, |_| {
                let built = Record::rebuild(record, entries.clone())?;
                let _ = black_box(built.view());
                Ok(())
            })?,
            refuse_bomb: refuse_bomb(&node)?,
        })
    }

    /// Each with its name, for the table.
    pub const fn rows(&self) -> [(&'static str, f64); 13] {
        [
            ("fdatasync of an append", self.fsync),
            ("fdatasync, p99", self.fsync_p99),
            ("redb durable commit of one put", self.durable_commit),
            ("redb durable commit of 1,000 puts", self.commit_of_1000),
            ("one put of those", self.put),
            ("Ed25519 sign", self.sign),
            ("Ed25519 verify", self.verify),
            ("seal a body of 300 B", self.seal_body),
            ("open a body of 300 B", self.open_body),
            ("X-Wing seal", self.seal_keyring),
            ("X-Wing open", self.open_keyring),
            ("a record from its 5 changes, and its view", self.apply_record),
            ("a record and a change of 60,000 operations, refused", self.refuse_bomb),
        ]
    }
}

fn fsync(directory: &Path) -> Result<(f64, f64), Failure> {
    let mut file = File::create(directory.join("fsync"))?;
    let mut times = times(200, |_| {
        file.write_all(&[0; 4_096])?;
        Ok(file.sync_data()?)
    })?;
    Ok((percentile(&mut times, 0.5), percentile(&mut times, 0.99)))
}

fn commit(database: &Database, from: u64, puts: u64) -> Result<(), Failure> {
    let write = database.begin_write()?;
    {
        let mut table = write.open_table(TABLE)?;
        for number in from..from + puts {
            // Keys of many spaces and authors: spread, not appended.
            let key = Domain::BODY.hash(&[&number.to_be_bytes()]);
            table.insert(key.as_slice(), VALUE.as_slice())?;
        }
    }
    Ok(write.commit()?)
}

/// The changes of one contact by one author.
fn changes(node: &NodeKey) -> Result<Vec<Authored>, Failure> {
    let organisation = OrganisationId::from_bytes([3; 32]);
    let author = Author { node: node.id(), organisation, grant: 0 };
    let mut record = Record::new(derive_id(Kind::Contact, &node.id(), [1; 8]))?;
    let mut entries = Vec::new();
    for number in 0..CHANGES {
        let (fields, nonce) = match number {
            0 => (content::contact(1), Some([1; 8])),
            _ => (content::contact_edit(number.into()), None),
        };
        let authored = Authored {
            entry: EntryHash::from_bytes([number + 1; 32]),
            node: node.id(),
            organisation,
            grant: 0,
            position: number.into(),
            operator: "assistente sociale".into(),
            comment: None,
            written_at: Timestamp::from_milliseconds(number.into()),
            change: record.edit(&author, &Edits { fields }, nonce)?,
        };
        record.extend(vec![authored.clone()]);
        entries.push(authored);
    }
    Ok(entries)
}

/// How long the gate takes to refuse what would unfold into sixty times what a change may.
fn refuse_bomb(node: &NodeKey) -> Result<f64, Failure> {
    let organisation = OrganisationId::from_bytes([3; 32]);
    let author = Author { node: node.id(), organisation, grant: 0 };
    let id = derive_id(Kind::Convention, &node.id(), [1; 8]);
    let fields = content::convention(1, &[]);
    let authored = |number: u8, change| Authored {
        entry: EntryHash::from_bytes([number; 32]),
        node: node.id(),
        organisation,
        grant: 0,
        position: u64::from(number) - 1,
        operator: "assistente sociale".into(),
        comment: None,
        written_at: Timestamp::from_milliseconds(1),
        change,
    };
    let creation = authored(1, Record::new(id)?.edit(&author, &Edits { fields }, Some([1; 8]))?);
    let page = Operation::Splice { field: NOTES, after: None, text: "y".repeat(200) };
    let (dependencies, operations) =
        (vec![Dependency::Entry(creation.entry)], vec![page; BOMB_PAGES]);
    let bomb = authored(2, Change { creation: None, dependencies, operations });
    let entries = vec![creation, bomb];
    let refused = Record::rebuild(id, entries.clone())?.verdict(&EntryHash::from_bytes([2; 32]));
    if refused != Some(Verdict::Refused(GateError::OperationsMany)) {
        return Err(format!("the gate says of a bomb: {refused:?}").into());
    }
    median(200, |_| {
        let _ = black_box(Record::rebuild(id, entries.clone())?);
        Ok(())
    })
}

fn median(rounds: u64, round: impl FnMut(u64) -> Result<(), Failure>) -> Result<f64, Failure> {
    Ok(percentile(&mut times(rounds, round)?, 0.5))
}

fn times(
    rounds: u64,
    mut round: impl FnMut(u64) -> Result<(), Failure>,
) -> Result<Vec<f64>, Failure> {
    (0..rounds)
        .map(|number| {
            let start = Instant::now();
            round(number)?;
            Ok(start.elapsed().as_secs_f64() * 1e6)
        })
        .collect()
}
