//! Tables for people.

use super::Output;
use super::foreign::safe;
use crate::language::Language;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

/// What an ordinary terminal shows in one line.
const COLUMNS_MAX: u16 = 100;

/// The width to keep to where the terminal, like one on a serial line, says that it has no columns
/// at all: each letter of a table would have a line of its own.
fn columns(told: Option<u16>) -> Option<u16> {
    told.filter(|told| *told == 0).map(|_| COLUMNS_MAX)
}

/// Rows under headings.
#[derive(Debug)]
pub struct Rows {
    table: Table,
    colour: bool,
    language: Language,
}

impl Rows {
    /// A table with these headings.
    #[must_use]
    pub fn new(output: Output, headings: &[String]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(columns) = columns(table.width()) {
            table.set_width(columns);
        }
        let bold = |text: &String| {
            let cell = Cell::new(safe(text));
            if output.colour { cell.add_attribute(Attribute::Bold) } else { cell }
        };
        if !headings.is_empty() {
            table.set_header(headings.iter().map(bold));
        }
        Self { table, colour: output.colour, language: output.language }
    }

    /// A table that is no wider than an ordinary terminal when it is not shown on one.
    #[must_use]
    pub fn within(output: Output, headings: &[String]) -> Self {
        let mut rows = Self::new(output, headings);
        if rows.table.width().is_none_or(|width| width > COLUMNS_MAX) {
            rows.table.set_width(COLUMNS_MAX);
        }
        rows
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cell = |text: T| Cell::new(safe(&self.language.called(&text.into())));
        let cells: Vec<_> = cells.into_iter().map(cell).collect();
        self.table.add_row(cells);
    }

    /// Adds a row that needs a person's attention. The words say so too: colour is only a help.
    pub fn urgent<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let (colour, language) = (self.colour, self.language);
        let cell = |text: T| {
            let cell = Cell::new(safe(&language.called(&text.into())));
            if colour { cell.fg(Color::Yellow) } else { cell }
        };
        let cells: Vec<_> = cells.into_iter().map(cell).collect();
        self.table.add_row(cells);
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl std::fmt::Display for Rows {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.table.lines() {
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a serial line, and in a container, a terminal says 0 columns.
    #[test]
    fn a_terminal_without_columns_shows_a_table_as_wide_as_an_ordinary_one() {
        assert_eq!(columns(Some(0)), Some(COLUMNS_MAX));
        assert_eq!(columns(Some(72)), None);
        assert_eq!(columns(None), None);
    }

    #[test]
    fn a_table_without_colour_has_no_escapes() {
        let output = Output { json: false, colour: false, language: Language::En };
        let mut rows = Rows::new(output, &["Ente".to_owned()]);
        rows.urgent(["Comune di Mulazzo"]);
        let text = rows.to_string();
        assert!(text.contains("Comune di Mulazzo") && !text.contains('\u{1b}'));
    }
}
