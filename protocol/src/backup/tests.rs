use super::*;
use crate::crypto::{NodeKey, Secret};
use crate::recovery::recovery_sealing;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const CHUNK: usize = 48;

fn entropy(seed: u8) -> Secret<32> {
    Secret::from_bytes([seed; 32])
}

fn items() -> Vec<BackupItem> {
    let mut items = vec![
        BackupItem::Settings("[organisation]\nname = \"Comune\"\n".into()),
        BackupItem::Table("entries/1".into()),
    ];
    items.extend((0..5).map(|at| BackupItem::Pair { key: vec![at; 8], value: vec![at; 21] }));
    items.push(BackupItem::End { pairs: 5 });
    items
}

fn file() -> Vec<u8> {
    let mut random = ChaCha20Rng::seed_from_u64(7);
    let key = NodeKey::from_seed(&entropy(2));
    let recovery = recovery_sealing(&entropy(1));
    let (writer, mut file) = BackupWriter::begin(
        OrganisationId::from_bytes([3; 32]),
        &key,
        Timestamp::from_milliseconds(5),
        recovery.public(),
        &mut random,
    )
    .unwrap();
    let mut writer = writer.in_chunks_of(CHUNK);
    for item in items() {
        file.extend(writer.write(&item.encode().unwrap()).unwrap());
    }
    file.extend(writer.finish().unwrap());
    file
}

/// Reads without the words; with them too when there are any.
fn read(file: &[u8], words: Option<u8>) -> Result<Vec<BackupItem>, BackupError> {
    let mut scanner = BackupScanner::default();
    let (mut rest, mut items) = (file, Vec::new());
    let (mut key, mut reader) = (None, ItemReader::default());
    loop {
        let (part, after) = rest.split_at(scanner.wants().min(rest.len()));
        rest = after;
        match scanner.feed(part)? {
            Scanned::More => {}
            Scanned::Header => {
                let recovery = words.map(|seed| recovery_sealing(&entropy(seed)));
                key = recovery.map(|one| BackupKey::open(&scanner, &one)).transpose()?;
            }
            Scanned::Chunk { number, is_last, sealed } => {
                let Some(key) = &key else { continue };
                reader.feed(&key.chunk(number, is_last, &sealed)?);
                while let Some(item) = reader.next_item()? {
                    items.push(item);
                }
            }
            Scanned::End if rest.is_empty() => {
                if words.is_some() {
                    reader.finish()?;
                }
                return Ok(items);
            }
            Scanned::End => return Err(BackupError::Trailing),
        }
    }
}

/// Where the chunks stand, frame and checksum included.
fn chunks(file: &[u8]) -> Vec<std::ops::Range<usize>> {
    let length = |at: usize, size: usize| {
        file[at..at + size].iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte))
    };
    let mut at = PRELUDE_BYTES + length(18, 4) + CHECKSUM_BYTES;
    let mut found = Vec::new();
    while at + SIGNATURE_BYTES < file.len() {
        let end = at + FRAME_BYTES + length(at + 1, 4) + CHECKSUM_BYTES;
        found.push(at..end);
        at = end;
    }
    found
}

#[test]
fn the_words_open_what_was_written() {
    let file = file();
    assert!(chunks(&file).len() > 4, "several chunks");
    assert_eq!(read(&file, Some(1)).unwrap(), items());
    assert_eq!(read(&file, None).unwrap(), [], "whole, as can be seen without the words");
    assert_eq!(read(&file, Some(9)), Err(BackupError::Words));
}

#[test]
fn threat_26_every_changed_byte_of_a_backup_is_found_without_the_words() {
    let file = file();
    let first = chunks(&file)[0].start;
    for at in 0..file.len() {
        for bit in [1, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= bit;
            let error = read(&changed, None).expect_err(&format!("byte {at}"));
            let place = chunks(&file).iter().position(|chunk| chunk.contains(&at));
            match error {
                BackupError::Damaged(Place::Chunk(number)) => {
                    assert_eq!(Some(usize::try_from(number).unwrap()), place, "byte {at}");
                }
                // A length that grew, or an end that came early.
                BackupError::Truncated(_) | BackupError::Damaged(Place::Header) => {}
                BackupError::Signature => assert!(place.is_none() && at > first, "byte {at}"),
                BackupError::Foreign | BackupError::Newer(_) => assert!(at < PRELUDE_BYTES),
                other => panic!("byte {at}: {other}"),
            }
        }
    }
}

#[test]
fn threat_26_a_cut_or_lengthened_backup_is_found_without_the_words() {
    let file = file();
    for length in 0..file.len() {
        let error = read(&file[..length], None).expect_err(&format!("{length} bytes"));
        assert!(matches!(error, BackupError::Foreign | BackupError::Truncated(_)), "{error}");
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert_eq!(read(&longer, None), Err(BackupError::Trailing));
}

#[test]
fn threat_26_exchanged_repeated_or_missing_chunks_are_found_without_the_words() {
    let file = file();
    let places = chunks(&file);
    let with = |order: Vec<usize>| {
        let mut changed = file[..places[0].start].to_vec();
        for at in order {
            changed.extend(&file[places[at].clone()]);
        }
        changed.extend(&file[places.last().unwrap().end..]);
        read(&changed, None)
    };
    let whole: Vec<usize> = (0..places.len()).collect();
    assert!(with(whole.clone()).is_ok());
    for at in 1..places.len() {
        let mut swapped = whole.clone();
        swapped.swap(at - 1, at);
        assert!(with(swapped).is_err(), "chunks {} and {at}", at - 1);
        let mut missing = whole.clone();
        missing.remove(at - 1);
        assert!(with(missing).is_err(), "without chunk {}", at - 1);
        let mut repeated = whole.clone();
        repeated.insert(at, at - 1);
        assert!(with(repeated).is_err(), "chunk {} twice", at - 1);
    }
}

#[test]
fn a_newer_format_and_another_file_say_what_they_are() {
    let mut newer = file();
    newer[17] = 2;
    assert_eq!(read(&newer, None), Err(BackupError::Newer(2)));
    assert_eq!(read(b"PK\x03\x04 something else altogether", None), Err(BackupError::Foreign));
}

#[test]
fn content_that_lacks_items_or_goes_on_is_refused() {
    let feed = |items: &[BackupItem]| {
        let mut reader = ItemReader::default();
        for item in items {
            reader.feed(&item.encode().unwrap());
            while reader.next_item()?.is_some() {}
        }
        reader.finish()
    };
    let all = items();
    assert!(feed(&all).is_ok());
    assert!(feed(&all[..all.len() - 1]).is_err(), "no end");
    assert!(feed(&[&all[..3], &all[4..]].concat()).is_err(), "a pair is missing");
    assert!(feed(&[all.as_slice(), &all[..1]].concat()).is_err(), "it goes on");
    let mut reader = ItemReader::default();
    reader.feed(&[0xff; 8]);
    assert!(reader.next_item().is_err(), "an item of four gigabytes");
}
