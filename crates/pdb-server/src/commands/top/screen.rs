//! What the screen shows, and what keys do.

use std::time::{Duration, Instant};

use pretender::time::EpochMillis;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::columns::Order;
use super::report::Report;

/// The intervals that `+` and `-` go through.
const INTERVALS: [Duration; 9] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// The state of the screen.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) endpoint: String,
    /// The newest report, in the chosen order.
    latest: Report,
    /// The report that was shown when the screen was paused.
    frozen: Option<Report>,
    pub(super) trouble: Option<Trouble>,
    pub(super) order: Order,
    pub(super) interval: Duration,
    /// The first table that is shown.
    pub(super) top: usize,
    /// How many tables were shown the last time.
    pub(super) page: usize,
    pub(super) is_help: bool,
}

/// Why there is no newer report.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// When the last report was received, on the clock of this machine.
    pub(super) since: EpochMillis,
    pub(super) since_instant: Instant,
    pub(super) problem: Problem,
}

/// Why a report could not be received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Whether there was an answer, but not of the right kind.
    pub(super) is_answered: bool,
    /// One line that is safe to print.
    pub(super) text: String,
}

/// What follows from a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    Draw,
    /// Draw, and ask the server at the new interval.
    ChangeInterval,
    Quit,
}

impl Screen {
    pub(super) fn new(endpoint: String, first: Report, order: Order, interval: Duration) -> Self {
        let mut screen = Self {
            endpoint,
            latest: first,
            frozen: None,
            trouble: None,
            order,
            interval,
            top: 0,
            page: 1,
            is_help: false,
        };
        screen.sort();
        screen
    }

    /// Returns the report to show.
    pub(super) fn report(&self) -> &Report {
        self.frozen.as_ref().unwrap_or(&self.latest)
    }

    /// Returns whether new reports are kept back.
    pub(super) fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    /// Takes a new report. A paused screen shows it when it goes on.
    pub(super) fn take(&mut self, report: Report) {
        self.latest = report;
        self.trouble = None;
        self.order.sort(&mut self.latest.tables);
    }

    fn sort(&mut self) {
        let order = self.order;
        for report in [Some(&mut self.latest), self.frozen.as_mut()].into_iter().flatten() {
            order.sort(&mut report.tables);
        }
    }

    /// Carries out what a key means.
    pub(super) fn handle(&mut self, event: &Event) -> Action {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(*key),
            Event::Resize(..) => Action::Draw,
            _ => Action::Nothing,
        }
    }

    fn key(&mut self, key: KeyEvent) -> Action {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Action::Quit } else { Action::Nothing };
        }
        match key.code {
            KeyCode::Char('q') => return Action::Quit,
            KeyCode::Esc if !self.is_help => return Action::Quit,
            KeyCode::Char('?' | 'h') => self.is_help = !self.is_help,
            KeyCode::Esc => self.is_help = false,
            KeyCode::Char('p' | ' ') => self.pause(),
            KeyCode::Char('+' | '=') => return self.change_interval(true),
            KeyCode::Char('-') => return self.change_interval(false),
            KeyCode::Char('s') | KeyCode::Right | KeyCode::Tab => self.sort_by(1),
            KeyCode::Left | KeyCode::BackTab => self.sort_by(-1),
            KeyCode::Char('r') => {
                self.order.is_reversed = !self.order.is_reversed;
                self.sort();
            }
            KeyCode::Up => self.top = self.top.saturating_sub(1),
            KeyCode::Down => self.top += 1,
            KeyCode::PageUp => self.top = self.top.saturating_sub(self.page.max(1)),
            KeyCode::PageDown => self.top += self.page.max(1),
            KeyCode::Home => self.top = 0,
            KeyCode::End => self.top = self.report().tables.len(),
            _ => return Action::Nothing,
        }
        // The last page is full.
        self.top = self.top.min(self.report().tables.len().saturating_sub(self.page));
        Action::Draw
    }

    fn pause(&mut self) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(self.latest.clone()),
        };
    }

    fn sort_by(&mut self, columns: isize) {
        self.order.sort = self.order.sort.next(columns);
        self.sort();
    }

    fn change_interval(&mut self, is_longer: bool) -> Action {
        let next = if is_longer {
            INTERVALS.into_iter().find(|interval| *interval > self.interval)
        } else {
            INTERVALS.into_iter().rev().find(|interval| *interval < self.interval)
        };
        match next {
            Some(interval) => {
                self.interval = interval;
                Action::ChangeInterval
            }
            None => Action::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Sort;
    use super::super::examples::{BUSY, ENDPOINT, LATER, report};
    use super::*;

    fn screen() -> Screen {
        let order = Order { sort: Sort::Name, is_reversed: false };
        Screen::new(ENDPOINT.to_owned(), report(&[BUSY]), order, Duration::from_secs(1))
    }

    fn press(screen: &mut Screen, code: KeyCode) -> Action {
        screen.handle(&Event::Key(code.into()))
    }

    #[test]
    fn keys_quit() {
        let ctrl_c = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert_eq!(screen().handle(&ctrl_c), Action::Quit);
        for code in [KeyCode::Char('q'), KeyCode::Esc] {
            assert_eq!(press(&mut screen(), code), Action::Quit);
        }
        let mut helped = screen();
        assert_eq!((press(&mut helped, KeyCode::Char('?')), helped.is_help), (Action::Draw, true));
        // The first Esc closes the help.
        assert_eq!((press(&mut helped, KeyCode::Esc), helped.is_help), (Action::Draw, false));
        assert_eq!(press(&mut helped, KeyCode::Esc), Action::Quit);
        let released = KeyEvent { kind: KeyEventKind::Release, ..KeyCode::Char('q').into() };
        assert_eq!(screen().handle(&Event::Key(released)), Action::Nothing);
        assert_eq!(press(&mut screen(), KeyCode::F(5)), Action::Nothing);
        assert_eq!(screen().handle(&Event::Resize(1, 1)), Action::Draw);
    }

    #[test]
    fn keys_sort() {
        let mut screen = screen();
        let first = |screen: &Screen| screen.report().tables[0].name.clone();
        assert_eq!(first(&screen), "carts");
        press(&mut screen, KeyCode::Char('r'));
        assert_eq!(first(&screen), "users");
        press(&mut screen, KeyCode::Char('s'));
        assert_eq!((screen.order.sort, first(&screen)), (Sort::Items, "carts".to_owned()));
        press(&mut screen, KeyCode::Left);
        press(&mut screen, KeyCode::Left);
        assert_eq!(screen.order.sort, Sort::Behind);
        press(&mut screen, KeyCode::Char('r'));
        // New reports are sorted, too.
        screen.take(report(&[BUSY, LATER]));
        assert_eq!(first(&screen), "orders");
    }

    #[test]
    fn keys_scroll_within_the_tables() {
        let mut screen = screen();
        screen.page = 2;
        for (code, top) in [
            (KeyCode::Up, 0),
            (KeyCode::Down, 1),
            (KeyCode::Down, 1),
            (KeyCode::PageUp, 0),
            (KeyCode::PageDown, 1),
            (KeyCode::Home, 0),
            (KeyCode::End, 1),
        ] {
            press(&mut screen, code);
            assert_eq!(screen.top, top, "{code:?}");
        }
        screen.page = 0;
        press(&mut screen, KeyCode::PageDown);
        assert_eq!(screen.top, 2);
    }

    #[test]
    fn a_pause_keeps_the_view_and_not_the_rates() {
        let mut screen = screen();
        press(&mut screen, KeyCode::Char('p'));
        screen.take(report(&[BUSY, LATER]));
        assert_eq!((screen.is_paused(), screen.report()), (true, &report(&[BUSY])));
        // What is shown can be sorted.
        press(&mut screen, KeyCode::Char('r'));
        assert_eq!(screen.report().tables[0].name, "users");
        press(&mut screen, KeyCode::Char('p'));
        // The rates are those of the last interval, not of the time of the pause.
        assert_eq!((screen.is_paused(), screen.report().seconds), (false, Some(2.0)));
    }

    #[test]
    fn the_interval_goes_through_steps() {
        let mut screen = screen();
        assert_eq!(press(&mut screen, KeyCode::Char('+')), Action::ChangeInterval);
        assert_eq!(screen.interval, Duration::from_secs(2));
        screen.interval = Duration::from_millis(1500);
        press(&mut screen, KeyCode::Char('-'));
        assert_eq!(screen.interval, Duration::from_secs(1));
        for _ in 0..20 {
            press(&mut screen, KeyCode::Char('-'));
        }
        assert_eq!(screen.interval, Duration::from_millis(100));
        assert_eq!(press(&mut screen, KeyCode::Char('-')), Action::Nothing);
    }
}
