//! Parts: a sealed bundle cut into pieces that fit a mailbox or a stick.
//!
//! Each part names the hashes of all of them, and the id of the bundle, which is the hash of that
//! list: a part that was changed anywhere is noticed when it is read, and never mixed with those of
//! another bundle.
//! Parts follow each other without anything in between, so that one file may hold several.

use super::BundleError;
use crate::codec;
use crate::crypto::Domain;
use crate::ids::OrganisationId;
use crate::limits;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

/// What every part begins with.
const MAGIC: &[u8; 8] = b"sincbndl";
const VERSION: u8 = 2;
const LENGTH_BYTES: usize = 4;
/// Bytes that the clear beginning needs besides the hashes, and for each of these.
const FIXED_BYTES: usize = 130;
const HASH_BYTES: usize = 34;

/// What all parts of a bundle say alike.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Series {
    #[n(0)]
    version: u8,
    /// For whom the bundle is.
    #[n(1)]
    recipient: OrganisationId,
    /// Bytes of the whole sealed bundle.
    #[n(2)]
    total: u64,
    /// Bytes of it in every part but the last.
    #[n(3)]
    step: u64,
    /// The hash of each part's bytes.
    #[n(4)]
    hashes: Vec<ByteArray<32>>,
}

#[derive(Encode, Decode)]
struct Header {
    #[n(0)]
    series: Series,
    /// Counted from 0.
    #[n(1)]
    number: u32,
    /// The id of the bundle: what all parts say alike was changed where it is another.
    #[n(2)]
    bundle: ByteArray<32>,
}

/// A part that was read and is as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The bundle it belongs to.
    pub bundle: [u8; 32],
    /// For whom the bundle is.
    pub recipient: OrganisationId,
    /// Which part, counted from 0.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// Its piece of the sealed bundle.
    pub payload: &'a [u8],
    /// All of it, as it stands in the file.
    pub bytes: &'a [u8],
}

/// Cuts a sealed bundle into parts of at most `part_bytes` each.
///
/// # Errors
/// [`BundleError::PartSize`] when parts of that size are not possible or too many.
pub fn split(
    recipient: OrganisationId,
    sealed: &[u8],
    part_bytes: usize,
) -> Result<Vec<Vec<u8>>, BundleError> {
    if !(limits::PART_BYTES_MIN..=limits::PART_BYTES_MAX).contains(&part_bytes) {
        return Err(BundleError::PartSize);
    }
    let step = step(sealed.len(), part_bytes).ok_or(BundleError::PartSize)?;
    // Nothing at all is one part too.
    let pieces: Vec<&[u8]> =
        if sealed.is_empty() { vec![sealed] } else { sealed.chunks(step).collect() };
    let series = Series {
        version: VERSION,
        recipient,
        total: sealed.len() as u64,
        step: step as u64,
        hashes: pieces.iter().map(|piece| hash(piece).into()).collect(),
    };
    let bundle = series.id().into();
    let parts = pieces.iter().zip(0..).map(|(piece, number)| {
        let header = codec::encode(&Header { series: series.clone(), number, bundle });
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_be_bytes();
        [MAGIC.as_slice(), &length, &header, piece].concat()
    });
    Ok(parts.collect())
}

/// How many bytes of the bundle each part holds: the more parts, the longer their beginnings.
fn step(total: usize, part_bytes: usize) -> Option<usize> {
    (1..=limits::BUNDLE_PARTS_MAX).find_map(|count| {
        let room = part_bytes.checked_sub(FIXED_BYTES + HASH_BYTES * count)?;
        let step = total.div_ceil(count);
        (1..=room).contains(&step).then_some(step)
    })
}

fn hash(piece: &[u8]) -> [u8; 32] {
    Domain::BUNDLE_PART.hash(&[piece])
}

/// Reads a file of one or more parts.
///
/// # Errors
/// [`BundleError::NotBundle`] when it is something else or cut off, [`BundleError::Version`] when a
/// program of another version made it, [`BundleError::Damaged`] when bytes of it were changed.
pub fn read_parts(mut bytes: &[u8]) -> Result<Vec<Part<'_>>, BundleError> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let part = read_part(bytes)?;
        bytes = bytes.get(part.bytes.len()..).ok_or(BundleError::NotBundle)?;
        parts.push(part);
        if parts.len() > limits::BUNDLE_PARTS_MAX {
            return Err(BundleError::NotBundle);
        }
    }
    if parts.is_empty() { Err(BundleError::NotBundle) } else { Ok(parts) }
}

/// The part at the beginning of `bytes`.
fn read_part(bytes: &[u8]) -> Result<Part<'_>, BundleError> {
    let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(BundleError::NotBundle)?;
    let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or(BundleError::NotBundle)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limits::PART_HEADER_BYTES_MAX {
        return Err(BundleError::NotBundle);
    }
    let (header, rest) = rest.split_at_checked(length).ok_or(BundleError::NotBundle)?;
    // The version stands first, so that another layout is told from damage.
    if matches!(header, [0x82 | 0x83, 0x85, version, ..] if *version != VERSION) {
        return Err(BundleError::Version);
    }
    let Header { series, number, bundle } =
        codec::decode(header).map_err(|_| BundleError::NotBundle)?;
    if series.id() != *bundle {
        return Err(BundleError::Damaged);
    }
    let size = series.payload_bytes(number).ok_or(BundleError::NotBundle)?;
    let payload = rest.get(..size).ok_or(BundleError::NotBundle)?;
    let expected = usize::try_from(number).ok().and_then(|at| series.hashes.get(at));
    if expected.is_none_or(|expected| **expected != hash(payload)) {
        return Err(BundleError::Damaged);
    }
    let whole = MAGIC.len() + LENGTH_BYTES + length + size;
    Ok(Part {
        bundle: *bundle,
        recipient: series.recipient,
        number,
        count: u32::try_from(series.hashes.len()).unwrap_or(u32::MAX),
        payload,
        bytes: bytes.get(..whole).ok_or(BundleError::NotBundle)?,
    })
}

impl Series {
    fn id(&self) -> [u8; 32] {
        Domain::BUNDLE_ID.hash(&[&codec::encode(self)])
    }

    /// How many bytes of the bundle part `number` holds; nothing when the numbers do not fit.
    fn payload_bytes(&self, number: u32) -> Option<usize> {
        let count = self.hashes.len() as u64;
        let is_sound = self.version == VERSION
            && (1..=limits::BUNDLE_PARTS_MAX as u64).contains(&count)
            && (1..=limits::BUNDLE_BYTES_MAX).contains(&self.total)
            && self.step == self.total.div_ceil(count)
            && self.total.div_ceil(self.step) == count
            && u64::from(number) < count;
        let start = u64::from(number).checked_mul(self.step).filter(|_| is_sound)?;
        usize::try_from(self.total.checked_sub(start)?.min(self.step)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPIENT: OrganisationId = OrganisationId::from_bytes([1; 32]);

    fn sealed(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    #[test]
    fn parts_are_no_larger_than_asked_and_hold_everything() {
        for length in [1, 4_000, 4_096, 50_000, 100_000] {
            let sealed = sealed(length);
            let parts = split(RECIPIENT, &sealed, limits::PART_BYTES_MIN).unwrap();
            assert!(parts.iter().all(|part| part.len() <= limits::PART_BYTES_MIN), "{length}");
            let file = parts.concat();
            let read = read_parts(&file).unwrap();
            assert_eq!(read.len(), parts.len());
            let joined: Vec<u8> = read.iter().flat_map(|part| part.payload.to_vec()).collect();
            assert_eq!(joined, sealed, "{length} bytes");
        }
    }

    #[test]
    fn what_needs_too_many_parts_is_refused() {
        let refused = split(RECIPIENT, &sealed(2_000_000), limits::PART_BYTES_MIN);
        assert!(matches!(refused, Err(BundleError::PartSize)));
        for (sealed, part_bytes) in [(300, 100), (300, usize::MAX), (0, limits::PART_BYTES_MIN)] {
            let refused = split(RECIPIENT, &vec![7; sealed], part_bytes);
            assert!(matches!(refused, Err(BundleError::PartSize)), "{sealed} bytes");
        }
    }

    /// Of one of several the hashes of the others were changed: it was taken for a part of a bundle
    /// that nobody had made, and the rest of that was waited for.
    #[test]
    fn every_byte_of_a_part_counts() {
        for length in [300, 10_000] {
            let parts = split(RECIPIENT, &sealed(length), limits::PART_BYTES_MIN).unwrap();
            let part = parts.first().unwrap();
            for position in 0..part.len() {
                let mut changed = part.clone();
                changed[position] ^= 1;
                assert!(read_parts(&changed).is_err(), "byte {position} of one of {}", parts.len());
                assert!(read_parts(&part[..position]).is_err(), "cut at {position}");
            }
        }
    }

    #[test]
    fn another_layout_is_told_from_damage() {
        let mut part = split(RECIPIENT, &sealed(300), limits::PART_BYTES_MIN).unwrap().concat();
        let header = MAGIC.len() + LENGTH_BYTES;
        assert_eq!(part[header..][..3], [0x83, 0x85, VERSION]);
        for (fields, version) in [(0x82, 1), (0x83, VERSION + 1)] {
            (part[header], part[header + 2]) = (fields, version);
            assert!(matches!(read_parts(&part), Err(BundleError::Version)), "version {version}");
        }
    }

    #[test]
    fn sizes_that_are_declared_and_not_there_are_refused() {
        let hashes = vec![ByteArray::from([1; 32]); 2];
        let series = |total, step| Series {
            version: VERSION,
            recipient: RECIPIENT,
            total,
            step,
            hashes: hashes.clone(),
        };
        for (total, step) in [(u64::MAX, u64::MAX), (u64::MAX, u64::MAX / 2), (4, 0), (100, 50)] {
            let series = series(total, step);
            let bundle = series.id().into();
            let header = codec::encode(&Header { series, number: 1, bundle });
            let length = u32::try_from(header.len()).unwrap().to_be_bytes();
            let bytes = [MAGIC.as_slice(), &length, &header].concat();
            assert!(read_parts(&bytes).is_err(), "{total} bytes in steps of {step}");
        }
        let endless = [MAGIC.as_slice(), &u32::MAX.to_be_bytes()].concat();
        assert!(read_parts(&endless).is_err());
    }
}
