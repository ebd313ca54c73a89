//! Free text as a sequence of elements, and the difference between two versions of it.
//!
//! An element is normally one character, so that people who write in the same paragraph merge by
//! character. A long run that arrives at once (a pasted page) is split into longer pieces, because
//! a change has at most [`crate::limits::CHANGE_OPERATIONS_MAX`] operations; the length of a piece
//! follows from the length of the run and so does not travel.

use crate::record::operation::{Operation, Reference};

/// Runs up to this many characters are split into characters; longer ones into this many pieces.
const PIECES_MAX: usize = 256;
/// Beyond this many differing characters a text is compared only at its two ends.
const DISTANCE_MAX: usize = 128;

/// The elements that a run of text becomes.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let length = text.chars().count().div_ceil(PIECES_MAX).max(1);
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(length).map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// An element of a text as it stands: what inserted it, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub id: Reference,
    pub text: String,
}

/// The operations that turn the elements of a text into `wanted`.
pub(crate) fn difference(field: u16, elements: &[Element], wanted: &str) -> Vec<Operation> {
    let mut script = Script { field, operations: Vec::new(), last: None };
    let old: Vec<char> = elements.iter().flat_map(|element| element.text.chars()).collect();
    let new: Vec<char> = wanted.chars().collect();
    let kept = kept(&old, &new);
    let (mut at_old, mut at_new) = (0, 0);
    let mut pending = String::new();
    for element in elements {
        let length = element.text.chars().count();
        let span = at_old..at_old + length;
        at_old += length;
        // Where each character of this element stands in the new text, if it stays.
        let places: Vec<Option<usize>> = span.map(|at| kept.get(at).copied().flatten()).collect();
        let whole = places.iter().all(Option::is_some)
            && places.windows(2).all(|pair| match pair {
                [Some(one), Some(two)] => one + 1 == *two,
                _ => false,
            });
        if let (true, Some(Some(start))) = (whole, places.first()) {
            pending.extend(new.get(at_new..*start).unwrap_or_default());
            script.insert(&mut pending);
            script.keep(element.id);
            at_new = start + length;
            continue;
        }
        // The element goes; characters of it that stay are written again.
        script.erase(element.id);
        if let Some(end) = places.iter().flatten().max() {
            pending.extend(new.get(at_new..=*end).unwrap_or_default());
            at_new = at_new.max(end + 1);
        }
    }
    pending.extend(new.get(at_new..).unwrap_or_default());
    script.insert(&mut pending);
    script.operations
}

struct Script {
    field: u16,
    operations: Vec<Operation>,
    /// The last element that stays: where insertions go.
    last: Option<Reference>,
}

impl Script {
    fn keep(&mut self, id: Reference) {
        self.last = Some(id);
    }

    fn insert(&mut self, text: &mut String) {
        if !text.is_empty() {
            let (field, after) = (self.field, self.last);
            self.operations.push(Operation::Splice { field, after, text: std::mem::take(text) });
        }
    }

    fn erase(&mut self, id: Reference) {
        if let Some(Operation::Erase { first, count, .. }) = self.operations.last_mut() {
            let next = first.counter.saturating_add(u64::from(*count));
            if first.actor == id.actor && next == id.counter {
                *count += 1;
                return;
            }
        }
        self.operations.push(Operation::Erase { field: self.field, first: id, count: 1 });
    }
}

/// For each character of the old text, its place in the new one, if it stays. Ascending.
fn kept(old: &[char], new: &[char]) -> Vec<Option<usize>> {
    let start = old.iter().zip(new).take_while(|(one, two)| one == two).count();
    let (old_rest, new_rest) = (tail(old, start), tail(new, start));
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let old_middle = old_rest.get(..old_rest.len() - end).unwrap_or_default();
    let new_middle = new_rest.get(..new_rest.len() - end).unwrap_or_default();
    let mut kept: Vec<Option<usize>> = (0..start).map(Some).collect();
    let middle = shortest_script(old_middle, new_middle);
    kept.extend(middle.into_iter().map(|place| place.map(|place| place + start)));
    kept.extend((new.len() - end..new.len()).map(Some));
    kept
}

fn tail(text: &[char], start: usize) -> &[char] {
    text.get(start..).unwrap_or_default()
}

/// Myers' greedy algorithm with a bound on the distance; beyond it nothing is said to stay.
fn shortest_script(old: &[char], new: &[char]) -> Vec<Option<usize>> {
    let mut trace: Vec<Vec<usize>> = Vec::new();
    let mut furthest = vec![0usize; 2 * DISTANCE_MAX + 3];
    for distance in 0..=DISTANCE_MAX {
        trace.push(furthest.clone());
        for step in 0..=distance {
            let diagonal = DISTANCE_MAX + 1 + 2 * step - distance;
            let x = advance(&furthest, diagonal, step, distance);
            let x = slide(old, new, x, diagonal);
            if let Some(slot) = furthest.get_mut(diagonal) {
                *slot = x;
            }
            if x >= old.len() && (x + DISTANCE_MAX + 1).checked_sub(diagonal) >= Some(new.len()) {
                return backtrack(&trace, old, new);
            }
        }
    }
    vec![None; old.len()]
}

fn at(furthest: &[usize], diagonal: usize) -> usize {
    furthest.get(diagonal).copied().unwrap_or(0)
}

/// Diagonals are `x - y`, shifted to be positive. A step down inserts, a step right deletes.
fn advance(furthest: &[usize], diagonal: usize, step: usize, distance: usize) -> usize {
    let (below, above) = (at(furthest, diagonal.saturating_sub(1)), at(furthest, diagonal + 1));
    if distance == 0 {
        0
    } else if step == 0 || (step != distance && below < above) {
        above
    } else {
        below + 1
    }
}

fn slide(old: &[char], new: &[char], mut x: usize, diagonal: usize) -> usize {
    let height = |x: usize| (x + DISTANCE_MAX + 1).checked_sub(diagonal);
    while let Some(y) = height(x)
        && let (Some(one), Some(two)) = (old.get(x), new.get(y))
        && one == two
    {
        x += 1;
    }
    x
}

fn backtrack(trace: &[Vec<usize>], old: &[char], new: &[char]) -> Vec<Option<usize>> {
    let mut kept = vec![None; old.len()];
    let (mut x, mut y) = (old.len(), new.len());
    for (distance, furthest) in trace.iter().enumerate().rev() {
        let diagonal = x + DISTANCE_MAX + 1 - y;
        let step = (diagonal + distance).saturating_sub(DISTANCE_MAX + 1) / 2;
        let (below, above) = (at(furthest, diagonal.saturating_sub(1)), at(furthest, diagonal + 1));
        let down = step == 0 || (step != distance && below < above);
        let from = if distance == 0 {
            (0, 0)
        } else if down {
            (above, (above + DISTANCE_MAX).saturating_sub(diagonal))
        } else {
            (below, (below + DISTANCE_MAX + 2).saturating_sub(diagonal))
        };
        while x > from.0 && y > from.1 && old.get(x - 1) == new.get(y - 1) {
            x -= 1;
            y -= 1;
            if let Some(slot) = kept.get_mut(x) {
                *slot = Some(y);
            }
        }
        (x, y) = from;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Applies operations to elements the way a text without concurrency does.
    fn apply(elements: &[Element], operations: &[Operation]) -> String {
        let mut list: Vec<(Option<Reference>, String, bool)> =
            elements.iter().map(|e| (Some(e.id), e.text.clone(), true)).collect();
        for operation in operations {
            match operation {
                Operation::Splice { after, text, .. } => {
                    let at = after.map_or(0, |after| {
                        1 + list.iter().position(|(id, ..)| *id == Some(after)).unwrap()
                    });
                    list.insert(at, (None, text.clone(), true));
                }
                Operation::Erase { first, count, .. } => {
                    for offset in 0..u64::from(*count) {
                        let id = Reference { counter: first.counter + offset, ..*first };
                        let found = list.iter_mut().find(|(other, ..)| *other == Some(id));
                        let (_, _, alive) = found.unwrap();
                        assert!(std::mem::replace(alive, false), "erased twice");
                    }
                }
                _ => unreachable!(),
            }
        }
        list.into_iter().filter(|(.., alive)| *alive).map(|(_, text, _)| text).collect()
    }

    fn elements(texts: &[String]) -> Vec<Element> {
        let mut counter = 0;
        let number = |text: &String| {
            counter += if text.len() > 1 { 2 } else { 1 };
            Element { id: Reference { counter, actor: 0 }, text: text.clone() }
        };
        texts.iter().map(number).collect()
    }

    #[test]
    fn a_small_edit_is_a_small_difference() {
        let old = elements(
            &"Il referente avvisa il Ser.T.".chars().map(String::from).collect::<Vec<_>>(),
        );
        let operations = difference(1, &old, "Il nuovo referente avvisa il Ser.D.");
        assert_eq!(apply(&old, &operations), "Il nuovo referente avvisa il Ser.D.");
        let inserted: usize = operations
            .iter()
            .map(|operation| match operation {
                Operation::Splice { text, .. } => text.len(),
                _ => 0,
            })
            .sum();
        assert_eq!(inserted, 7, "{operations:?}");
    }

    #[test]
    fn pieces_cover_the_text_and_are_few() {
        for length in [0, 1, 256, 257, 10_000, 32_000] {
            let text: String = "àbc€".chars().cycle().take(length).collect();
            assert_eq!(pieces(&text).collect::<String>(), text);
            assert!(pieces(&text).count() <= PIECES_MAX);
        }
    }

    proptest! {
        #[test]
        fn the_difference_leads_to_the_wanted_text(
            old in prop::collection::vec("[ab€]{1,4}", 0..40),
            new in "[ab€]{0,60}",
        ) {
            let old = elements(&old);
            prop_assert_eq!(apply(&old, &difference(1, &old, &new)), new);
        }

        #[test]
        fn far_apart_texts_too(old in "[a-z ]{0,400}", new in "[A-Z ]{0,400}") {
            let old: Vec<String> = old.chars().map(String::from).collect();
            let old = elements(&old);
            prop_assert_eq!(apply(&old, &difference(1, &old, &new)), new);
        }
    }
}
