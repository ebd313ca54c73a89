//! Values for the fields of every schema, and edits as a person makes them.

use super::world::{World, author};
use crate::fuzzing::Dice;
use sincronia_protocol::record::schema::{Class, Field, Type};
use sincronia_protocol::record::{Edits, Kind, Value};

/// Text of the sorts that trip programs up: none, much, marks, joined signs, controls.
const TEXTS: [&str; 16] = [
    "",
    "a",
    "b",
    "Da rivedere presto.",
    "è più giù",
    "e\u{301}o\u{308}",
    "👩‍👩‍👧🇮🇹",
    "\u{feff}z",
    "a\nb\tc\r\n",
    "\u{0}",
    "\u{202e}rovescio",
    "\u{ffff}\u{10ffff}",
    "ﷺﷺﷺ",
    "  ",
    "\u{7f}\u{9b}31m",
    "ZZZ",
];

const DAYS: [&str; 6] =
    ["2026-01-31", "2028-02-29", "0001-01-01", "9999-12-31", "2026-02-30", "2026-1-1"];
const TIMES: [&str; 6] = [
    "2026-01-31T09:30",
    "2026-01-31T24:00",
    "2026-01-31T24:00:59+14:00",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00Z",
    "2026-01-31T24:01",
];
const NAMES: [&str; 6] = ["aulla", "gestore", "nodo1x", "a-b_c.d:/#@", "con spazio", "à"];

/// A field of a kind.
pub fn field(kind: Kind, dice: &mut Dice) -> &'static Field {
    dice.pick(kind.schema().fields())
}

/// A value for a type: valid mostly, at its bounds often.
pub fn value(holds: &Type, dice: &mut Dice) -> Value {
    match holds {
        Type::Text { max } => Value::Text(text(*max as usize, dice)),
        Type::Integer { min, max } => Value::Integer(match dice.below(8) {
            0 => *min,
            1 => *max,
            2 => min.saturating_sub(1),
            3 => max.saturating_add(1),
            _ => min.saturating_add(i64::try_from(dice.below(9)).unwrap_or(0)).min(*max),
        }),
        Type::Boolean => Value::Boolean(dice.one_in(2)),
        Type::Date => Value::Text((*dice.pick(&DAYS)).into()),
        Type::DateTime => Value::Text((*dice.pick(&TIMES)).into()),
        Type::Month => Value::Text((*dice.pick(&["2026-01", "0001-12", "2026-13"])).into()),
        Type::Enum { codes } => Value::Text((*dice.pick(codes)).into()),
        Type::Reference => Value::Text((*dice.pick(&NAMES)).into()),
        Type::List { of, max } => {
            let count = if dice.one_in(40) { max + dice.below(2) } else { dice.below(4) };
            Value::List((0..count).map(|_| value(of, dice)).collect())
        }
        Type::Struct { fields } => Value::Struct(
            fields
                .iter()
                .filter_map(|part| {
                    let holds = dice.one_in(2).then(|| value(&part.holds, dice))?;
                    Some((part.number, holds))
                })
                .collect(),
        ),
    }
}

fn text(most: usize, dice: &mut Dice) -> String {
    let piece = *dice.pick(&TEXTS);
    match dice.below(24) {
        0 => piece.chars().cycle().take(most + dice.below(2)).collect(),
        1 => piece.repeat(dice.below(40)),
        _ => piece.to_owned(),
    }
}

/// A whole value of a field, as [`value`]; of a set, sorted elements.
pub fn whole(field: &Field, dice: &mut Dice) -> Value {
    match field.class {
        Class::Set => {
            let mut elements: Vec<String> =
                (0..dice.below(5)).map(|_| element(field, dice)).collect();
            elements.sort_unstable();
            elements.dedup();
            Value::List(elements.into_iter().map(Value::Text).collect())
        }
        Class::Legal | Class::Owned if dice.one_in(8) => Value::Null,
        Class::Text | Class::Legal | Class::Owned => value(&field.holds, dice),
    }
}

/// An element of a set: one of a few, so that it is met again.
pub fn element(field: &Field, dice: &mut Dice) -> String {
    if let (Type::Text { .. }, false) = (&field.holds, dice.one_in(8)) {
        return (*dice.pick(&["a", "b", "c", "d"])).to_owned();
    }
    match value(&field.holds, dice) {
        Value::Text(text) => text,
        _ => String::new(),
    }
}

/// Any value, of whatever form.
pub fn any(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth > 4 { 4 } else { 6 }) {
        0 => Value::Null,
        1 => Value::Boolean(dice.one_in(2)),
        2 => Value::Integer(i64::from_be_bytes(dice.number().to_be_bytes())),
        3 => Value::Text(text(64, dice)),
        4 => Value::List((0..dice.below(4)).map(|_| any(dice, depth + 1)).collect()),
        _ => Value::Struct((1..4).map(|part| (part, any(dice, depth + 1))).collect()),
    }
}

/// Edits the record as a person on a node does; panics if what the node made is then refused.
pub fn edit(world: &mut World, dice: &mut Dice) {
    let number = *dice.pick(&[1, 2, 101]);
    let mut edits = Edits::default();
    for _ in 0..=dice.below(3) {
        let field = field(world.kind, dice);
        edits.fields.insert(field.name.to_owned(), whole(field, dice).to_json(&field.holds));
    }
    if let Ok(change) = world.record.edit(&author(number), &edits, None) {
        let is_applied = world.step(number, change.encode());
        assert!(is_applied, "an edit that passed here was refused");
    }
}
