//! Turning back the bit of a page that turned, when it is one.
//!
//! A bit that memory, a cable or a disk turned is found by trying: of all pages that differ in one
//! bit from the one that is there, only the one that was written has its checksum of 128 bits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use twox_hash::XxHash3_128;

/// Pages that are tried: each takes time, and many that do not hold are no turned bits.
const TRIED_MAX: u32 = 16;
/// Longer pages are not tried: the work grows with the square of the length.
const TRIED_BYTES_MAX: usize = 64 * 1024;

/// What was put right so far.
#[derive(Default)]
pub struct Corrections {
    tried: Cell<u32>,
    found: RefCell<BTreeMap<u64, u8>>,
}

impl Corrections {
    /// Turns one bit of `page`, which stands at `start` in the file, so that what `end` says is its
    /// content has `checksum`. Returns whether there is such a bit.
    pub fn correct(
        &self,
        page: &mut [u8],
        start: u64,
        checksum: [u8; 16],
        end: impl Fn(&[u8]) -> Option<usize>,
    ) -> bool {
        if page.len() > TRIED_BYTES_MAX || self.tried.get() >= TRIED_MAX {
            return false;
        }
        self.tried.set(self.tried.get() + 1);
        let Some((at, value)) = wrong(page, checksum, end) else { return false };
        if let Some(place) = u64::try_from(at).ok().and_then(|at| start.checked_add(at)) {
            self.found.borrow_mut().insert(place, value);
        }
        true
    }

    /// Turns the bit of what stands at `start` in the file and is known to be `expected`, if all
    /// others are right. Returns whether there is such a bit.
    pub fn correct_known(&self, stored: &mut [u8], start: u64, expected: &[u8]) -> bool {
        let mut turned = 0;
        let pairs = stored.iter().zip(expected).zip(start..);
        let wrong = pairs.filter(|((stored, expected), _)| stored != expected);
        let mut last = None;
        for ((stored, expected), at) in wrong {
            turned += (stored ^ expected).count_ones();
            last = Some((at, *expected));
        }
        let Some((at, byte)) = last.filter(|_| turned == 1) else { return false };
        stored.iter_mut().zip(expected).for_each(|(stored, expected)| *stored = *expected);
        self.found.borrow_mut().insert(at, byte);
        true
    }

    /// Which bytes of the file are wrong, and what they were.
    pub fn into_bytes(self) -> BTreeMap<u64, u8> {
        self.found.into_inner()
    }
}

/// Finds the byte with the turned bit, and leaves the page with the right one.
fn wrong(
    page: &mut [u8],
    checksum: [u8; 16],
    end: impl Fn(&[u8]) -> Option<usize>,
) -> Option<(usize, u8)> {
    let holds = |page: &[u8]| {
        let content = end(page).and_then(|end| page.get(..end));
        content.is_some_and(|content| XxHash3_128::oneshot(content).to_le_bytes() == checksum)
    };
    for change in (0..8).map(|bit| 1_u8 << bit) {
        for at in 0..page.len() {
            let was = *page.get(at)?;
            *page.get_mut(at)? = was ^ change;
            if holds(page) {
                return Some((at, was ^ change));
            }
            *page.get_mut(at)? = was;
        }
    }
    None
}
