//! Backups: the sealed file, and what stands in one that opens.

use super::{Form, Parser, vectors};
use sincronia_node::backup::inspect;
use sincronia_protocol::backup::{BackupItem, ItemReader};
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::recovery::recovery_sealing;

/// Pieces in which the content comes: no item ends where one does.
const PIECE_BYTES: usize = 37;

/// Files of backups, and their content as it comes out of the seal.
#[must_use]
pub fn backups() -> Parser {
    let mut samples = vectors::read("backups.json", "");
    samples.push(content());
    let sealing = recovery_sealing(&Secret::from_bytes([1; 32]));
    Parser::new("backups", Form::Bytes, samples, move |input| {
        let is_whole = inspect(input, None).is_ok();
        let is_opened = inspect(input, Some(&sealing)).is_ok();
        assert!(is_whole || !is_opened, "a backup opens that is not whole");
        is_whole | is_content(input)
    })
}

fn content() -> Vec<u8> {
    let items = [
        BackupItem::Settings("[organisation]\n".into()),
        BackupItem::Table("settings/1".into()),
        BackupItem::Pair { key: b"key".to_vec(), value: b"value".to_vec() },
        BackupItem::End { pairs: 1 },
    ];
    items.iter().flat_map(|item| item.encode().expect("an item").to_vec()).collect()
}

fn is_content(input: &[u8]) -> bool {
    let mut reader = ItemReader::default();
    for piece in input.chunks(PIECE_BYTES) {
        reader.feed(piece);
        loop {
            match reader.next_item() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return false,
            }
        }
    }
    reader.finish().is_ok()
}
