//! Columns of text that fit a width.
//!
//! All texts that come from the server enter the output through [`Cell`], which escapes control characters.

use unicode_width::UnicodeWidthStr;

use crate::terminal::{cut, visible};

/// Between two columns.
const GAP: usize = 2;
/// A column of names is cut to this width, before a column of numbers is left out.
const LEAST_NAME: usize = 14;

/// How a text is emphasised. The texts say the same without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    None,
    Heading,
    /// The heading of the column by which the rows are sorted.
    Sorted,
    /// What is not interesting: unknown, or none.
    Faint,
    /// What needs attention.
    Notable,
    /// What went wrong.
    Bad,
}

/// A text in a column, which is safe to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) mark: Mark,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) kind: Kind,
    /// Columns with a high number are left out first.
    pub(super) rank: u8,
    pub(super) is_sorted: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As wide as the longest text, and cut if there is no room.
    Name,
    /// Always at least so wide, so that columns do not move.
    Number(usize),
}

/// Columns with rows.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    /// Each row has a cell for each column.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// The pieces of a line.
pub(super) type Line = Vec<Cell>;

impl Cell {
    /// Makes a cell. Control characters of the text are escaped.
    pub(super) fn new(text: &str, mark: Mark) -> Self {
        Self { text: visible(text).into_owned(), mark }
    }

    /// Makes a cell without emphasis.
    pub(super) fn plain(text: &str) -> Self {
        Self::new(text, Mark::None)
    }
}

impl Column {
    pub(super) fn name(title: &'static str, rank: u8) -> Self {
        Self { title, kind: Kind::Name, rank, is_sorted: false }
    }

    pub(super) fn number(title: &'static str, width: usize, rank: u8) -> Self {
        Self { title, kind: Kind::Number(width), rank, is_sorted: false }
    }
}

impl Grid {
    /// Returns the heading and some of the rows, with the columns that fit a width, or with all.
    pub(super) fn lines(&self, width: Option<usize>, rows: std::ops::Range<usize>) -> (Line, Vec<Line>) {
        let widths = self.widths(width);
        let heading: Line = self
            .columns
            .iter()
            .map(|column| {
                Cell::new(column.title, if column.is_sorted { Mark::Sorted } else { Mark::Heading })
            })
            .collect();
        let end = rows.end.min(self.rows.len());
        let rows = self.rows.get(rows.start.min(end)..end).unwrap_or_default();
        (self.line(&heading, &widths), rows.iter().map(|row| self.line(row, &widths)).collect())
    }

    /// Pads the cells of a row to their widths.
    fn line(&self, row: &[Cell], widths: &[Option<usize>]) -> Line {
        let mut line = Line::new();
        for ((cell, column), width) in row.iter().zip(&self.columns).zip(widths) {
            let Some(width) = *width else { continue };
            if !line.is_empty() {
                line.push(Cell { text: " ".repeat(GAP), mark: Mark::None });
            }
            let text = cut(&cell.text, width).into_owned();
            let blank = Cell { text: " ".repeat(width - text.width().min(width)), mark: Mark::None };
            let cell = Cell { text, mark: cell.mark };
            match column.kind {
                Kind::Name => line.extend([cell, blank]),
                Kind::Number(_) => line.extend([blank, cell]),
            }
        }
        line.retain(|cell| !cell.text.is_empty());
        line
    }

    /// Returns the width of each column; `None` if it is left out.
    fn widths(&self, width: Option<usize>) -> Vec<Option<usize>> {
        let widest: Vec<usize> = (0..self.columns.len()).map(|at| self.widest(at)).collect();
        let Some(width) = width else { return widest.into_iter().map(Some).collect() };
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|at| self.columns[*at].rank);
        let mut widths = vec![None; self.columns.len()];
        let mut left = width;
        for (n, at) in order.into_iter().enumerate() {
            let gap = if n == 0 { 0 } else { GAP };
            let least = match self.columns[at].kind {
                Kind::Name => widest[at].min(LEAST_NAME),
                Kind::Number(_) => widest[at],
            };
            if gap + least <= left {
                widths[at] = Some(least);
                left -= gap + least;
            } else if n == 0 {
                // A line is never empty.
                widths[at] = Some(left);
                left = 0;
            }
        }
        // The rest of the width is for names.
        for (at, chosen) in widths.iter_mut().enumerate() {
            if let Some(chosen) = chosen.as_mut().filter(|chosen| **chosen < widest[at]) {
                let more = left.min(widest[at] - *chosen);
                *chosen += more;
                left -= more;
            }
        }
        widths
    }

    fn widest(&self, at: usize) -> usize {
        let Column { title, kind, .. } = self.columns[at];
        let least = match kind {
            Kind::Name => title.width(),
            Kind::Number(width) => width.max(title.width()),
        };
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.text.width()).fold(least, usize::max)
    }
}

/// Distributes pieces over lines of a width, or puts all on one line. A piece that is too long is cut.
pub(super) fn flow(pieces: &[Cell], width: Option<usize>) -> Vec<Line> {
    let width = width.unwrap_or(usize::MAX);
    let mut lines: Vec<Line> = Vec::new();
    let mut left = 0;
    for piece in pieces {
        let text = cut(&piece.text, width).into_owned();
        let needed = text.width();
        let cell = Cell { text, mark: piece.mark };
        match lines.last_mut().filter(|_| needed.saturating_add(GAP) <= left) {
            Some(line) => {
                line.push(Cell { text: " ".repeat(GAP), mark: Mark::None });
                line.push(cell);
                left -= GAP + needed;
            }
            None => {
                lines.push(vec![cell]);
                left = width - needed.min(width);
            }
        }
    }
    lines
}

/// Returns the text of a line, without spaces at its end.
pub(super) fn text(line: &Line) -> String {
    let text: String = line.iter().map(|cell| cell.text.as_str()).collect();
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(names: &[&str]) -> Grid {
        let columns = vec![
            Column::name("table", 0),
            Column::number("items", 7, 2),
            Column::number("size", 8, 3),
            Column::number("behind", 7, 1),
        ];
        let row = |name: &&str| vec![*name, "12", "1.5 KB", "-"].into_iter().map(Cell::plain).collect();
        Grid { columns, rows: names.iter().map(row).collect() }
    }

    fn shown(grid: &Grid, width: Option<usize>) -> Vec<String> {
        let (heading, rows) = grid.lines(width, 0..usize::MAX);
        std::iter::once(&heading).chain(&rows).map(text).collect()
    }

    #[test]
    fn columns_are_left_out_by_rank() {
        let grid = grid(&["orders", "a table with a long name"]);
        assert_eq!(
            shown(&grid, None),
            [
                "table                       items      size   behind",
                "orders                         12    1.5 KB        -",
                "a table with a long name       12    1.5 KB        -",
            ]
        );
        assert_eq!(shown(&grid, Some(60)), shown(&grid, None));
        assert_eq!(shown(&grid, Some(44))[2], "a table with a …       12    1.5 KB        -");
        assert_eq!(shown(&grid, Some(38))[2], "a table with a long…       12        -");
        assert_eq!(shown(&grid, Some(24))[2], "a table with a…        -");
        assert_eq!(shown(&grid, Some(10))[2], "a table w…");
        for width in 0..80 {
            for line in shown(&grid, Some(width)) {
                assert!(line.width() <= width.max(1), "{width}: {line}");
            }
        }
    }

    #[test]
    fn rows_can_be_chosen() {
        let grid = grid(&["a", "b", "c"]);
        let names = |rows| grid.lines(Some(5), rows).1.iter().map(text).collect::<Vec<_>>();
        assert_eq!(names(1..2), ["b"]);
        assert_eq!(names(1..9), ["b", "c"]);
        assert!(names(7..9).is_empty());
    }

    #[test]
    fn texts_are_escaped_and_wide_characters_counted() {
        let grid = grid(&["漢字\u{1b}[2J", "x"]);
        let lines = shown(&grid, None);
        assert!(lines[1].starts_with("漢字\\u001b[2J"), "{}", lines[1]);
        assert_eq!(lines[1].width(), lines[2].width());
    }

    #[test]
    fn pieces_flow() {
        let pieces = ["one", "two", "three"].map(Cell::plain);
        let lines = |width| flow(&pieces, width).iter().map(text).collect::<Vec<_>>();
        assert_eq!(lines(None), ["one  two  three"]);
        assert_eq!(lines(Some(8)), ["one  two", "three"]);
        assert_eq!(lines(Some(4)), ["one", "two", "thr…"]);
        assert_eq!(lines(Some(0)).len(), 3);
    }
}
