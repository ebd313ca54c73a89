//! Which field each column is for.

use super::ImportError;
use crate::language::Catalogue;
use sincronia_protocol::record::Kind;
use sincronia_protocol::record::schema::{Field, Type};
use std::collections::{BTreeMap, BTreeSet};

/// Of the columns that are no field, how many are told; then their number stands for the rest.
const UNKNOWN_SHOWN_MAX: usize = 20;
/// Of the name of one, how many letters.
const COLUMN_SHOWN_MAX: usize = 60;

/// What somebody said about columns: the field of each, or that it is set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(BTreeMap<String, Option<String>>);

impl Mapping {
    /// From `COLUMN=FIELD` and `COLUMN=-`. A column may itself hold `=`: the last one counts.
    pub fn parse(texts: &[String]) -> Result<Self, ImportError> {
        let mut mapping = BTreeMap::new();
        for text in texts {
            let parts = text.rsplit_once('=').filter(|(column, _)| !column.trim().is_empty());
            let (column, field) =
                parts.ok_or_else(|| ImportError::Mapping { text: text.clone() })?;
            let field = field.trim();
            let field = (field != "-").then(|| field.to_owned());
            mapping.insert(plain(column), field);
        }
        Ok(Self(mapping))
    }

    /// The field for a column: `None` where nothing was said, `Some(None)` where it is set aside.
    #[expect(clippy::option_option, reason = "nothing said, set aside and named are three things")]
    pub(super) fn field(&self, column: &str) -> Option<Option<&str>> {
        self.0.get(&plain(column)).map(Option::as_deref)
    }
}

/// The field of every column, as a path such as `address.cap`.
pub(super) fn matched(
    header: &[String],
    kind: Kind,
    mapping: &Mapping,
    catalogues: &[&Catalogue],
) -> Result<Vec<Option<String>>, ImportError> {
    let paths = paths(kind);
    let (mut columns, mut unknown) = (Vec::new(), Vec::new());
    let mut taken = BTreeSet::new();
    for column in header {
        let wanted = match mapping.field(column) {
            Some(None) => None,
            Some(Some(field)) if paths.contains_key(field) => Some(field.to_owned()),
            None if column.is_empty() => None,
            Some(Some(_)) | None => {
                let found = by_name(column, kind, &paths, catalogues);
                unknown.extend(found.is_none().then(|| shortened(column)));
                found
            }
        };
        if let Some(field) = wanted.as_ref().filter(|field| !taken.insert((*field).clone())) {
            return Err(ImportError::ColumnTwice { field: field.clone() });
        }
        columns.push(wanted);
    }
    if unknown.is_empty() {
        return Ok(columns);
    }
    let rest = unknown.len().saturating_sub(UNKNOWN_SHOWN_MAX);
    unknown.truncate(UNKNOWN_SHOWN_MAX);
    unknown.extend((rest > 0).then(|| format!("… {rest}")));
    let known = paths.into_keys().collect::<Vec<_>>().join(", ");
    Err(ImportError::UnknownColumns { columns: unknown, known })
}

/// A file without a header has data there, and a file of another kind anything at all.
fn shortened(column: &str) -> String {
    let mut letters = column.chars();
    let mut shown: String = letters.by_ref().take(COLUMN_SHOWN_MAX).collect();
    shown.extend(letters.next().map(|_| '…'));
    shown
}

/// Every field, and the parts of those that have parts.
pub(super) fn paths(kind: Kind) -> BTreeMap<String, &'static Field> {
    let mut paths = BTreeMap::new();
    for field in kind.schema().fields() {
        paths.insert(field.name.to_owned(), field);
        if let Type::Struct { fields } = field.holds {
            for part in fields {
                paths.insert(format!("{}.{}", field.name, part.name), part);
            }
        }
    }
    paths
}

fn by_name(
    column: &str,
    kind: Kind,
    paths: &BTreeMap<String, &'static Field>,
    catalogues: &[&Catalogue],
) -> Option<String> {
    let wanted = plain(column);
    let named = |path: &&String| {
        plain(path) == wanted
            || catalogues.iter().any(|texts| plain(&texts.field(kind, path)) == wanted)
    };
    paths.keys().find(named).cloned()
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
