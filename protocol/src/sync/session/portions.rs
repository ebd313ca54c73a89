//! Lists cut into messages, so that none is larger than a frame, whatever the lists hold.

/// Consecutive portions of at most `count_max` items and `bytes_max` bytes, each of at least one
/// item; `size` tells the bytes of an item.
pub fn portions<T>(
    items: Vec<T>,
    count_max: usize,
    bytes_max: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<Vec<T>> {
    let mut portions: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        let more = size(&item);
        match portions.last_mut() {
            Some(last) if last.len() < count_max && bytes + more <= bytes_max => {
                bytes += more;
                last.push(item);
            }
            _ => {
                bytes = more;
                portions.push(vec![item]);
            }
        }
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Confirmation;
    use crate::ids::{EntryHash, NodeId, SpaceId};
    use crate::limits;
    use crate::log::LogPosition;
    use crate::replica::SpaceHeads;
    use crate::sync::message::Message;
    use crate::sync::session::answer::heads_messages;
    use crate::sync::session::send::sealed_messages;

    #[test]
    fn nothing_is_lost_and_both_bounds_hold() {
        let sizes = vec![3, 3, 3, 9, 1, 1, 1, 1];
        let cut = portions(sizes.clone(), 3, 7, |size| *size);
        assert_eq!(cut, [vec![3, 3], vec![3], vec![9], vec![1, 1, 1], vec![1]]);
        assert_eq!(cut.concat(), sizes);
        assert!(portions(Vec::<usize>::new(), 3, 7, |size| *size).is_empty());
    }

    #[test]
    fn heads_of_spaces_with_many_authors_fit_into_frames() {
        let position = LogPosition { length: 70_000, head: EntryHash::from_bytes([1; 32]) };
        let author = (NodeId::from_bytes([2; 32]), position);
        let receipt = Confirmation { node: author.0, number: 70_000, access: position };
        let space = SpaceHeads {
            authors: vec![author; limits::SPACE_AUTHORS_MAX],
            receipts: vec![receipt; limits::SPACE_RECEIPTS_MAX],
            ..SpaceHeads::absent(SpaceId::from_bytes([3; 32]))
        };
        let messages = heads_messages(false, vec![space; 20]);
        let count = |message: &Message| match message {
            Message::Heads { heads, .. } => heads.len(),
            _ => 0,
        };
        assert_eq!(messages.iter().map(count).sum::<usize>(), 20);
        assert!(messages.iter().all(|one| one.encode().len() <= limits::FRAME_BYTES_MAX));
    }

    #[test]
    fn large_keyrings_fit_into_frames() {
        let space = SpaceId::from_bytes([3; 32]);
        let keyrings = vec![vec![7; limits::SEALED_BYTES_MAX]; 40];
        let messages = sealed_messages(space, keyrings);
        assert!(messages.iter().all(|one| one.encode().len() <= limits::FRAME_BYTES_MAX));
        let small = sealed_messages(space, vec![vec![7; 1_200]; 100]);
        assert_eq!(small.len(), 1, "ordinary keyrings still travel together");
    }
}
