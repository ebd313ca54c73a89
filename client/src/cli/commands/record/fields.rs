//! `sincronia record fields`: what can be written, with the codes that options and tables take.
//!
//! Asks no node: the fields are the same everywhere.

use super::parsed;
use crate::cli::commands::Outcome;
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::Exit;
use crate::output::table::Rows;
use sincronia_protocol::record::Kind;
use sincronia_protocol::record::schema::{Field, Type};

pub(super) fn run(context: &Context, kind: Option<&str>) -> Outcome {
    let Some(kind) = kind else {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        context.output.show("kinds", &names, || kinds(context));
        return Ok(Exit::Done);
    };
    let kind = parsed(context, kind)?;
    context.output.show("fields", &kind.schema().fields(), || table(context, kind));
    Ok(Exit::Done)
}

fn kinds(context: &Context) -> String {
    let headings = ["kind", "content"].map(|key| context.texts.text(key));
    let mut rows = Rows::within(context.output, &headings);
    for kind in Kind::ALL {
        rows.row([kind.name().to_owned(), context.texts.kind(kind)]);
    }
    format!("{rows}{}", context.texts.text("fields-how"))
}

fn table(context: &Context, kind: Kind) -> String {
    let headings = ["field", "content", "mandatory", "values"].map(|key| context.texts.text(key));
    let mut rows = Rows::within(context.output, &headings);
    add(context, kind, "", kind.schema().fields(), &mut rows);
    rows.to_string()
}

/// A row for each field, and for each part of one that has parts.
fn add(context: &Context, kind: Kind, above: &str, fields: &'static [Field], rows: &mut Rows) {
    let texts = &context.texts;
    for field in fields {
        let name = format!("{above}{}", field.name);
        let mandatory = if field.mandatory { texts.text("yes") } else { String::new() };
        let values = values(context, (kind, field.name), &field.holds);
        rows.row([name, texts.field(kind, field.name), mandatory, values]);
        if let Some(parts) = parts(&field.holds) {
            add(context, kind, &format!("{above}· "), parts, rows);
        }
    }
}

const fn parts(holds: &Type) -> Option<&'static [Field]> {
    match holds {
        Type::Struct { fields } => Some(fields),
        Type::List { of, .. } => parts(of),
        _ => None,
    }
}

/// Codes with what they mean; else what kind of value it is.
fn values(context: &Context, at: (Kind, &str), holds: &Type) -> String {
    let texts = &context.texts;
    match holds {
        Type::Enum { codes } => {
            let code = |code: &&str| match texts.code(code) {
                label if label == **code => label,
                label => format!("{code} ({label})"),
            };
            codes.iter().map(code).collect::<Vec<_>>().join("\n")
        }
        Type::List { of, .. } => values(context, at, of),
        Type::Integer { min, max } if *max < i64::MAX => format!("{min}–{max}"),
        Type::Text { .. } | Type::Struct { .. } => String::new(),
        Type::Integer { .. } => texts.text("value-number"),
        Type::Boolean => "true, false".to_owned(),
        Type::Date => "2026-01-31".to_owned(),
        Type::DateTime => "2026-01-31T09:30".to_owned(),
        Type::Month => "2026-01".to_owned(),
        Type::Reference if is_named(at) => texts.text("value-reference"),
        Type::Reference => texts.text("value-identifier"),
    }
}

/// Whether a name is looked up there.
fn is_named((kind, name): (Kind, &str)) -> bool {
    entering::names_organisation(name) || entering::referred(kind, name).is_some()
}
