//! How far a stream was read, as a text that fits into an address and into the id of an event.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use pretender::streams::{SequenceNumber, ShardProgress, StreamLabel, StreamProgress};
use pretender::testing::ShardSummary;
use pretender::time::EpochMillis;

/// The longest text. A browser sends it back in a header, which must not become too long for the server.
const MAX_LENGTH: usize = 6_000;
const VERSION: &str = "1";

/// How far a stream was read: a stream, a time, and a mark for each shard at the front.
///
/// A shard is named by its number. A shard without a mark was read to its end if one of its descendants has one; otherwise nothing of
/// it was read. So the text does not grow with the shards that lie behind, of which there may be hundreds.
///
/// With so many open shards that the text would be too long, only the time is kept: then some records may come twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShortCheckpoint {
    /// When the stream was enabled, which its label says.
    enabled: EpochMillis,
    /// When the last record that was read was made; the time of the checkpoint if none was read.
    pub(crate) time: EpochMillis,
    /// The marks by the numbers of shards, unless there are too many.
    marks: Option<Vec<(u64, Mark)>>,
    /// The last record that was read. A mark may also be at a number that no record has.
    pub(crate) last: Option<SequenceNumber>,
}

/// The progress in a shard at the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// No record was read, and the shard begins at its oldest one.
    Begun,
    /// No record was read, and the shard begins at this time.
    Since(EpochMillis),
    /// Read up to the record with this counter.
    After(u64),
    /// Read to its end, without descendants.
    Finished,
}

impl ShortCheckpoint {
    /// Returns the checkpoint for the progress in a stream with these shards.
    pub(crate) fn of(
        label: &StreamLabel,
        time: EpochMillis,
        progress: &StreamProgress,
        shards: &[ShardSummary],
        last: Option<SequenceNumber>,
    ) -> Self {
        let parents: HashSet<&str> = shards
            .iter()
            .filter(|shard| progress.contains_key(shard.shard_id.as_str()))
            .filter_map(|shard| Some(shard.parent_shard_id.as_ref()?.as_str()))
            .collect();
        let mark = |shard: &ShardSummary| match progress.get(shard.shard_id.as_str())? {
            ShardProgress::Finished { .. } if parents.contains(shard.shard_id.as_str()) => None,
            // Without its number, for which there is no space.
            ShardProgress::Finished { .. } => Some(Mark::Finished),
            // An iterator is too long for this. This database never gives one as progress.
            ShardProgress::Begun | ShardProgress::Latest(_) => Some(Mark::Begun),
            ShardProgress::Since(time) => Some(Mark::Since(*time)),
            ShardProgress::After(number) => Some(
                number.parse::<SequenceNumber>().map_or(Mark::Begun, |number| Mark::After(number.counter)),
            ),
        };
        let marks = shards.iter().filter_map(|shard| Some((shard.starting.shard, mark(shard)?))).collect();
        let whole = Self { enabled: label.moment(), time, marks: Some(marks), last };
        if whole.to_string().len() <= MAX_LENGTH { whole } else { Self { marks: None, ..whole } }
    }

    /// Returns the label of the stream.
    pub(crate) fn label(&self) -> StreamLabel {
        StreamLabel::at(self.enabled)
    }

    /// Returns the progress in a stream that has these shards now.
    pub(crate) fn progress(&self, shards: &[ShardSummary]) -> StreamProgress {
        let Some(marks) = &self.marks else {
            let since = |shard: &ShardSummary| (shard.shard_id.to_string(), ShardProgress::Since(self.time));
            return shards.iter().map(since).collect();
        };
        let mut progress = StreamProgress::new();
        let mut finished = HashSet::new();
        // Children are listed after their parents.
        for shard in shards.iter().rev() {
            let mark =
                marks.iter().find(|(number, _)| *number == shard.starting.shard).map(|(_, mark)| *mark);
            let known = match mark {
                Some(Mark::Begun) => ShardProgress::Begun,
                Some(Mark::Since(time)) => ShardProgress::Since(time),
                Some(Mark::After(counter)) => {
                    let number = SequenceNumber { counter, shard: shard.starting.shard };
                    ShardProgress::After(number.to_string())
                }
                Some(Mark::Finished) => ShardProgress::Finished { ending: None },
                None if finished.contains(&shard.shard_id) => ShardProgress::Finished { ending: None },
                None => continue,
            };
            finished.extend(shard.parent_shard_id.clone());
            progress.insert(shard.shard_id.to_string(), known);
        }
        progress
    }
}

/// Prints `1.<enabled>.<time>.<marks>.<last>`, such as `1.1772356542017.1772356543000.4-12_5-b.4-12`.
impl fmt::Display for ShortCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}.{}.{}.", self.enabled.0, self.time.0)?;
        if self.marks.is_none() {
            f.write_str("x")?;
        }
        for (place, (number, mark)) in self.marks.iter().flatten().enumerate() {
            let separator = if place == 0 { "" } else { "_" };
            write!(f, "{separator}{number}-")?;
            match mark {
                Mark::Begun => f.write_str("b")?,
                Mark::Since(time) => write!(f, "s{}", time.0)?,
                Mark::After(counter) => write!(f, "{counter}")?,
                Mark::Finished => f.write_str("e")?,
            }
        }
        match self.last {
            Some(last) => write!(f, ".{}-{}", last.shard, last.counter),
            None => f.write_str("."),
        }
    }
}

/// The text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotACheckpoint;

impl FromStr for ShortCheckpoint {
    type Err = NotACheckpoint;

    fn from_str(text: &str) -> Result<Self, NotACheckpoint> {
        let parts: Vec<&str> = text.split('.').collect();
        let [VERSION, enabled, time, marks, last] = parts[..] else { return Err(NotACheckpoint) };
        let number = |text: &str| text.parse::<i64>().map(EpochMillis).map_err(|_| NotACheckpoint);
        let marks = match marks {
            "x" => None,
            "" => Some(Vec::new()),
            marks => Some(marks.split('_').map(mark).collect::<Option<_>>().ok_or(NotACheckpoint)?),
        };
        let last = match last {
            "" => None,
            last => Some(sequence_number(last).ok_or(NotACheckpoint)?),
        };
        Ok(Self { enabled: number(enabled)?, time: number(time)?, marks, last })
    }
}

fn sequence_number(text: &str) -> Option<SequenceNumber> {
    let (shard, counter) = text.split_once('-')?;
    Some(SequenceNumber { counter: counter.parse().ok()?, shard: shard.parse().ok()? })
}

fn mark(text: &str) -> Option<(u64, Mark)> {
    let (number, mark) = text.split_once('-')?;
    let mark = match mark {
        "b" => Mark::Begun,
        "e" => Mark::Finished,
        mark => match mark.strip_prefix('s') {
            Some(time) => Mark::Since(EpochMillis(time.parse().ok()?)),
            None => Mark::After(mark.parse().ok()?),
        },
    };
    Some((number.parse().ok()?, mark))
}

#[cfg(test)]
mod tests {
    use pretender::streams::ShardId;

    use super::*;

    const ENABLED: EpochMillis = EpochMillis(1_772_356_542_017);

    /// Returns shards with these numbers and the numbers of their parents.
    fn shards(lineage: &[(u64, Option<u64>)]) -> Vec<ShardSummary> {
        let id = |number: u64| ShardId::at(ENABLED, u32::try_from(number).unwrap());
        let shard = |(number, parent): &(u64, Option<u64>)| ShardSummary {
            shard_id: id(*number),
            parent_shard_id: parent.map(id),
            starting: SequenceNumber { counter: 0, shard: *number },
            ending: None,
            opened: ENABLED,
            closed: None,
            hash_range: (0, u64::MAX),
        };
        lineage.iter().map(shard).collect()
    }

    fn progress(of: &[(u64, ShardProgress)], shards: &[ShardSummary]) -> StreamProgress {
        let id = |number: u64| {
            shards.iter().find(|shard| shard.starting.shard == number).unwrap().shard_id.to_string()
        };
        of.iter().map(|(number, progress)| (id(*number), progress.clone())).collect()
    }

    fn after(counter: u64, shard: u64) -> ShardProgress {
        ShardProgress::After(SequenceNumber { counter, shard }.to_string())
    }

    #[test]
    fn progress_survives_the_text() {
        use ShardProgress::{Begun, Since};
        const FINISHED: ShardProgress = ShardProgress::Finished { ending: None };

        let lineage = shards(&[(1, None), (2, None), (3, Some(1)), (4, Some(1)), (5, Some(3)), (6, Some(2))]);
        let label = StreamLabel::at(ENABLED);
        for (before, text) in [
            (vec![], ""),
            (vec![(1, after(12, 1)), (2, Begun)], "1-12_2-b"),
            (
                vec![(1, FINISHED), (2, FINISHED), (3, after(7, 3)), (4, Begun), (6, after(9, 6))],
                "3-7_4-b_6-9",
            ),
            (
                vec![(1, FINISHED), (2, after(3, 2)), (3, FINISHED), (4, Begun), (5, Since(EpochMillis(9)))],
                "2-3_4-b_5-s9",
            ),
            (vec![(1, FINISHED), (2, FINISHED)], "1-e_2-e"),
        ] {
            let before = progress(&before, &lineage);
            let checkpoint = ShortCheckpoint::of(&label, EpochMillis(77), &before, &lineage, None);
            assert_eq!(checkpoint.to_string(), format!("1.{}.77.{text}.", ENABLED.0));
            let read: ShortCheckpoint = checkpoint.to_string().parse().unwrap();
            assert_eq!((read.label(), read.progress(&lineage)), (label.clone(), before));
        }
    }

    #[test]
    fn children_that_appeared_meanwhile_begin_after_their_parents() {
        let lineage = shards(&[(1, None), (2, Some(1)), (3, Some(1))]);
        let text = format!("1.{}.77.1-12.1-12", ENABLED.0);
        let read: ShortCheckpoint = text.parse().unwrap();
        assert_eq!(read.last, Some(SequenceNumber { counter: 12, shard: 1 }));
        assert_eq!(read.progress(&lineage), progress(&[(1, after(12, 1))], &lineage));
        // A shard that is gone has no progress.
        assert_eq!(read.progress(&lineage[1..]), StreamProgress::new());
    }

    #[test]
    fn with_too_many_shards_only_the_time_is_kept() {
        let lineage: Vec<_> = (1..1500).map(|number| (number, None)).collect();
        let lineage = shards(&lineage);
        let all = lineage
            .iter()
            .map(|shard| (shard.shard_id.to_string(), after(1, shard.starting.shard)))
            .collect();
        let checkpoint = ShortCheckpoint::of(
            &StreamLabel::at(ENABLED),
            EpochMillis(77),
            &all,
            &lineage,
            Some(SequenceNumber { counter: 7, shard: 9 }),
        );
        assert_eq!(checkpoint.to_string(), format!("1.{}.77.x.9-7", ENABLED.0));
        let progress = checkpoint.progress(&lineage);
        assert_eq!(progress.len(), lineage.len());
        assert!(progress.values().all(|progress| *progress == ShardProgress::Since(EpochMillis(77))));
    }

    #[test]
    fn other_texts_are_no_checkpoints() {
        for text in [
            "",
            "1",
            "2.1.1.",
            "1.1.1.1",
            "1.1.1.a-1.",
            "1.1.1.1-x.",
            "1.1.1.1-1_.",
            "1.a.1..",
            "1.1.1.1-1.1-1.",
            "1.1.1.1-1.1",
            "1.1.1.1-1.1-x",
            "1.1.1.1-s.",
        ] {
            assert_eq!(text.parse::<ShortCheckpoint>(), Err(NotACheckpoint), "{text}");
        }
    }
}
