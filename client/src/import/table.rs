//! Tables of cells: the separator is found, cells may span lines, line ends may be mixed.

use super::ImportError;
use super::limits::{COLUMNS_MAX, ROWS_MAX};
use std::io::Read;

/// A row behind the last one, of a character that no text has (see [`super::read`]): the reader
/// does not tell that a cell was still open at the end, but then this is part of that cell.
const END: &str = "\n\0";
const END_MARK: &str = "\0";

/// A table as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows below, without the empty ones.
    pub lines: Vec<Line>,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line of the file on which it begins, from 1.
    pub number: u64,
    /// Its cells.
    pub cells: Vec<String>,
}

impl Sheet {
    /// Reads a table with a header.
    ///
    /// # Errors
    /// [`ImportError::Unclosed`] when a quotation mark is opened and never closed: all that follows
    /// would else become part of one cell, and its rows would be lost in silence.
    pub fn read(text: &str) -> Result<Self, ImportError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator(text))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes().chain(END.as_bytes()));
        let mut record = csv::StringRecord::new();
        let mut sheet = Self::default();
        let mut lines = LineCounter::new(text);
        loop {
            let start = reader.position().byte();
            let more = reader.read_record(&mut record);
            if !more.map_err(|error| broken(&error, lines.at(start)))? {
                break;
            }
            let begins = record.position().map_or(start, csv::Position::byte);
            let line = lines.at(begins);
            if record.iter().any(|cell| cell.ends_with(END_MARK)) {
                if record.len() == 1 && record.get(0) == Some(END_MARK) {
                    break;
                }
                return Err(ImportError::Unclosed { line });
            }
            sheet.take(&record, line)?;
        }
        if sheet.header.is_empty() { Err(ImportError::Empty) } else { Ok(sheet) }
    }

    fn take(&mut self, record: &csv::StringRecord, number: u64) -> Result<(), ImportError> {
        if record.len() > COLUMNS_MAX {
            let reason = format!("the row has more than {COLUMNS_MAX} cells");
            return Err(ImportError::Broken { line: number, reason });
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        if self.header.is_empty() {
            self.header = record.iter().map(one_line).collect();
            return Ok(());
        }
        if self.lines.len() == ROWS_MAX {
            return Err(ImportError::TooManyRows);
        }
        let cells = record.iter().map(|cell| cell.trim().to_owned()).collect();
        self.lines.push(Line { number, cells });
        Ok(())
    }
}

fn broken(error: &csv::Error, line: u64) -> ImportError {
    ImportError::Broken { line, reason: error.to_string() }
}

/// A header cell on one line, however it was laid out.
fn one_line(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The candidate that stands most often outside quotation marks in the first row.
fn separator(text: &str) -> u8 {
    let mut counts = [(b';', 0_usize), (b',', 0), (b'\t', 0)];
    let (mut quoted, mut filled) = (false, false);
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && filled => break,
            byte if !quoted => {
                filled |= !byte.is_ascii_whitespace();
                for (candidate, count) in &mut counts {
                    *count += usize::from(byte == *candidate);
                }
            }
            _ => {}
        }
    }
    // The first of equals: a table of one column is read as one with `;`.
    counts.iter().rev().max_by_key(|(_, count)| count).map_or(b';', |(byte, _)| *byte)
}

/// The line of a position, for positions that only grow. Counts `\r\n` as one end, and a lone `\r`.
struct LineCounter<'a> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Bytes<'a>>>,
    line: u64,
    last: u8,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.bytes().enumerate().peekable(), line: 1, last: 0 }
    }

    /// The line of the first byte at or after `position` that is no line end: empty lines before a
    /// row are skipped by the reader.
    fn at(&mut self, position: u64) -> u64 {
        let passed =
            |&(at, byte): &(usize, u8)| (at as u64) < position || matches!(byte, b'\r' | b'\n');
        while let Some((_, byte)) = self.rest.next_if(passed) {
            let ends = byte == b'\r' || (byte == b'\n' && self.last != b'\r');
            self.line += u64::from(ends);
            self.last = byte;
        }
        self.line
    }
}
