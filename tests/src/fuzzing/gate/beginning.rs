//! Records with a past: written by one after another, by two sides that met, and begun by a
//! creation that leaves out what an honest one makes.

use super::content;
use super::world::{NONCE, World, author};
use crate::fuzzing::Dice;
use sincronia_protocol::record::schema::Class;
use sincronia_protocol::record::{Change, Edits, Kind, Operation, Ownership, Reference, Value};

/// A record, and what in it can be named by a hostile change.
pub struct Beginning {
    pub world: World,
    /// Operations that stand in it.
    pub operations: Vec<Operation>,
    /// Elements of text that these name.
    pub references: Vec<Reference>,
}

/// Three for every kind.
pub fn beginnings() -> Vec<Beginning> {
    let of_kind = |kind: Kind| {
        let dice = Dice::of_round(u64::from(kind.code()), 0);
        let worlds = [
            straight(kind, dice.clone()),
            branched(full(kind, &mut dice.clone()), dice.clone()),
            branched(bare(kind, &mut dice.clone()), dice),
        ];
        worlds.map(Beginning::new)
    };
    Kind::ALL.into_iter().flat_map(of_kind).collect()
}

impl Beginning {
    fn new(world: World) -> Self {
        let changes = world.steps.iter().filter_map(|(_, bytes)| Change::decode(bytes).ok());
        let operations: Vec<Operation> = changes.flat_map(|change| change.operations).collect();
        let reference = |operation: &Operation| match operation {
            Operation::Splice { after, .. } => *after,
            Operation::Erase { first, .. } => Some(*first),
            _ => None,
        };
        let references = operations.iter().filter_map(reference).collect();
        Self { world, operations, references }
    }
}

/// A record whose creation fills every field.
fn full(kind: Kind, dice: &mut Dice) -> World {
    let fields = kind.schema().fields().iter();
    let valid = |field| loop {
        // Only whole values that the gate takes alone.
        let value = content::whole(field, dice);
        if is_valid(kind, field.number, &value) {
            return Operation::Put { field: field.number, value };
        }
    };
    create(kind, fields.map(valid).collect())
}

/// A record whose creation fills one field, so that two sides make the same sets and texts.
fn bare(kind: Kind, dice: &mut Dice) -> World {
    let whole = full(kind, dice);
    let change = Change::decode(&whole.steps[0].1).expect("it was written here");
    let first = change.operations.into_iter().find(|operation| {
        let field = kind.schema().field(operation.field()).expect("a field of the kind");
        matches!(field.class, Class::Legal | Class::Owned)
    });
    create(kind, first.into_iter().collect())
}

fn is_valid(kind: Kind, field: u16, value: &Value) -> bool {
    let put = Operation::Put { field, value: value.clone() };
    let change = Change { creation: Some(NONCE), dependencies: Vec::new(), operations: vec![put] };
    World::new(kind).step(1, change.encode())
}

fn create(kind: Kind, operations: Vec<Operation>) -> World {
    let mut world = World::new(kind);
    let change = Change { creation: Some(NONCE), dependencies: Vec::new(), operations };
    assert!(world.step(1, change.encode()), "the creation of a {kind}");
    world
}

/// Two people who write one after the other.
fn straight(kind: Kind, mut dice: Dice) -> World {
    let mut world = full(kind, &mut dice);
    let other = other(kind);
    for text in TEXTS {
        prose(&mut world, 1, text);
        content::edit(&mut world, &mut dice);
        prose(&mut world, other, &text.replace('i', "ì"));
    }
    world
}

/// Two sides that write apart and meet.
fn branched(mut one: World, mut dice: Dice) -> World {
    let other = other(one.kind);
    let mut two = one.clone();
    for (number, text) in TEXTS.into_iter().enumerate() {
        prose(&mut one, 1, text);
        prose(&mut two, other, &text.replace('e', "ee"));
        sets(&mut one, 1, &mut dice);
        sets(&mut two, other, &mut dice);
        if number == 1 {
            let common = one.steps.iter().zip(&two.steps).take_while(|(a, b)| a == b).count();
            for (by, bytes) in two.steps[common..].iter().cloned() {
                one.step(by, bytes);
            }
            two = one.clone();
        }
    }
    one
}

const TEXTS: [&str; 4] = [
    "Da rivedere presto.",
    "Da rivedere presto, a maggio.",
    "Rivisto e approvato a maggio.",
    "Visto, e rivisto a maggio",
];

/// Who writes beside the creator: another organisation, or another node of the owner.
fn other(kind: Kind) -> u8 {
    if kind.ownership() == Ownership::Owned { 101 } else { 2 }
}

fn prose(world: &mut World, by: u8, text: &str) {
    let fields = world.kind.schema().fields().iter().filter(|field| field.class == Class::Text);
    let texts = fields.map(|field| (field.name.to_owned(), text.into())).collect();
    write(world, by, Edits { fields: texts });
}

fn sets(world: &mut World, by: u8, dice: &mut Dice) {
    let mut edits = Edits::default();
    for field in world.kind.schema().fields() {
        if field.class == Class::Set || dice.one_in(6) {
            let json = content::whole(field, dice).to_json(&field.holds);
            edits.fields.insert(field.name.to_owned(), json);
        }
    }
    write(world, by, edits);
}

/// Writes every field by itself, as far as it is valid.
fn write(world: &mut World, by: u8, edits: Edits) {
    for (name, json) in edits.fields {
        let edits = Edits { fields: std::iter::once((name, json)).collect() };
        if let Ok(change) = world.record.edit(&author(by), &edits, None) {
            assert!(world.step(by, change.encode()), "an edit of the beginning");
        }
    }
}
