//! Rows under a header, cut to the width of a terminal.

use unicode_width::UnicodeWidthStr;

use crate::terminal::{cut, visible};

/// The space between two columns.
const GAP: &str = "  ";
/// A column that is cut keeps at least this width.
const MIN_WIDTH: usize = 6;
/// The largest width of a column, so that one long value cannot push all others aside.
const MAX_WIDTH: usize = 40;

/// The columns of a grid: which are shown, how wide they are, and which are aligned to the right.
pub(super) struct Grid {
    columns: Vec<Column>,
    /// Names of columns that did not fit.
    hidden: Vec<String>,
}

struct Column {
    name: String,
    /// The index of its cell in a row.
    index: usize,
    width: usize,
    is_numeric: bool,
}

impl Column {
    fn new(index: usize, name: &str, rows: &[Vec<String>], most: usize) -> Self {
        let cells = || rows.iter().map(|row| row.get(index).map_or("", String::as_str));
        let longest = cells().map(|cell| visible(cell).width()).max().unwrap_or(0);
        let width = longest.max(visible(name).width()).clamp(1, most);
        let is_number = |cell: &str| cell.is_empty() || cell.parse::<f64>().is_ok();
        let is_numeric = cells().any(|cell| !cell.is_empty()) && cells().all(is_number);
        Self { name: name.to_owned(), index, width, is_numeric }
    }
}

impl Grid {
    /// Chooses columns for these rows. `width` is the width of the terminal; without it, nothing is cut.
    pub(super) fn new(names: &[String], rows: &[Vec<String>], width: Option<usize>) -> Self {
        let most = if width.is_some() { MAX_WIDTH } else { usize::MAX };
        // An item may have thousands of attributes; do not measure those that cannot fit.
        let room = width.map_or(usize::MAX, |width| (width + GAP.len()) / (1 + GAP.len())).max(1);
        let (fitting, beyond) = names.split_at(names.len().min(room));
        let fitting = fitting.iter().enumerate();
        let mut columns: Vec<Column> =
            fitting.map(|(index, name)| Column::new(index, name, rows, most)).collect();
        let mut hidden = Vec::new();
        while width.is_some_and(|width| total(&columns) > width) {
            if narrow(&mut columns) {
                continue;
            }
            // The first column is always shown, even on a narrow terminal.
            let Some(last) = columns.pop_if(|column| column.index > 0) else { break };
            hidden.insert(0, last.name);
            // There is room again for the values of the remaining columns.
            columns
                .iter_mut()
                .for_each(|column| *column = Column::new(column.index, &column.name, rows, most));
        }
        hidden.extend_from_slice(beyond);
        Self { columns, hidden }
    }

    /// Returns the names of columns that did not fit.
    pub(super) fn hidden(&self) -> &[String] {
        &self.hidden
    }

    /// Returns the header as a line.
    pub(super) fn header(&self) -> String {
        self.line(|column| &column.name)
    }

    /// Returns a row as a line.
    pub(super) fn row(&self, cells: &[String]) -> String {
        self.line(|column| cells.get(column.index).map_or("", String::as_str))
    }

    fn line<'a>(&'a self, cell: impl Fn(&'a Column) -> &'a str) -> String {
        let mut line = String::new();
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                line.push_str(GAP);
            }
            let shown = visible(cell(column));
            let shown = cut(&shown, column.width);
            let padding = " ".repeat(column.width.saturating_sub(shown.width()));
            if column.is_numeric {
                line.push_str(&padding);
                line.push_str(&shown);
            } else {
                line.push_str(&shown);
                line.push_str(&padding);
            }
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

fn total(columns: &[Column]) -> usize {
    let widths: usize = columns.iter().map(|column| column.width).sum();
    widths + GAP.len() * columns.len().saturating_sub(1)
}

/// Makes the widest column narrower by one, if any column is still wider than the minimum.
fn narrow(columns: &mut [Column]) -> bool {
    let widest =
        columns.iter_mut().filter(|column| column.width > MIN_WIDTH).max_by_key(|column| column.width);
    widest.map(|column| column.width -= 1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[&str], rows: &[&[&str]], width: Option<usize>) -> (String, Vec<String>) {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (names, rows) = (texts(names), rows.iter().map(|row| texts(row)).collect::<Vec<_>>());
        let grid = Grid::new(&names, &rows, width);
        let lines = rows.iter().map(|row| grid.row(row)).collect::<String>();
        (format!("{}{lines}", grid.header()), grid.hidden().to_vec())
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let (text, hidden) = shown(&["id", "total"], &[&["o1", "7"], &["o2", "12345.5"], &["o3", ""]], None);
        assert_eq!(text, "id    total\no1        7\no2  12345.5\no3\n");
        assert!(hidden.is_empty());
    }

    #[test]
    fn wide_rows_are_cut_or_lose_columns() {
        let long = "x".repeat(100);
        let (text, hidden) = shown(&["id", "a", "b"], &[&["o1", &long, "\u{1b}[2J"]], Some(30));
        assert!(text.lines().all(|line| line.width() <= 30), "{text}");
        assert!(text.contains('…') && text.contains("\\u001b[2J"), "{text}");
        assert!(hidden.is_empty());

        let names = ["id", "one", "two", "three", "four"];
        let cells = ["o1234567", "11111111 a", "22222222 b", "33333333 c", "44444444 d"];
        let (text, hidden) = shown(&names, &[&cells], Some(24));
        assert!(text.lines().all(|line| line.width() <= 24), "{text}");
        assert_eq!(hidden, ["three", "four"]);
        assert!(shown(&names, &[&cells], Some(1)).0.starts_with("id"));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let (text, _) = shown(&["id", "x"], &[&["漢字", "1"], &["ab", "2"]], None);
        assert_eq!(text, "id    x\n漢字  1\nab    2\n");
    }
}
