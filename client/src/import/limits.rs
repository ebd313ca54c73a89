//! How much of a foreign file is taken into memory.

/// A file: ten times the largest list of contacts of a province.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Rows of a file: six times the comuni of Italy.
pub const ROWS_MAX: usize = 50_000;
/// One cell: what fits in one change of a record.
pub const CELL_BYTES_MAX: usize = 64 * 1024;
/// Columns: a spreadsheet exported with every formatted but empty column stays below.
pub(super) const COLUMNS_MAX: usize = 1_024;
