//! Waiting until a consumer has read all there is.

use std::fmt::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pdb_streams::{Checkpoint, StreamSource, SubscriptionBuilder};

use crate::{Change, ReadError, show};

/// How often the consumer is asked where it is.
const ASK_INTERVAL: Duration = Duration::from_millis(10);
/// The most unread records that are counted, and that are listed.
const MAX_COUNTED: usize = 1_000;
const MAX_LISTED: usize = 10;

/// Why a consumer has not caught up.
#[derive(thiserror::Error)]
pub enum CatchUpError {
    /// There are records that it had not read when time was up. The text lists them by shard.
    #[error("{0}")]
    Behind(String),
    /// The stream cannot be read, or records behind the consumer's position were trimmed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Waits until a consumer has read all records of a stream: nothing lies behind its `position`, which is asked for again and
/// again. `stream` names the stream, anew each time, as [`subscribe_to`](crate::subscribe_to) does.
///
/// The position is a [`Checkpoint`]: of a subscription the one it has, of any other consumer one made with
/// [`Checkpoint::after`] and [`Checkpoint::finished`]. A shard that it does not name counts as not begun.
///
/// # Errors
///
/// [`CatchUpError`] if that takes longer than `deadline`; its text lists what is unread.
pub fn wait_until_caught_up<S: StreamSource>(
    mut stream: impl FnMut() -> SubscriptionBuilder<S>,
    deadline: Duration,
    mut position: impl FnMut() -> Checkpoint,
) -> Result<(), CatchUpError> {
    let started = Instant::now();
    // Nobody tells when the consumer moves.
    let (_never, pause) = mpsc::channel::<()>();
    loop {
        let unread = stream().resume(position()).follow(false).start();
        let mut unread = unread.map_err(ReadError::Stream)?;
        let Some(first) = unread.next() else { return Ok(()) };
        let left = deadline.saturating_sub(started.elapsed());
        if left.is_zero() {
            let unread = std::iter::once(first).chain(unread).take(MAX_COUNTED);
            let unread: Result<Vec<_>, _> = unread
                .map(|event| {
                    let event = event.map_err(ReadError::Stream)?;
                    Ok::<_, ReadError>((event.shard_id.to_string(), Change::from_event(&event)?))
                })
                .collect();
            return Err(CatchUpError::Behind(report(&unread?, deadline)));
        }
        first.map_err(ReadError::Stream)?;
        let _ = pause.recv_timeout(left.min(ASK_INTERVAL));
    }
}

fn report(unread: &[(String, Change)], deadline: Duration) -> String {
    let more = if unread.len() == MAX_COUNTED { "at least " } else { "" };
    let count = show::counted(unread.len(), "record");
    let mut text = format!("the consumer has not caught up within {deadline:?}: {more}{count} unread\n");
    let mut shards: Vec<&String> = Vec::new();
    for (shard, _) in unread {
        if !shards.contains(&shard) {
            shards.push(shard);
        }
    }
    for shard in shards {
        let of_shard: Vec<&Change> =
            unread.iter().filter(|(of, _)| of == shard).map(|(_, change)| change).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{shard}, {}", show::counted(of_shard.len(), "record"));
        let rows = of_shard.iter().take(MAX_LISTED).map(|change| {
            let shown = show::cut(&show::change(change), 60);
            vec![String::new(), change.sequence_number.clone(), show::key(&change.keys), shown]
        });
        text.push_str(&show::columns(&rows.collect::<Vec<_>>()));
        if of_shard.len() > MAX_LISTED {
            let _ = writeln!(text, "  and {} more", of_shard.len() - MAX_LISTED);
        }
    }
    text
}
