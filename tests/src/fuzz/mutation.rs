//! How valid bytes are changed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Inputs grow no longer than a frame: longer ones are refused by their length alone.
const BYTES_MAX: usize = 64 * 1024;
/// Inputs kept because they were taken.
const KEPT_MAX: usize = 256;
/// Numbers at the edges of what formats hold.
const EDGES: [u64; 10] = [0, 1, 23, 24, 255, 256, 65_535, 65_536, u32::MAX as u64, u64::MAX];

/// Makes one input after another.
pub(super) struct Mutator {
    random: ChaCha8Rng,
    pool: Vec<Vec<u8>>,
    given: usize,
}

impl Mutator {
    pub(super) fn new(seed: u64, pool: Vec<Vec<u8>>) -> Self {
        let given = pool.len();
        Self { random: ChaCha8Rng::seed_from_u64(seed), pool, given }
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let number = self.random.next_u64() % (bound.max(1) as u64);
        usize::try_from(number).unwrap_or(0)
    }

    /// Keeps an input as a beginning of others, in the place of an older one when there are many.
    pub(super) fn keep(&mut self, input: Vec<u8>) {
        if self.pool.len() < self.given + KEPT_MAX {
            self.pool.push(input);
        } else {
            let at = self.given + self.below(KEPT_MAX);
            self.pool[at] = input;
        }
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        let at = self.below(self.pool.len());
        let mut bytes = self.pool.get(at).cloned().unwrap_or_default();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(9) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 if !bytes.is_empty() => bytes[at] = self.random.next_u32().to_le_bytes()[0],
            2 => bytes.truncate(at),
            3 => {
                let count = self.below(16).min(bytes.len() - at.min(bytes.len()));
                bytes.drain(at..at + count);
            }
            4 => {
                let part = self.part_of_another();
                bytes.splice(at..at, part);
            }
            5 => {
                let end = (at + self.below(64)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            6 => self.put_number(bytes, at),
            7 => {
                let part = self.part_of_another();
                let end = (at + part.len()).min(bytes.len());
                bytes.splice(at..end, part);
            }
            _ => {
                let byte = self.random.next_u32().to_le_bytes()[0];
                bytes.insert(at, byte);
            }
        }
    }

    fn part_of_another(&mut self) -> Vec<u8> {
        let which = self.below(self.pool.len());
        let length = self.pool.get(which).map_or(0, Vec::len);
        let (from, count) = (self.below(length), self.below(200));
        let other = self.pool.get(which).map(Vec::as_slice).unwrap_or_default();
        other[from..(from + count).min(length)].to_vec()
    }

    /// A head of CBOR (RFC 8949 §3) with a number at an edge: a length, a count, a tag.
    fn put_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let number = EDGES[self.below(EDGES.len())];
        let major = u8::try_from(self.below(8)).unwrap_or(0) << 5;
        let [.., a, b, c, d] = number.to_be_bytes();
        let head = match self.below(4) {
            0 => vec![major | 0x18, d],
            1 => vec![major | 0x19, c, d],
            2 => vec![major | 0x1a, a, b, c, d],
            _ => [&[major | 0x1b], number.to_be_bytes().as_slice()].concat(),
        };
        let end = (at + 1).min(bytes.len());
        bytes.splice(at..end, head);
    }
}
