//! Tests of the screen.

use std::fmt::Write as _;
use std::time::Duration;

use pretender::time::EpochMillis;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::columns::{Order, Sort};
use super::super::examples::{BUSY, ENDPOINT, HOSTILE, LATER, QUIET, report};
use super::super::screen::Problem;
use super::*;

fn screen(texts: &[&str], sort: Sort) -> Screen {
    let order = Order { sort, is_reversed: false };
    Screen::new(ENDPOINT.to_owned(), report(texts), order, Duration::from_secs(1))
}

/// The lines of a screen of a size, without spaces at their ends.
fn lines(screen: &mut Screen, width: u16, height: u16, now: Instant) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen, now)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| line(y).trim_end().to_owned()).collect()
}

fn shown(screen: &mut Screen, width: u16, height: u16) -> Vec<String> {
    lines(screen, width, height, Instant::now())
}

/// Metrics of many tables.
fn many(tables: usize) -> String {
    let mut text = String::from(BUSY);
    for n in 0..tables {
        writeln!(text, "pretender_table_items{{table=\"t{n:03}\"}} {n}").unwrap();
    }
    text
}

#[test]
fn a_usual_terminal_shows_everything() {
    let expected = "\
pretender 0.1.0  http://127.0.0.1:8000  clock 2026-11-29 10:02:11 UTC (held)
memory 24.1 MB  log 3.3 MB
requests 1,210/s  errors 12/s  commits 210/s  each 5.7 jobs in 0.4ms
faults injected 12/s
table   read/s  write/s  captured/s  delivered/s  records  iterator age   behind
orders     4.5    1,200       1,188          800    3,876         1m35s      830
carts        0        0           0            0       14            0s        0
users        0        -           -            -        -             -        -




-- Readers behind --------------------------------------------------------------
table   reader   kind     iterator age   behind
orders  billing  trigger         1m35s      830
-- Faults in force -------------------------------------------------------------
fault  kind        target
1      throttling  PutItem on orders
-- Operations ------------------------------------------------------------------
operation      requests/s     p50     p99  errors/s
PutItem             1,200   0.6ms   4.8ms        12
GetRecords             10   1.0ms   4.9ms         0
DescribeTable           0       -       -         0
q quit  ? help  s sort: write/s, greatest first  r reverse  p pause
";
    let shown = shown(&mut screen(&[BUSY, LATER], Sort::Write), 80, 24);
    assert_eq!(shown.join("\n") + "\n", expected);
}

#[test]
fn a_wide_terminal_has_all_columns() {
    let lines = shown(&mut screen(&[BUSY, LATER], Sort::Name), 200, 50);
    assert!(lines[0].ends_with("(held)  memory 24.1 MB  log 3.3 MB"), "{}", lines[0]);
    let heading = lines[2].split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        heading,
        "table items size read/s write/s captured/s delivered/s shards records oldest readers iterator age behind"
    );
    assert!(lines[49].ends_with("+ - every 1s"), "{}", lines[49]);
}

#[test]
fn a_narrow_terminal_shows_who_is_behind() {
    let lines = shown(&mut screen(&[BUSY, LATER], Sort::Name), 40, 24);
    assert_eq!(lines[0], "pretender 0.1.0  http://127.0.0.1:8000");
    assert!(lines.contains(&"table   write/s  iterator age   behind".to_owned()), "{lines:?}");
    assert!(lines.contains(&"orders    1,200         1m35s      830".to_owned()), "{lines:?}");
    assert_eq!(lines[23], "q quit  ? help  s sort: table, a-z");
}

#[test]
fn many_tables_are_scrolled() {
    let text = many(100);
    let mut screen = screen(&[&text], Sort::Name);
    let lines_of = |screen: &mut Screen| shown(screen, 80, 24);
    let first = lines_of(&mut screen);
    assert!(first[4].starts_with("carts") && first[6].starts_with("t000"), "{first:?}");
    // The other parts have at most half of the room.
    assert!(screen.page >= 8, "{}", screen.page);
    let page = screen.page;
    assert!(first[23].starts_with(&format!("tables 1-{page} of 103  q quit")), "{}", first[23]);
    screen.top = 1000;
    let last = lines_of(&mut screen);
    assert!(last.iter().any(|line| line.starts_with("users")), "{last:?}");
    assert_eq!(screen.top + screen.page, 103);
    assert!(last[23].starts_with(&format!("tables {}-103 of 103", 104 - page)), "{}", last[23]);
    assert!(last.iter().any(|line| line.starts_with("-- Operations")), "{last:?}");
}

#[test]
fn parts_that_are_cut_say_so() {
    let text = (0..40).fold(many(40), |mut text, n| {
        writeln!(text, "pretender_requests_total{{operation=\"Op{n:02}\",result=\"ok\"}} 1").unwrap();
        text
    });
    let lines = shown(&mut screen(&[&text, &text], Sort::Name), 80, 24);
    assert!(lines.iter().any(|line| line.starts_with("-- Operations (2 of 43) ---")), "{lines:?}");
}

#[test]
fn trouble_and_pauses_are_told() {
    let mut screen = screen(&[BUSY, LATER], Sort::Name);
    let now = Instant::now();
    screen.trouble = Some(Trouble {
        since: EpochMillis(1_772_356_542_017),
        since_instant: now,
        problem: Problem { is_answered: false, text: "http://x cannot be reached".to_owned() },
    });
    let shown_lines = lines(&mut screen, 100, 24, now + Duration::from_secs(75));
    let expected = "no answer since 09:15:42 UTC (1m15s), trying again: http://x cannot be reached";
    assert_eq!(shown_lines[23], expected);
    assert!(shown_lines.iter().any(|line| line.contains("1,200")));
    let narrow = lines(&mut screen, 40, 24, now);
    assert_eq!(narrow[23], "no answer since 09:15:42 UTC (0s), tryi…");

    screen.trouble = None;
    screen
        .handle(&ratatui::crossterm::event::Event::Key(ratatui::crossterm::event::KeyCode::Char('p').into()));
    assert!(shown(&mut screen, 80, 24)[23].starts_with("paused, p resumes  q quit"));
}

#[test]
fn help_names_all_keys() {
    let mut screen = screen(&[BUSY], Sort::Name);
    screen.is_help = true;
    let lines = shown(&mut screen, 80, 24);
    for key in ["s, right, left", "r ", "p ", "+ -", "? ", "q, Esc, Ctrl-C"] {
        assert!(lines.iter().any(|line| line.starts_with(key)), "{key}: {lines:?}");
    }
    assert!(HELP.iter().all(|line| line.len() <= 80));
}

#[test]
fn an_empty_server_has_a_view() {
    let lines = shown(&mut screen(&[QUIET, QUIET], Sort::Name), 100, 10);
    assert_eq!(lines[2], "no tables yet");
    assert!(lines[9].starts_with("q quit"));
}

/// No size of the terminal is a reason to panic, and nothing of a hostile server reaches it unescaped.
#[test]
fn any_size_and_any_label_can_be_drawn() {
    let text = many(30);
    for texts in [[QUIET, QUIET], [BUSY, LATER], [HOSTILE, HOSTILE], [&text, &text]] {
        let mut screen = screen(&texts, Sort::Behind);
        for width in [0, 1, 2, 3, 7, 20, 40, 79, 80, 200] {
            for height in [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 16, 24, 60] {
                for is_help in [false, true] {
                    screen.is_help = is_help;
                    screen.top = usize::from(height);
                    for line in shown(&mut screen, width, height) {
                        assert_eq!(crate::terminal::visible(&line), line, "{width}x{height}");
                    }
                }
            }
        }
    }
}
