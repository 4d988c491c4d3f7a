//! Drawing the screen.
//!
//! From top to bottom: the header, the tables, the other parts, and a line about keys or what is wrong. If there is not
//! enough room, the other parts get at most half of it.

use std::time::Instant;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as StyledLine, Span};

use super::grid::{Cell, Grid, Line, Mark, flow};
use super::numbers;
use super::screen::{Screen, Trouble};
use super::sections;

/// The title and the heading of a part.
const PART_HEAD: usize = 2;
/// Below this height, only the tables are shown.
const LEAST_FOR_PARTS: usize = 8;

const HELP: [&str; 10] = [
    "s, right, left   choose the column to sort by",
    "r                reverse the order",
    "up, down         scroll the tables, also PgUp, PgDn, Home, End",
    "p                pause the view, and go on",
    "+ -              ask the server less or more often",
    "?                close this help",
    "q, Esc, Ctrl-C   quit",
    "",
    "Rates are per second, since the last answer. Ages and times are those of the",
    "server's clock. `behind` counts records that a reader has not read yet.",
];

/// Draws the screen. `now` is the time that trouble is measured by.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &mut Screen, now: Instant) {
    let area = frame.area();
    let mut canvas = Canvas { buffer: frame.buffer_mut(), area, next: 0 };
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if width == 0 || height == 0 {
        return;
    }
    let header = header(screen, width, height);
    for line in &header {
        canvas.put(line);
    }
    let footer = usize::from(height > 2);
    let body = height.saturating_sub(header.len() + footer);
    if screen.is_help {
        HELP.iter().take(body).for_each(|line| canvas.put(&vec![Cell::plain(line)]));
    } else {
        draw_body(&mut canvas, screen, width, body);
    }
    if footer > 0 {
        canvas.next = area.height - 1;
        let pieces = status(screen, now);
        canvas.put(&flow(&pieces, Some(width)).into_iter().next().unwrap_or_default());
    }
}

/// Returns the lines of the header: at most a fifth of the screen.
fn header(screen: &Screen, width: usize, height: usize) -> Vec<Line> {
    let [server, work] = sections::header(screen.report(), &screen.endpoint);
    let (server, work) = (flow(&server, Some(width)), flow(&work, Some(width)));
    let most = (height / 5).max(1);
    let of_work = work.len().min(most / 2);
    let of_server = server.len().min(most - of_work);
    let more_work = work.len().min(most - of_server);
    server.into_iter().take(of_server).chain(work.into_iter().take(more_work)).collect()
}

fn draw_body(canvas: &mut Canvas<'_>, screen: &mut Screen, width: usize, body: usize) {
    let parts = sections::all(screen.report());
    let tables = screen.report().tables.len();
    let heights = part_heights(&parts, tables.max(1) + 1, body);
    let for_tables = body - heights.iter().sum::<usize>();

    screen.page = for_tables.saturating_sub(1);
    screen.top = screen.top.min(tables.saturating_sub(screen.page));
    let begin = canvas.next;
    if tables == 0 {
        canvas.put(&vec![Cell::new(sections::NO_TABLES, Mark::Faint)]);
    } else if for_tables > 0 {
        // Tables that are scrolled out of sight count for the widths, so that columns do not move.
        let grid = screen.order.grid(&screen.report().tables);
        let (heading, rows) = grid.lines(Some(width), screen.top..screen.top + screen.page);
        canvas.put(&heading);
        rows.iter().for_each(|row| canvas.put(row));
    }
    canvas.next = begin.saturating_add(u16::try_from(for_tables).unwrap_or(u16::MAX));
    for ((title, grid), height) in parts.iter().zip(heights) {
        if height > 0 {
            draw_part(canvas, title, grid, width, height);
        }
    }
}

/// Returns the heights of the parts. Those without rows, and those for which there is no room, have none.
fn part_heights(parts: &[(&str, Grid); 3], tables: usize, body: usize) -> [usize; 3] {
    let mut heights = [0; 3];
    if body < LEAST_FOR_PARTS {
        return heights;
    }
    let needed = |grid: &Grid| if grid.rows.is_empty() { 0 } else { PART_HEAD + grid.rows.len() };
    let mut left = body.saturating_sub(tables).max(body / 2);
    for (at, (_, grid)) in parts.iter().enumerate() {
        // A part may take more than its share of what the parts after it do not need.
        let share = left / (parts.len() - at);
        let later: usize = parts.iter().skip(at + 1).map(|(_, grid)| needed(grid)).sum();
        let height = needed(grid).min(share.max(left.saturating_sub(later)));
        if height > PART_HEAD {
            heights[at] = height;
            left -= height;
        }
    }
    heights
}

fn draw_part(canvas: &mut Canvas<'_>, title: &str, grid: &Grid, width: usize, height: usize) {
    let shown = grid.rows.len().min(height - PART_HEAD);
    let count =
        if shown < grid.rows.len() { format!(" ({shown} of {})", grid.rows.len()) } else { String::new() };
    let title = format!("-- {title}{count} ");
    let rule = "-".repeat(width.saturating_sub(title.len()));
    canvas.put(&vec![Cell::new(&(title + &rule), Mark::Faint)]);
    let (heading, rows) = grid.lines(Some(width), 0..shown);
    canvas.put(&heading);
    rows.iter().for_each(|row| canvas.put(row));
}

/// Returns the pieces of the last line.
fn status(screen: &Screen, now: Instant) -> Vec<Cell> {
    let mut pieces = Vec::new();
    if let Some(trouble) = &screen.trouble {
        pieces.push(Cell::new(&trouble.text(now), Mark::Bad));
        return pieces;
    }
    if screen.is_paused() {
        pieces.push(Cell::new("paused, p resumes", Mark::Notable));
    }
    let tables = screen.report().tables.len();
    if !screen.is_help && screen.page < tables {
        let last = tables.min(screen.top + screen.page);
        pieces.push(Cell::plain(&format!("tables {}-{last} of {tables}", (screen.top + 1).min(last))));
    }
    pieces.extend(["q quit", "? help"].map(Cell::plain));
    pieces.push(Cell::plain(&format!("s sort: {}", screen.order.words())));
    pieces.extend(["r reverse", "p pause"].map(Cell::plain));
    pieces.push(Cell::plain(&format!("+ - every {}", numbers::interval(screen.interval))));
    pieces
}

impl Trouble {
    fn text(&self, now: Instant) -> String {
        let what = if self.problem.is_answered { "metrics" } else { "answer" };
        let passed = now.saturating_duration_since(self.since_instant);
        format!(
            "no {what} since {} ({}), trying again: {}",
            numbers::time_of_day(self.since),
            numbers::passed(passed),
            self.problem.text
        )
    }
}

/// Where lines are written, one below the other.
struct Canvas<'b> {
    buffer: &'b mut Buffer,
    area: Rect,
    next: u16,
}

impl Canvas<'_> {
    /// Writes a line. What is outside of the screen is left out.
    fn put(&mut self, line: &Line) {
        if self.next < self.area.height {
            let spans: Vec<_> =
                line.iter().map(|cell| Span::styled(cell.text.as_str(), style(cell.mark))).collect();
            let (x, y) = (self.area.x, self.area.y + self.next);
            self.buffer.set_line(x, y, &StyledLine::from(spans), self.area.width);
            self.next += 1;
        }
    }
}

fn style(mark: Mark) -> Style {
    match mark {
        Mark::None => Style::new(),
        Mark::Heading => Style::new().add_modifier(Modifier::BOLD),
        Mark::Sorted => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
        Mark::Faint => Style::new().add_modifier(Modifier::DIM),
        Mark::Notable => Style::new().fg(Color::Yellow),
        Mark::Bad => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

#[cfg(test)]
mod tests;
