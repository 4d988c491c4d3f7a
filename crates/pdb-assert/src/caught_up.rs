//! Waiting until a consumer has read all records.

use std::fmt::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pdb_streams::{Checkpoint, StreamSource, SubscriptionBuilder};

use crate::{Change, ReadError, show};

/// How often the consumer is asked for its checkpoint.
const ASK_INTERVAL: Duration = Duration::from_millis(10);
/// How many unread records are counted.
const MAX_COUNTED: usize = 1_000;
/// How many unread records are listed for each shard.
const MAX_LISTED: usize = 10;

/// Why a consumer has not caught up.
#[derive(thiserror::Error)]
pub enum CatchUpError {
    /// The consumer had not read all records before the deadline. The text lists the unread records by shard.
    #[error("{0}")]
    Behind(String),
    /// The stream cannot be read, or records after the consumer's checkpoint were trimmed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Waits until a consumer has read all records of a stream, which means that there are none after its checkpoint.
///
/// `checkpoint` is called every 10 ms. A subscription has a [`Checkpoint`]; for another consumer, create one with [`Checkpoint::after`] and
/// [`Checkpoint::finished`]. A shard that is not in the checkpoint counts as unread. `stream` is called each time, too, and returns a
/// subscription such as [`subscribe_to`](crate::subscribe_to) does.
///
/// # Errors
///
/// [`CatchUpError`] if that takes longer than `deadline`. Its text lists the unread records.
pub fn wait_until_caught_up<S: StreamSource>(
    mut stream: impl FnMut() -> SubscriptionBuilder<S>,
    deadline: Duration,
    mut checkpoint: impl FnMut() -> Checkpoint,
) -> Result<(), CatchUpError> {
    let started = Instant::now();
    // A consumer does not tell when it reads, so it has to be asked again and again. Nothing is ever sent here.
    let (_sender, pause) = mpsc::channel::<()>();
    loop {
        let unread = stream().resume(checkpoint()).follow(false).start();
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
