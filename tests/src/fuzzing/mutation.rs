//! Damage to bytes and to text, of the kinds that break readers: other lengths, other numbers,
//! pieces that are gone, there twice, elsewhere, or from another input.

use super::Dice;

/// Numbers at which readers tip over.
const EDGES: [u64; 16] = [
    0,
    1,
    23,
    24,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Damages bytes in a few places. `others` lend pieces; no input grows beyond `bytes_max`.
pub fn bytes(input: &mut Vec<u8>, others: &[Vec<u8>], bytes_max: usize, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        match dice.below(12) {
            0..=2 => flip(input, dice),
            3 => set(input, dice),
            4 => cut(input, dice),
            5 => twice(input, dice),
            6 => swap(input, dice),
            7 => input.truncate(dice.below(input.len() + 1)),
            8 => lend(input, others, dice),
            9 => head(input, dice),
            10 => number(input, dice),
            _ => insert(input, dice),
        }
    }
    input.truncate(bytes_max);
}

/// Damages text, also by putting in words that readers of that sort look at.
pub fn text(input: &mut Vec<u8>, words: &[&str], others: &[Vec<u8>], most: usize, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        if words.is_empty() || dice.one_in(2) {
            bytes(input, others, most, dice);
            continue;
        }
        let word = dice.pick(words).as_bytes();
        let at = dice.below(input.len() + 1);
        let until = if dice.one_in(2) { at } else { (at + word.len()).min(input.len()) };
        input.splice(at..until, word.iter().copied());
    }
    input.truncate(most);
}

fn flip(input: &mut [u8], dice: &mut Dice) {
    if !input.is_empty() {
        let at = dice.below(input.len());
        input[at] ^= 1 << dice.below(8);
    }
}

fn set(input: &mut [u8], dice: &mut Dice) {
    if !input.is_empty() {
        let at = dice.below(input.len());
        input[at] = *dice.pick(&[0, 1, 0x7f, 0x80, 0xff, b'0', b' ', b'"', b'{', 0x9f, 0xf6]);
    }
}

/// A stretch of the input, mostly a short one.
fn stretch(length: usize, dice: &mut Dice) -> std::ops::Range<usize> {
    let from = dice.below(length + 1);
    let most = if dice.one_in(3) { length } else { 8 };
    let count = dice.below(most + 1).min(length - from);
    from..from + count
}

fn cut(input: &mut Vec<u8>, dice: &mut Dice) {
    let gone = stretch(input.len(), dice);
    input.drain(gone);
}

fn twice(input: &mut Vec<u8>, dice: &mut Dice) {
    let piece = input[stretch(input.len(), dice)].to_vec();
    let at = dice.below(input.len() + 1);
    let times = if dice.one_in(8) { 64 } else { 1 };
    let many = piece.iter().copied().cycle().take(piece.len() * times);
    input.splice(at..at, many);
}

fn swap(input: &mut [u8], dice: &mut Dice) {
    if !input.is_empty() {
        let (one, other) = (dice.below(input.len()), dice.below(input.len()));
        input.swap(one, other);
    }
}

fn lend(input: &mut Vec<u8>, others: &[Vec<u8>], dice: &mut Dice) {
    if others.is_empty() {
        return;
    }
    let other = dice.pick(others);
    let piece = &other[stretch(other.len(), dice)];
    let place = stretch(input.len(), dice);
    input.splice(place, piece.iter().copied());
}

/// Another head of a CBOR item: another length, another type.
fn head(input: &mut Vec<u8>, dice: &mut Dice) {
    if input.is_empty() {
        return;
    }
    let at = dice.below(input.len());
    let major = if dice.one_in(2) { input[at] & 0xe0 } else { dice.byte() & 0xe0 };
    let edge = *dice.pick(&EDGES);
    let mut item = match dice.below(5) {
        0 => vec![major | u8::try_from(edge.min(31)).unwrap_or(31)],
        1 => vec![major | 0x18],
        2 => vec![major | 0x19],
        3 => vec![major | 0x1a],
        _ => vec![major | 0x1b],
    };
    let width = match item[0] & 31 {
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => 0,
    };
    item.extend_from_slice(&edge.to_be_bytes()[8 - width..]);
    input.splice(at..=at, item);
}

/// Another fixed number in big-endian or little-endian order.
fn number(input: &mut [u8], dice: &mut Dice) {
    let width = *dice.pick(&[2, 4, 8]);
    if input.len() < width {
        return;
    }
    let at = dice.below(input.len() - width + 1);
    let mut bytes = dice.pick(&EDGES).to_be_bytes()[8 - width..].to_vec();
    if dice.one_in(2) {
        bytes.reverse();
    }
    input[at..at + width].copy_from_slice(&bytes);
}

fn insert(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let many: Vec<u8> = (0..=dice.below(8)).map(|_| dice.byte()).collect();
    input.splice(at..at, many);
}
