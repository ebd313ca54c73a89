//! A backup, and the messages of a node that takes the place of another.

use super::cast::{NOW, Organisation, Seat, random, secret};
use super::golden::Golden;
use sincronia_protocol::backup::{
    BackupItem, BackupKey, BackupScanner, BackupWriter, ItemReader, Scanned,
};
use sincronia_protocol::crypto::RootKey;
use sincronia_protocol::joining::{Introduction, JoinMessage, VERSION, may_recall, recall};
use sincronia_protocol::recovery::recovery_sealing;

fn items() -> [BackupItem; 4] {
    [
        BackupItem::Settings("[organisation]\nname = \"Comune di Aulla\"\n".into()),
        BackupItem::Table("settings/1".into()),
        BackupItem::Pair { key: b"key".to_vec(), value: b"value".to_vec() },
        BackupItem::End { pairs: 1 },
    ]
}

#[test]
fn a_backup_opens_with_the_words() {
    let mut golden = Golden::new(
        "A backup of organisation 32 x 01 by its node of seeds 11 and 12, with the random source \
         of seed 32 x 07.",
    );
    let organisation = Organisation::found(1, 1);
    let sealing = recovery_sealing(&secret(1));
    let seat = Seat::new(0x11);
    let (mut writer, mut file) =
        BackupWriter::begin(organisation.id(), &seat.key, NOW, sealing.public(), &mut random(7))
            .unwrap();
    for item in items() {
        file.extend(writer.write(&item.encode().unwrap()).unwrap());
    }
    file.extend(writer.finish().unwrap());
    golden.hex("file", &file);
    let recorded = golden.settle("backups.json");

    let (mut rest, mut scanner) = (recorded.bytes("file"), BackupScanner::default());
    let (mut key, mut reader, mut read): (Option<BackupKey>, _, _) =
        (None, ItemReader::default(), Vec::new());
    while scanner.wants() > 0 {
        let later = rest.split_off(scanner.wants());
        match scanner.feed(&rest).unwrap() {
            Scanned::Header => key = Some(BackupKey::open(&scanner, &sealing).unwrap()),
            Scanned::Chunk { number, is_last, sealed } => {
                reader.feed(&key.as_ref().unwrap().chunk(number, is_last, &sealed).unwrap());
                while let Some(item) = reader.next_item().unwrap() {
                    read.push(item);
                }
            }
            Scanned::More | Scanned::End => {}
        }
        rest = later;
    }
    assert!(rest.is_empty());
    assert_eq!(read, items());
}

#[test]
fn a_restored_node_recalls_and_returns() {
    let mut golden = Golden::new(
        "Recall and return of a node of seeds 13 and 14; the partner's node has seeds 21 and 22.",
    );
    let mut organisation = Organisation::found(1, 1);
    let (own, partner) = (Seat::new(0x13).id(), Seat::new(0x21).id());
    let [root, next] = [0, 1].map(|generation| RootKey::derive(&secret(1), generation));
    let next = next.public();
    let introduction = Introduction {
        name: "Comune di Aulla".into(),
        addresses: vec!["/ip4/192.0.2.1/tcp/4001".into()],
        identity: std::mem::take(&mut organisation.entries),
    };
    let messages = [
        ("recall", recall(&root, &next, &own, &partner)),
        ("recalled", JoinMessage::Recalled { identity: introduction.identity.clone() }),
        ("return", JoinMessage::Return { version: VERSION, introduction }),
        ("returned", JoinMessage::Returned),
    ];
    for (name, message) in &messages {
        golden.hex(name, message.encode());
    }
    let recorded = golden.settle("returning.json");
    for (name, message) in messages {
        let read = JoinMessage::decode(&recorded.bytes(name)).unwrap();
        assert_eq!(read, message);
        if let JoinMessage::Recall { root, proof, next_root, .. } = read {
            assert!(may_recall((&root, &next_root), &own, &partner, &proof).is_some());
        }
    }
}
