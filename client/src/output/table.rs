//! Tables for people.

use super::Output;
use super::foreign::safe;
use crate::language::Language;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

/// What an ordinary terminal shows in one line.
const COLUMNS_MAX: u16 = 100;

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

    #[test]
    fn a_table_without_colour_has_no_escapes() {
        let output = Output { json: false, colour: false, language: Language::En };
        let mut rows = Rows::new(output, &["Ente".to_owned()]);
        rows.urgent(["Comune di Mulazzo"]);
        let text = rows.to_string();
        assert!(text.contains("Comune di Mulazzo") && !text.contains('\u{1b}'));
    }
}
