//! Tables and lists from other programs, as records to be.
//!
//! A file is read whole within limits, its encoding and its separator are found, its columns are
//! matched with the fields of a kind, and every cell becomes the value its field holds. Whatever
//! does not fit is told with the row, the line, the column and the reason; a column that means
//! nothing must be set aside by name, so that nothing is lost without somebody having said so.
//!
//! Deliberately absent: the rules of the records (the node checks them, with the same answer for
//! every program) and writing: see the `import` command.

mod cell;
mod columns;
mod encoding;
mod json;
mod limits;
mod repeated;
mod table;

pub use cell::value_of;
pub use columns::Mapping;
pub use encoding::decode;
pub use limits::{CELL_BYTES_MAX, FILE_BYTES_MAX, ROWS_MAX};
pub use repeated::{AlreadyThere, repeated};
pub use table::{Line, Sheet};

use crate::language::Catalogue;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use sincronia_protocol::record::Kind;

/// A record that a file asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which row of data, from 1.
    pub number: usize,
    /// The line of the file on which it begins, from 1; none in JSON.
    pub line: Option<u64>,
    /// Its fields.
    pub fields: Map<String, Json>,
}

/// What is wrong with one place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which row of data, from 1.
    pub row: usize,
    /// The line of the file on which the row begins, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The field, or the column.
    pub field: String,
    /// For programs. Stable.
    pub code: String,
    /// For people.
    pub message: String,
    /// The codes that are possible there, when it is none of them; of what is there already, where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// What a file holds: the rows that could be understood and what is wrong with the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// Rows that could be understood, in the order of the file.
    pub rows: Vec<Row>,
    /// What could not.
    pub problems: Vec<Problem>,
    /// How many rows the file has.
    pub total: usize,
}

/// Why a whole file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Larger than the limit.
    #[error("the file has {bytes} bytes, more than an import takes")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// More rows than the limit.
    #[error("the file has more than {ROWS_MAX} rows")]
    TooManyRows,
    /// Nothing in it.
    #[error("the file has no header and no rows")]
    Empty,
    /// Bytes that no text has.
    #[error("the file is not text")]
    NotText,
    /// A quotation mark that is opened and not closed: all that follows would be one cell.
    #[error("the table breaks off at line {line}: a quotation mark is opened there and not closed")]
    Unclosed {
        /// Where.
        line: u64,
    },
    /// A row that no table has.
    #[error("the table breaks off at line {line}: {reason}")]
    Broken {
        /// Where.
        line: u64,
        /// Why.
        reason: String,
    },
    /// Not JSON, or a name stands twice in one object.
    #[error("not valid JSON: {reason}")]
    NotJson {
        /// What, and where.
        reason: String,
    },
    /// JSON of another shape.
    #[error("expected a list of records, or an object with a list under “records”")]
    NotAList,
    /// Columns that are no field of the kind.
    #[error("no field for the columns {}", columns.join(", "))]
    UnknownColumns {
        /// The columns.
        columns: Vec<String>,
        /// The fields there are.
        known: String,
    },
    /// Two columns for one field.
    #[error("two columns are for the field {field}")]
    ColumnTwice {
        /// The field.
        field: String,
    },
    /// A mapping that is not `COLUMN=FIELD`.
    #[error("“{text}” is not a mapping")]
    Mapping {
        /// What was given.
        text: String,
    },
}

impl ImportError {
    /// For programs. Stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "import_too_large",
            Self::TooManyRows => "import_too_many_rows",
            Self::Empty => "import_empty",
            Self::NotText => "import_not_text",
            Self::Unclosed { .. } | Self::Broken { .. } => "import_broken",
            Self::NotJson { .. } => "import_not_json",
            Self::NotAList => "import_not_a_list",
            Self::UnknownColumns { .. } => "import_unknown_columns",
            Self::ColumnTwice { .. } => "import_column_twice",
            Self::Mapping { .. } => "import_mapping",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::TooLarge { .. } | Self::TooManyRows => "divide it".to_owned(),
            Self::UnknownColumns { known, .. } => format!(
                r#"use --mapping "COLUMN=FIELD", or "COLUMN=-" to set one aside; fields: {known}"#
            ),
            Self::ColumnTwice { .. } => r#"set one aside with --mapping "COLUMN=-""#.to_owned(),
            Self::NotText | Self::Unclosed { .. } | Self::Broken { .. } => {
                "save the table as CSV again, then import that file".to_owned()
            }
            Self::Empty | Self::NotJson { .. } | Self::NotAList => {
                "check that it is the right file, and whole".to_owned()
            }
            Self::Mapping { .. } => {
                "write COLUMN=FIELD, or COLUMN=- to set a column aside".to_owned()
            }
        }
    }
}

/// Reads the records of `kind` from a file's bytes.
pub fn read(
    bytes: &[u8],
    kind: Kind,
    mapping: &Mapping,
    catalogues: &[&Catalogue],
) -> Result<Contents, ImportError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ImportError::TooLarge { bytes: bytes.len() as u64 });
    }
    let text = decode(bytes);
    match text.trim_start().chars().next() {
        None => Err(ImportError::Empty),
        Some(_) if text.contains('\0') => Err(ImportError::NotText),
        Some('[' | '{') => json::read(&text, kind, mapping),
        Some(_) => {
            let sheet = Sheet::read(&text)?;
            let columns = columns::matched(&sheet.header, kind, mapping, catalogues)?;
            Ok(rows(&sheet, kind, &columns))
        }
    }
}

fn rows(sheet: &Sheet, kind: Kind, columns: &[Option<String>]) -> Contents {
    let mut contents = Contents { total: sheet.lines.len(), ..Contents::default() };
    for (at, line) in sheet.lines.iter().enumerate() {
        let (number, before) = (at + 1, contents.problems.len());
        let mut fields = Map::new();
        let mut problem = |field: &str, code: &str, message: String| {
            contents.problems.push(Problem {
                row: number,
                line: Some(line.number),
                field: field.to_owned(),
                code: code.to_owned(),
                message,
                allowed: Vec::new(),
            });
        };
        if line.cells.len() != columns.len() {
            let (found, wanted) = (line.cells.len(), columns.len());
            let message = format!("the row has {found} cells, the header has {wanted}");
            problem("", "cells", message);
            continue;
        }
        for (column, cell) in columns.iter().zip(&line.cells) {
            let Some(path) = column else { continue };
            if cell.len() > CELL_BYTES_MAX {
                let message = format!("the cell has more than {CELL_BYTES_MAX} bytes");
                problem(path, "cell_too_large", message);
            } else if let Err(message) = cell::put(&mut fields, kind, path, cell) {
                problem(path, "wrong_type", message);
            }
        }
        if contents.problems.len() == before {
            contents.rows.push(Row { number, line: Some(line.number), fields });
        }
    }
    contents
}

#[cfg(test)]
mod tests;
