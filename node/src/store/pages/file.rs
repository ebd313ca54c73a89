//! The file of a store as redb lays it out: its beginning, and its trees of pages.

use super::correction::Corrections;
use crate::keystore::file::open_file;
use std::fs::File;
use std::io::Error;
use std::os::unix::fs::FileExt;
use std::path::Path;
use twox_hash::XxHash3_128;

/// How every file of redb begins.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
/// The byte that says which of the two commits at the beginning is the last, and how it was left.
const STATE_AT: usize = 9;
const SECOND_IS_LAST: u8 = 1;
const IS_UNFLUSHED: u8 = 8;
const IS_OPEN: u8 = 2;
/// Where numbers of the layout stand.
const PAGE_BYTES_AT: usize = 12;
const REGION_HEADER_PAGES_AT: usize = 16;
const REGION_PAGES_AT: usize = 20;
const REGIONS_AT: usize = 24;
/// The two commits.
const COMMITS_AT: [usize; 2] = [64, 192];
const COMMIT_BYTES: usize = 128;
const COMMIT_CHECKSUM_AT: usize = 112;
const COMMIT_NUMBER_AT: usize = 104;
const COMMIT_ROOTS_AT: [usize; 2] = [8, 40];
const FORMAT: u8 = 3;
const BEGINNING_BYTES: usize = 320;
/// Pages of a region, and of its header, in every file that redb makes here: they are written once.
const REGION_PAGES: u32 = 1 << NUMBER_BITS;
const REGION_HEADER_PAGES: u32 = 0;
/// The only size of pages that redb writes here.
const PAGE_BYTES: u64 = 4_096;
/// redb numbers pages of a region, and regions, with this many bits.
const NUMBER_BITS: u32 = 20;
/// A tree that is deeper refers to itself.
const DEPTH_MAX: u32 = 64;

const LEAF: u8 = 1;
const BRANCH: u8 = 2;

/// How long keys and values of a table are, when all are as long.
#[derive(Clone, Copy, Default)]
pub struct Sizes {
    /// Bytes of a key.
    pub key: Option<usize>,
    /// Bytes of a value.
    pub value: Option<usize>,
}

/// A reference to a page, and its checksum.
#[derive(Clone, Copy)]
pub struct Link {
    page: u64,
    checksum: [u8; 16],
}

impl Link {
    /// A reference as it stands beside the number of entries below it.
    pub fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let checksum = piece(bytes, at.checked_add(8)?)?;
        Some(Self { page: number::<8>(bytes, at)?, checksum })
    }
}

/// A file of redb, open for reading.
pub struct PageFile {
    file: File,
    length: u64,
    region_bytes: u64,
    region_start: u64,
    /// Bytes that are not what was written, where that is certain.
    pub corrections: Corrections,
    /// The tree of the program's tables.
    pub user: Option<Link>,
    /// The tree of redb's own.
    pub system: Option<Link>,
    /// Whether both commits at the beginning hold, and the one that is called last is the later.
    pub is_last: bool,
}

/// A commit at the beginning of the file.
struct Commit {
    number: u64,
    user: Option<Link>,
    system: Option<Link>,
}

impl PageFile {
    /// Reads the beginning; nothing when it does not hold.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let file = open_file(path)?;
        let length = file.metadata()?.len();
        let (mut beginning, corrections) = ([0; BEGINNING_BYTES], Corrections::default());
        if length < PAGE_BYTES {
            return Ok(None);
        }
        file.read_exact_at(&mut beginning, 0)?;
        correct_layout(&corrections, &mut beginning, length);
        for commit in COMMITS_AT {
            correct_commit(&corrections, &mut beginning, commit);
        }
        Ok(Self::begin(file, length, &beginning, corrections))
    }

    fn begin(file: File, length: u64, beginning: &[u8], corrections: Corrections) -> Option<Self> {
        if !beginning.starts_with(MAGIC) || number::<4>(beginning, PAGE_BYTES_AT)? != PAGE_BYTES {
            return None;
        }
        let header_pages = number::<4>(beginning, REGION_HEADER_PAGES_AT)?;
        let pages = number::<4>(beginning, REGION_PAGES_AT)?.checked_add(header_pages)?;
        let state = *beginning.get(STATE_AT)?;
        let [first, second] = COMMITS_AT.map(|at| Commit::read(beginning, at));
        let is_second = state & SECOND_IS_LAST != 0;
        let (last, other) = if is_second { (second?, first) } else { (first?, second) };
        let is_later = other.is_some_and(|other| other.number < last.number);
        Some(Self {
            file,
            length,
            region_bytes: pages.checked_mul(PAGE_BYTES)?,
            region_start: header_pages.checked_mul(PAGE_BYTES)?,
            corrections,
            user: last.user,
            system: last.system,
            is_last: is_later && state & IS_UNFLUSHED == 0,
        })
    }

    /// Follows a tree, calls `visit` with every pair in a page that holds, and returns how many
    /// pages do not. What is below such a page is not looked at.
    pub fn walk(&self, root: Link, sizes: Sizes, visit: &mut dyn FnMut(&[u8], &[u8])) -> u64 {
        // Pages that refer to each other in damaged ways could be met without end.
        let mut budget = self.length / PAGE_BYTES;
        self.descend(root, sizes, visit, (0, &mut budget)).unwrap_or(1)
    }

    fn descend(
        &self,
        link: Link,
        sizes: Sizes,
        visit: &mut dyn FnMut(&[u8], &[u8]),
        (depth, budget): (u32, &mut u64),
    ) -> Option<u64> {
        *budget = budget.checked_sub(1)?;
        let (start, mut page) = self.page(link.page).filter(|_| depth < DEPTH_MAX)?;
        let end = |page: &[u8]| content_end(page, sizes);
        let content = end(&page).and_then(|end| page.get(..end));
        let holds = content
            .is_some_and(|content| XxHash3_128::oneshot(content).to_le_bytes() == link.checksum);
        if !holds && !self.corrections.correct(&mut page, start, link.checksum, end) {
            return None;
        }
        let held = page.get(..end(&page)?)?;
        if *page.first()? == LEAF {
            pairs(held, sizes, visit)?;
            return Some(0);
        }
        let mut damaged = 0_u64;
        for child in children(held)? {
            let below = self.descend(child, sizes, visit, (depth + 1, budget));
            damaged = damaged.saturating_add(below.unwrap_or(1));
        }
        Some(damaged)
    }

    /// Where a page begins, and its bytes; nothing when the file has no such page.
    fn page(&self, page: u64) -> Option<(u64, Vec<u8>)> {
        let order = u32::try_from(page >> 59).ok()?;
        let all = (1_u64 << NUMBER_BITS) - 1;
        let (index, region) = (page & all.checked_shr(order)?, page >> NUMBER_BITS & all);
        let bytes = PAGE_BYTES.checked_shl(order)?;
        let start = PAGE_BYTES
            .checked_add(region.checked_mul(self.region_bytes)?)?
            .checked_add(self.region_start)?
            .checked_add(index.checked_mul(bytes)?)?;
        start.checked_add(bytes).filter(|end| *end <= self.length)?;
        let mut read = vec![0; usize::try_from(bytes).ok()?];
        self.file.read_exact_at(&mut read, start).ok()?;
        Some((start, read))
    }
}

/// Puts right what every file begins with, and how many pages it says to have, where one bit of it
/// is wrong: nothing says it twice, but all of it can be computed. While a file is open, how many
/// pages it has need not be written yet; redb then counts them itself.
fn correct_layout(corrections: &Corrections, beginning: &mut [u8], length: u64) {
    let Some(layout) = layout(length) else { return };
    let is_closed = beginning.get(STATE_AT).is_some_and(|state| state & IS_OPEN == 0);
    let known = if is_closed { layout.len() } else { REGIONS_AT - PAGE_BYTES_AT };
    for (at, expected) in [(0, MAGIC), (PAGE_BYTES_AT, layout.get(..known).unwrap_or_default())] {
        let Some(stored) = beginning.get_mut(at..at + expected.len()) else { return };
        corrections.correct_known(stored, u64::try_from(at).unwrap_or(u64::MAX), expected);
    }
}

/// Sizes of pages and regions, and how many full regions and pages beside them a file of `length`
/// bytes has, as they stand at its beginning.
fn layout(length: u64) -> Option<[u8; 20]> {
    let pages = length.checked_sub(PAGE_BYTES)? / PAGE_BYTES;
    let [full, left] = [pages / u64::from(REGION_PAGES), pages % u64::from(REGION_PAGES)]
        .map(|number| u32::try_from(number).ok());
    let numbers =
        [u32::try_from(PAGE_BYTES).ok()?, REGION_HEADER_PAGES, REGION_PAGES, full?, left?];
    let mut layout = [0; 20];
    for (bytes, number) in layout.chunks_exact_mut(4).zip(numbers) {
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    Some(layout)
}

/// Puts a commit at the beginning right, if one bit of it, or of its checksum, is wrong.
fn correct_commit(corrections: &Corrections, beginning: &mut [u8], at: usize) {
    let Some(commit) = beginning.get_mut(at..at + COMMIT_BYTES) else { return };
    let (content, checksum) = commit.split_at_mut(COMMIT_CHECKSUM_AT);
    let Ok(stored) = <[u8; 16]>::try_from(&*checksum) else { return };
    let start = u64::try_from(at).unwrap_or(u64::MAX);
    let computed = XxHash3_128::oneshot(content).to_le_bytes();
    if computed == stored {
        return;
    }
    let checksum_start = start.saturating_add(COMMIT_CHECKSUM_AT as u64);
    // That other content had it by chance is as unlikely as that another page has a whole checksum.
    let is_corrected = corrections.correct_known(checksum, checksum_start, &computed);
    if !is_corrected {
        corrections.correct(content, start, stored, |content| Some(content.len()));
    }
}

impl Commit {
    fn read(beginning: &[u8], at: usize) -> Option<Self> {
        let bytes = beginning.get(at..at.checked_add(COMMIT_BYTES)?)?;
        let checksum: [u8; 16] = piece(bytes, COMMIT_CHECKSUM_AT)?;
        let is_sound =
            XxHash3_128::oneshot(bytes.get(..COMMIT_CHECKSUM_AT)?).to_le_bytes() == checksum;
        if !is_sound || *bytes.first()? != FORMAT {
            return None;
        }
        let [user, system] = COMMIT_ROOTS_AT.map(|at| Link::read(bytes, at));
        let (has_user, has_system) = (*bytes.get(1)? != 0, *bytes.get(2)? != 0);
        Some(Self {
            number: number::<8>(bytes, COMMIT_NUMBER_AT)?,
            user: has_user.then_some(user?),
            system: has_system.then_some(system?),
        })
    }
}

/// Whether the file was closed in order.
pub fn was_closed(path: &Path) -> Result<bool, Error> {
    let mut state = [0; 1];
    File::open(path)?.read_exact_at(&mut state, STATE_AT as u64)?;
    Ok(state.iter().all(|state| state & IS_OPEN == 0))
}

/// A number of up to eight bytes, the least first.
pub fn number<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let read: [u8; BYTES] = piece(bytes, at)?;
    Some(read.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn piece<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<[u8; BYTES]> {
    bytes.get(at..at.checked_add(BYTES)?)?.try_into().ok()
}

fn place(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number::<4>(bytes, at)?).ok()
}

fn count(page: &[u8]) -> Option<usize> {
    usize::try_from(number::<2>(page, 2)?).ok().filter(|count| *count > 0)
}

/// Where the ends of keys and of values are told, and where keys begin.
fn leaf_parts(count: usize, sizes: Sizes) -> (usize, usize, usize) {
    let keys = 4;
    let values = if sizes.key.is_none() { keys + 4 * count } else { keys };
    (keys, values, if sizes.value.is_none() { values + 4 * count } else { values })
}

/// Where a key, and where its value ends.
fn ends(page: &[u8], count: usize, sizes: Sizes, which: usize) -> Option<(usize, usize)> {
    let (keys, values, begin) = leaf_parts(count, sizes);
    let key_end = |which: usize| match sizes.key {
        Some(size) => begin.checked_add(size.checked_mul(which + 1)?),
        None => place(page, keys + 4 * which),
    };
    let value_end = match sizes.value {
        Some(size) => key_end(count.checked_sub(1)?)?.checked_add(size.checked_mul(which + 1)?)?,
        None => place(page, values + 4 * which)?,
    };
    Some((key_end(which)?, value_end))
}

/// Where the content of a page ends, by what it says itself.
fn content_end(page: &[u8], sizes: Sizes) -> Option<usize> {
    match *page.first()? {
        LEAF => leaf_end(page, sizes),
        BRANCH => branch_end(page, sizes),
        _ => None,
    }
}

fn leaf_end(page: &[u8], sizes: Sizes) -> Option<usize> {
    let count = count(page)?;
    ends(page, count, sizes, count.checked_sub(1)?).map(|(_, end)| end)
}

fn pairs(page: &[u8], sizes: Sizes, visit: &mut dyn FnMut(&[u8], &[u8])) -> Option<()> {
    let count = count(page)?;
    let (_, _, mut key_start) = leaf_parts(count, sizes);
    let (mut value_start, _) = ends(page, count, sizes, count.checked_sub(1)?)?;
    for which in 0..count {
        let (key_end, value_end) = ends(page, count, sizes, which)?;
        visit(page.get(key_start..key_end)?, page.get(value_start..value_end)?);
        (key_start, value_start) = (key_end, value_end);
    }
    Some(())
}

fn branch_end(page: &[u8], sizes: Sizes) -> Option<usize> {
    let keys = count(page)?;
    let references = 8 + 24 * (keys + 1);
    match sizes.key {
        Some(size) => references.checked_add(size.checked_mul(keys)?),
        None => place(page, references + 4 * keys.checked_sub(1)?),
    }
}

fn children(page: &[u8]) -> Option<Vec<Link>> {
    let children = count(page)?.checked_add(1)?;
    let pages = 8 + 16 * children;
    let link = |which: usize| {
        let checksum = piece(page, 8 + 16 * which)?;
        Some(Link { page: number::<8>(page, pages + 8 * which)?, checksum })
    };
    (0..children).map(link).collect()
}
