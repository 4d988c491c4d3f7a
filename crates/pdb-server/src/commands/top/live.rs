//! The live view: one thread asks the server, one waits for keys, and this one draws.

use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use pretender::time::{Clock, EpochMillis, SystemClock};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::crossterm::event::{self, Event};

use super::meter::Meter;
use super::screen::{Action, Problem, Screen, Trouble};
use super::snapshot::Snapshot;
use super::view;
use crate::signals;

/// How long a request to stop may wait, and after which the age of trouble is drawn anew.
const TICK: Duration = Duration::from_millis(250);

/// What the threads tell the one that draws.
#[derive(Debug)]
pub(super) enum Message {
    Event(Event),
    /// Keys can no longer be read.
    NoEvents(io::Error),
    Polled(Box<Polled>),
}

/// What the server said.
#[derive(Debug)]
pub(super) struct Polled {
    pub(super) at: Instant,
    pub(super) time: EpochMillis,
    pub(super) answer: Result<Snapshot, Problem>,
}

/// The screen together with what it is made from.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) screen: Screen,
    pub(super) meter: Meter,
    /// When the last snapshot was received.
    pub(super) last: (Instant, EpochMillis),
}

/// Restores the terminal when it is dropped.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        // If the terminal is gone, there is nothing to restore.
        let _ = ratatui::try_restore();
    }
}

/// Shows the live view until the user quits. `poll` asks the server once.
///
/// # Errors
///
/// The system's error, if the terminal cannot be used.
pub(super) fn run(
    mut live: Live,
    poll: impl Fn() -> Result<Snapshot, Problem> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let stop = signals::interruption();
    let (sender, messages) = channel();
    let (intervals, changes) = channel();
    // Also restores a terminal that was changed only in part. A panic restores it before its message is printed.
    let _restored = Restored;
    let mut terminal = ratatui::try_init()?;
    start_polling(poll, live.screen.interval, changes, sender.clone())?;
    start_reading_events(sender)?;
    live.show(&mut terminal, &messages, &intervals, &stop)
}

/// Starts the thread that asks the server. It ends when nobody wants its answers.
fn start_polling(
    poll: impl Fn() -> Result<Snapshot, Problem> + Send + 'static,
    mut interval: Duration,
    changes: Receiver<Duration>,
    sender: Sender<Message>,
) -> io::Result<()> {
    let mut asked = Instant::now();
    let work = move || loop {
        match changes.recv_timeout((asked + interval).saturating_duration_since(Instant::now())) {
            Ok(changed) => interval = changed,
            Err(RecvTimeoutError::Timeout) => {
                asked = Instant::now();
                let answer = poll();
                let polled = Polled { at: Instant::now(), time: SystemClock.now(), answer };
                if sender.send(Message::Polled(Box::new(polled))).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    };
    std::thread::Builder::new().name("pretender-top".to_owned()).spawn(work).map(drop)
}

/// Starts the thread that waits for keys. It ends with the process, as nothing ends a read of a terminal.
fn start_reading_events(sender: Sender<Message>) -> io::Result<()> {
    let work = move || loop {
        let (message, is_last) = match event::read() {
            Ok(event) => (Message::Event(event), false),
            Err(error) => (Message::NoEvents(error), true),
        };
        if sender.send(message).is_err() || is_last {
            return;
        }
    };
    std::thread::Builder::new().name("pretender-keys".to_owned()).spawn(work).map(drop)
}

impl Live {
    /// Draws until the user quits or a signal asks to stop.
    pub(super) fn show<B: Backend<Error: 'static>>(
        &mut self,
        terminal: &mut Terminal<B>,
        messages: &Receiver<Message>,
        intervals: &Sender<Duration>,
        stop: &AtomicBool,
    ) -> Result<(), Box<dyn Error>> {
        let mut is_changed = true;
        while !stop.load(Ordering::Relaxed) {
            // The age of trouble changes by itself.
            if is_changed || self.screen.trouble.is_some() {
                terminal.draw(|frame| view::draw(frame, &mut self.screen, Instant::now()))?;
            }
            let first = match messages.recv_timeout(TICK) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    is_changed = false;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Err("the view has lost its threads".into()),
            };
            is_changed = false;
            // All that has happened is drawn at once.
            for message in std::iter::once(first).chain(messages.try_iter()) {
                match self.handle(message)? {
                    Action::Nothing => {}
                    Action::Draw => is_changed = true,
                    Action::ChangeInterval => {
                        is_changed = true;
                        // If the thread has ended, its message says so.
                        let _ = intervals.send(self.screen.interval);
                    }
                    Action::Quit => return Ok(()),
                }
            }
        }
        Ok(())
    }

    fn handle(&mut self, message: Message) -> io::Result<Action> {
        match message {
            Message::Event(event) => Ok(self.screen.handle(&event)),
            Message::NoEvents(error) => Err(error),
            Message::Polled(polled) => {
                self.take(*polled);
                Ok(Action::Draw)
            }
        }
    }

    fn take(&mut self, polled: Polled) {
        match polled.answer {
            Ok(snapshot) => {
                self.last = (polled.at, polled.time);
                self.screen.take(self.meter.take(polled.at, snapshot));
            }
            Err(problem) => {
                let (since_instant, since) = self.last;
                self.screen.trouble = Some(Trouble { since, since_instant, problem });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::KeyCode;

    use super::super::columns::{Order, Sort};
    use super::super::examples::{BUSY, ENDPOINT, LATER};
    use super::*;

    struct Stage {
        live: Live,
        start: Instant,
        terminal: Terminal<TestBackend>,
        stop: AtomicBool,
    }

    impl Stage {
        fn new() -> Self {
            let (mut meter, start) = (Meter::default(), Instant::now());
            let report = meter.take(start, Snapshot::parse(BUSY, None).unwrap());
            let order = Order { sort: Sort::Name, is_reversed: false };
            let screen = Screen::new(ENDPOINT.to_owned(), report, order, Duration::from_secs(1));
            let live = Live { screen, meter, last: (start, EpochMillis(1_772_356_542_017)) };
            let terminal = Terminal::new(TestBackend::new(100, 24)).unwrap();
            Self { live, start, terminal, stop: AtomicBool::new(false) }
        }

        fn polled(&self, seconds: u64, answer: Result<&str, Problem>) -> Message {
            let at = self.start + Duration::from_secs(seconds);
            let answer = answer.map(|text| Snapshot::parse(text, None).unwrap());
            Message::Polled(Box::new(Polled { at, time: EpochMillis(1_772_356_545_000), answer }))
        }

        /// Handles messages, then quits. Returns the screen before.
        fn shown(&mut self, sent: Vec<Message>) -> String {
            let (sender, messages) = channel();
            let (intervals, _) = channel();
            for message in sent {
                self.live.handle(message).unwrap();
            }
            sender.send(Message::Event(Event::Key(KeyCode::Char('q').into()))).unwrap();
            self.live.show(&mut self.terminal, &messages, &intervals, &self.stop).unwrap();
            self.terminal.backend().to_string()
        }
    }

    fn problem(is_answered: bool) -> Problem {
        Problem { is_answered, text: "connection refused".to_owned() }
    }

    #[test]
    fn a_server_that_goes_away_is_asked_again() {
        let mut stage = Stage::new();
        let before = stage.shown(vec![stage.polled(2, Ok(LATER))]);
        assert!(before.contains("1,200") && before.contains("q quit"), "{before}");
        // The last view stays.
        let away = stage.shown(vec![stage.polled(3, Err(problem(false)))]);
        assert!(away.contains("1,200") && away.contains("no answer since 09:15:45 UTC ("), "{away}");
        assert!(away.contains("trying again: connection refused"), "{away}");
        let other = stage.shown(vec![stage.polled(4, Err(problem(true)))]);
        assert!(other.contains("no metrics since 09:15:45 UTC"), "{other}");
        let back = stage.shown(vec![stage.polled(6, Ok(BUSY))]);
        assert!(!back.contains("trying again") && back.contains("requests 758/s"), "{back}");
    }

    #[test]
    fn a_signal_ends_the_view() {
        let mut stage = Stage::new();
        stage.stop.store(true, Ordering::Relaxed);
        let (_sender, messages) = channel();
        let (intervals, _) = channel();
        stage.live.show(&mut stage.terminal, &messages, &intervals, &stage.stop).unwrap();
    }

    #[test]
    fn lost_keys_and_threads_are_errors() {
        let mut stage = Stage::new();
        let (sender, messages) = channel();
        let (intervals, _) = channel();
        sender.send(Message::NoEvents(io::Error::other("no terminal"))).unwrap();
        let error = stage.live.show(&mut stage.terminal, &messages, &intervals, &stage.stop).unwrap_err();
        assert_eq!(error.to_string(), "no terminal");
        drop(sender);
        assert!(stage.live.show(&mut stage.terminal, &messages, &intervals, &stage.stop).is_err());
    }

    #[test]
    fn the_server_is_asked_again_and_again() {
        let (sender, messages) = channel();
        let (intervals, changes) = channel();
        let poll = || Err(problem(false));
        start_polling(poll, Duration::from_secs(3600), changes, sender).unwrap();
        // A change applies at once.
        intervals.send(Duration::from_millis(1)).unwrap();
        for _ in 0..3 {
            let polled = messages.recv_timeout(Duration::from_secs(60)).unwrap();
            assert!(matches!(polled, Message::Polled(polled) if polled.answer.is_err()));
        }
        // The thread ends when nobody wants to change its interval any more.
        drop(intervals);
        while messages.recv().is_ok() {}
    }
}
