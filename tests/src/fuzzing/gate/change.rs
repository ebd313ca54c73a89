//! Changes as a hostile member writes them: of the form of valid ones, and wrong in places.

use super::beginning::Beginning;
use super::content;
use super::world::{AUTHORS, NONCE, World};
use crate::fuzzing::Dice;
use sincronia_protocol::ids::EntryHash;
use sincronia_protocol::record::schema::Class;
use sincronia_protocol::record::{Change, Dependency, Operation, Ownership, Reference};

/// An author and the bytes of a change.
pub fn hostile(world: &World, beginning: &Beginning, dice: &mut Dice) -> (u8, Vec<u8>) {
    let number = by(world, dice);
    let operations = (0..=dice.below(4)).map(|_| operation(world, beginning, dice)).collect();
    let dependencies = dependencies(world, number, dice);
    let mut change = Change { creation: None, dependencies, operations };
    if dice.one_in(3) {
        spoil(&mut change, world, beginning, dice);
    }
    let mut bytes = change.encode();
    if dice.one_in(16) {
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
    }
    (number, bytes)
}

fn by(world: &World, dice: &mut Dice) -> u8 {
    match world.kind.ownership() {
        Ownership::Owned if !dice.one_in(16) => *dice.pick(&[1, 101]),
        _ => *dice.pick(&AUTHORS),
    }
}

/// All heads mostly, and otherwise a past that leaves some of them out.
fn dependencies(world: &World, number: u8, dice: &mut Dice) -> Vec<Dependency> {
    let own = world.last_of(number);
    let mut named: Vec<EntryHash> = match dice.below(8) {
        0 | 1 => own.into_iter().collect(),
        2 => own.into_iter().chain([dice.pick(&world.applied).1]).collect(),
        3 => vec![dice.pick(&world.applied).1],
        _ => world.heads.clone(),
    };
    named.sort_unstable();
    named.dedup();
    named.into_iter().map(Dependency::Entry).collect()
}

/// One wrong thing in the frame of a change.
fn spoil(change: &mut Change, world: &World, beginning: &Beginning, dice: &mut Dice) {
    match dice.below(7) {
        0 => change.creation = Some(NONCE),
        1 => {
            change.dependencies.push(Dependency::Entry(dice.pick(&world.applied).1));
            change.dependencies.sort_unstable();
        }
        2 => change.dependencies.reverse(),
        3 => {
            change.dependencies.pop();
        }
        4 => {
            let repeated = dice.pick(&change.operations).clone();
            change.operations.push(repeated);
        }
        5 => change.operations.push(dice.pick(&beginning.operations).clone()),
        _ => {
            let own = dice.pick(&world.applied).1;
            change.dependencies.insert(0, Dependency::own(&own));
        }
    }
}

fn operation(world: &World, beginning: &Beginning, dice: &mut Dice) -> Operation {
    let field = content::field(world.kind, dice);
    let number = if dice.one_in(64) { u16::from(dice.byte()) } else { field.number };
    // Fields that merge have operations of their own and deserve most tries.
    let class = if dice.one_in(32) { Class::Text } else { field.class };
    match (class, dice.below(8)) {
        (_, 0) if dice.one_in(8) => Operation::Put { field: number, value: content::any(dice, 0) },
        (Class::Set, 0..=3) => {
            Operation::Add { field: number, element: content::element(field, dice) }
        }
        (Class::Set, 4..=6) => {
            Operation::Remove { field: number, element: content::element(field, dice) }
        }
        (Class::Text, 0..=3) => splice(number, beginning, dice),
        (Class::Text, 4..=6) => {
            let count = u32::try_from(dice.below(8)).unwrap_or(0);
            Operation::Erase { field: number, first: reference(beginning, dice), count }
        }
        _ => Operation::Put { field: number, value: content::whole(field, dice) },
    }
}

fn splice(field: u16, beginning: &Beginning, dice: &mut Dice) -> Operation {
    let after = (!dice.one_in(4)).then(|| reference(beginning, dice));
    let text = match dice.below(12) {
        0 => "ab€".repeat(dice.below(300)),
        1 => "e\u{301}👩‍👧".into(),
        2 => String::new(),
        _ => "xyz€"[..dice.below(4)].to_owned(),
    };
    Operation::Splice { field, after, text }
}

/// An element of a text that the past names, one near it, or any.
fn reference(beginning: &Beginning, dice: &mut Dice) -> Reference {
    if beginning.references.is_empty() || dice.one_in(3) {
        let counter = if dice.one_in(32) { dice.number() } else { dice.below(400) as u64 };
        return Reference { counter, actor: u32::try_from(dice.below(4)).unwrap_or(0) };
    }
    let mut reference = *dice.pick(&beginning.references);
    reference.counter = reference.counter.saturating_add(dice.below(8) as u64).saturating_sub(3);
    if dice.one_in(8) {
        reference.actor = u32::try_from(dice.below(5)).unwrap_or(0);
    }
    reference
}
