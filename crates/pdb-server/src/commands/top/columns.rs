//! The columns of the table of tables, and the order of its rows.

use std::cmp::Ordering;

use clap::ValueEnum;

use super::grid::{Cell, Column, Grid, Mark};
use super::numbers::{self, UNKNOWN};
use super::report::TableRow;

/// A column by which tables can be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// Name of the table
    Name,
    /// Number of items
    Items,
    /// Size of the items
    Size,
    /// Read capacity units per second
    Read,
    /// Write capacity units per second
    Write,
    /// Stream records written per second
    Captured,
    /// Stream records read per second
    Delivered,
    /// Open shards
    Shards,
    /// Records in the streams
    Records,
    /// Age of the oldest record
    Oldest,
    /// Readers of the streams
    Readers,
    /// Iterator age of the slowest reader
    Age,
    /// Records that the slowest reader has not read
    Behind,
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) sort: Sort,
    pub(super) is_reversed: bool,
}

impl Sort {
    /// Returns the column to the right of this one, or to the left; the other end follows the last one.
    pub(super) fn next(self, by: isize) -> Self {
        let all = Self::value_variants();
        let at = all.iter().position(|sort| *sort == self).unwrap_or_default();
        let next = (at as isize + by).rem_euclid(all.len() as isize);
        all.get(next as usize).copied().unwrap_or(self)
    }

    /// Returns the heading.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Name => "table",
            Self::Items => "items",
            Self::Size => "size",
            Self::Read => "read/s",
            Self::Write => "write/s",
            Self::Captured => "captured/s",
            Self::Delivered => "delivered/s",
            Self::Shards => "shards",
            Self::Records => "records",
            Self::Oldest => "oldest",
            Self::Readers => "readers",
            Self::Age => "iterator age",
            Self::Behind => "behind",
        }
    }

    /// Returns the column. The rank says what is most interesting on a narrow terminal: who writes, and who is behind.
    fn column(self, order: Order) -> Column {
        let mut column = match self {
            Self::Name => Column::name(self.title(), 0),
            Self::Items => Column::number(self.title(), 7, 9),
            Self::Size => Column::number(self.title(), 8, 11),
            Self::Read => Column::number(self.title(), 6, 5),
            Self::Write => Column::number(self.title(), 7, 2),
            Self::Captured => Column::number(self.title(), 10, 7),
            Self::Delivered => Column::number(self.title(), 11, 8),
            Self::Shards => Column::number(self.title(), 7, 10),
            Self::Records => Column::number(self.title(), 7, 6),
            Self::Oldest => Column::number(self.title(), 6, 12),
            Self::Readers => Column::number(self.title(), 7, 13),
            Self::Age => Column::number(self.title(), 12, 4),
            Self::Behind => Column::number(self.title(), 7, 3),
        };
        if self == order.sort {
            column.is_sorted = true;
            column.rank = column.rank.min(1);
        }
        column
    }

    fn cell(self, row: &TableRow) -> Cell {
        match self {
            Self::Name => Cell::plain(&row.name),
            Self::Items => cell(row.items, numbers::count),
            Self::Size => cell(row.bytes, numbers::bytes),
            Self::Read => cell(row.read_units, numbers::rate),
            Self::Write => cell(row.write_units, numbers::rate),
            Self::Captured => cell(row.captured, numbers::rate),
            Self::Delivered => cell(row.delivered, numbers::rate),
            Self::Shards => match row.shards {
                Some((open, all)) => Cell::plain(&format!("{open}/{all}")),
                None => Cell::new(UNKNOWN, Mark::Faint),
            },
            Self::Records => cell(row.records, numbers::count),
            Self::Oldest => cell(row.oldest, numbers::age),
            Self::Readers => cell(Some(row.readers as f64), numbers::count),
            Self::Age => notable(cell(row.iterator_age, numbers::age)),
            Self::Behind => notable(cell(row.behind, numbers::count)),
        }
    }

    /// Returns the number to compare.
    fn number(self, row: &TableRow) -> Option<f64> {
        match self {
            Self::Name => None,
            Self::Items => row.items,
            Self::Size => row.bytes,
            Self::Read => row.read_units,
            Self::Write => row.write_units,
            Self::Captured => row.captured,
            Self::Delivered => row.delivered,
            Self::Shards => row.shards.map(|(open, _)| open as f64),
            Self::Records => row.records,
            Self::Oldest => row.oldest,
            Self::Readers => Some(row.readers as f64),
            Self::Age => row.iterator_age,
            Self::Behind => row.behind,
        }
    }
}

impl Order {
    /// Sorts tables: by name from the beginning of the alphabet, by a number from the greatest, or the other way round.
    /// Tables without the number are last.
    pub(super) fn sort(self, rows: &mut [TableRow]) {
        rows.sort_by(|a, b| self.compare(a, b).then_with(|| a.name.cmp(&b.name)));
    }

    fn compare(self, a: &TableRow, b: &TableRow) -> Ordering {
        let turned = |order: Ordering| if self.is_reversed { order.reverse() } else { order };
        if self.sort == Sort::Name {
            return turned(a.name.cmp(&b.name));
        }
        match (self.sort.number(a), self.sort.number(b)) {
            (Some(a), Some(b)) => turned(b.total_cmp(&a)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    /// Returns the order in words: `write/s, greatest first`.
    pub(super) fn words(self) -> String {
        let first = match (self.sort, self.is_reversed) {
            (Sort::Name, false) => "a-z",
            (Sort::Name, true) => "z-a",
            (_, false) => "greatest first",
            (_, true) => "least first",
        };
        format!("{}, {first}", self.sort.title())
    }

    /// Returns the table of tables, in the order of the rows.
    pub(super) fn grid(self, rows: &[TableRow]) -> Grid {
        let all = Sort::value_variants();
        Grid {
            columns: all.iter().map(|sort| sort.column(self)).collect(),
            rows: rows.iter().map(|row| all.iter().map(|sort| sort.cell(row)).collect()).collect(),
        }
    }
}

/// Returns a cell for a number. Zero and absent numbers are faint, so that the eye finds the others.
pub(super) fn cell(number: Option<f64>, format: fn(f64) -> String) -> Cell {
    match number {
        Some(number) => Cell::new(&format(number), if number > 0.0 { Mark::None } else { Mark::Faint }),
        None => Cell::new(UNKNOWN, Mark::Faint),
    }
}

/// Marks a number that should be zero.
pub(super) fn notable(mut cell: Cell) -> Cell {
    if cell.mark == Mark::None {
        cell.mark = Mark::Notable;
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::super::examples::{BUSY, LATER, report};
    use super::super::grid::text;
    use super::*;

    fn names(sort: Sort, is_reversed: bool) -> Vec<String> {
        let mut rows = report(&[BUSY, LATER]).tables;
        Order { sort, is_reversed }.sort(&mut rows);
        rows.into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn tables_are_sorted_by_any_column() {
        assert_eq!(names(Sort::Name, false), ["carts", "orders", "users"]);
        assert_eq!(names(Sort::Name, true), ["users", "orders", "carts"]);
        assert_eq!(names(Sort::Items, false), ["orders", "users", "carts"]);
        assert_eq!(names(Sort::Items, true), ["carts", "users", "orders"]);
        // A table without a stream is last in both directions.
        assert_eq!(names(Sort::Behind, false), ["orders", "carts", "users"]);
        assert_eq!(names(Sort::Behind, true), ["carts", "orders", "users"]);
        for sort in Sort::value_variants() {
            assert_eq!((names(*sort, false).len(), names(*sort, true).len()), (3, 3));
        }
    }

    #[test]
    fn columns_follow_each_other() {
        let mut sort = Sort::Name;
        for _ in Sort::value_variants() {
            assert_eq!(sort.next(1).next(-1), sort);
            sort = sort.next(1);
        }
        assert_eq!((sort, Sort::Name.next(-1)), (Sort::Name, Sort::Behind));
        let words = |sort, is_reversed| Order { sort, is_reversed }.words();
        assert_eq!(words(Sort::Name, false), "table, a-z");
        assert_eq!(words(Sort::Write, true), "write/s, least first");
    }

    #[test]
    fn a_narrow_table_shows_who_writes_and_who_is_behind() {
        let rows = report(&[BUSY, LATER]).tables;
        let lines = |sort, width| {
            let (heading, rows) = Order { sort, is_reversed: false }.grid(&rows).lines(Some(width), 0..9);
            [text(&heading), text(&rows[1])]
        };
        assert_eq!(
            lines(Sort::Name, 40),
            ["table   write/s  iterator age   behind", "orders    1,200         1m35s      830"]
        );
        // The column that the rows are sorted by is always there.
        assert_eq!(lines(Sort::Oldest, 24), ["table   write/s  oldest", "orders    1,200   2h00m"]);
        assert_eq!(
            lines(Sort::Name, 200),
            [
                "table     items      size  read/s  write/s  captured/s  delivered/s   shards  records  oldest  \
                 readers  iterator age   behind",
                "orders    1,142  278.0 KB     4.5    1,200       1,188          800      2/3    3,876   2h00m  \
                 \x20     2         1m35s      830",
            ]
        );
    }
}
