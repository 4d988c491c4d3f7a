//! Tests of the layout.

use super::*;

const HOUR: i64 = 3_600_000;
const NOW: EpochMillis = EpochMillis(24 * HOUR);

/// Returns a shard that was opened in this hour, and closed in that one.
fn shard(id: &str, parent: Option<&str>, opened: i64, closed: Option<i64>) -> ShardBar {
    ShardBar {
        shard_id: id.to_owned(),
        parent: parent.map(str::to_owned),
        opened: EpochMillis(opened * HOUR),
        closed: closed.map(|closed| EpochMillis(closed * HOUR)),
        hash_from: 0,
        trimmed: 0,
        records: 10,
        oldest: Some(EpochMillis(opened * HOUR)),
    }
}

/// Returns the shards with the bars that they have in the picture, without readers.
fn laid_out(shards: &[ShardBar]) -> Picture {
    let picture = lay_out(shards, &[], NOW);
    check_bars(shards, &picture);
    picture
}

/// What is true of every picture: bars are inside, children right of their parents, and no two bars of a lane overlap.
#[track_caller]
fn check_bars(shards: &[ShardBar], picture: &Picture) {
    assert_eq!(picture.bars.len(), shards.len());
    for (shard, bar) in shards.iter().zip(&picture.bars) {
        assert!(bar.x >= LEFT && bar.width >= 2.0 && bar.x + bar.width <= RIGHT + 0.1, "{shard:?} {bar:?}");
        assert!(bar.y + bar.height <= picture.height && (0.0..=bar.width).contains(&bar.trimmed), "{bar:?}");
        if shard.closed.is_none() {
            assert!((bar.x + bar.width - RIGHT).abs() < 0.1, "open shards reach the present: {bar:?}");
        }
        let parent = shards.iter().position(|other| Some(&other.shard_id) == shard.parent.as_ref());
        if let Some(parent) = parent {
            let parent = &picture.bars[parent];
            assert!(bar.x > parent.x + parent.width && bar.lane >= parent.lane, "{parent:?} {bar:?}");
        }
        let overlaps = |other: &&Bar| {
            *other != bar
                && other.lane == bar.lane
                && other.x < bar.x + bar.width
                && bar.x < other.x + other.width
        };
        assert_eq!(picture.bars.iter().find(overlaps), None, "{bar:?}");
    }
    for pair in picture.times.windows(2) {
        assert!(pair[1].x - pair[0].x >= 100.0, "{pair:?}");
    }
}

fn lanes_of(picture: &Picture) -> Vec<usize> {
    picture.bars.iter().map(|bar| bar.lane).collect()
}

#[test]
fn one_shard_is_one_bar_up_to_now() {
    let picture = laid_out(&[shard("a", None, 0, None)]);
    assert_eq!(
        (picture.bars[0].x, picture.bars[0].width, picture.bars[0].trimmed),
        (LEFT, RIGHT - LEFT, 0.0)
    );
    assert!(picture.bars[0].is_last && picture.lines.is_empty());
    let times: Vec<i64> = picture.times.iter().map(|label| label.time.0).collect();
    assert_eq!(times, [0, NOW.0]);
    // In the moment in which it is opened, it has a width nevertheless.
    let picture = laid_out(&[shard("a", None, 24, None)]);
    assert!(picture.bars[0].width > 100.0);
    let picture = laid_out(&[]);
    assert!(picture.bars.is_empty() && picture.height > 0.0);
}

#[test]
fn a_rotation_goes_on_in_the_lane_of_the_parent() {
    let picture = laid_out(&[shard("a", None, 0, Some(12)), shard("b", Some("a"), 12, None)]);
    assert_eq!(lanes_of(&picture), [0, 0]);
    assert_eq!(picture.lines.len(), 1);
    let (line, first) = (picture.lines[0], &picture.bars[0]);
    assert_eq!((line.from.0, line.to.0), (first.x + first.width, picture.bars[1].x));
    assert_eq!(line.from.1, line.to.1);
    // Twelve hours each.
    assert!((picture.bars[0].width + JOINT - picture.bars[1].width).abs() < 1.0);
    assert!(!picture.bars[0].is_last && picture.bars[1].is_last);
}

#[test]
fn the_children_of_a_split_are_in_the_order_of_their_keys() {
    let mut shards = vec![
        shard("a", None, 0, Some(6)),
        shard("upper", Some("a"), 6, None),
        shard("lower", Some("a"), 6, Some(12)),
        shard("lower 1", Some("lower"), 12, None),
        shard("lower 2", Some("lower"), 12, None),
    ];
    (shards[1].hash_from, shards[4].hash_from) = (1 << 63, 1 << 62);
    let picture = laid_out(&shards);
    assert_eq!(lanes_of(&picture), [0, 2, 0, 0, 1]);
    assert_eq!(picture.lines.len(), 4);
    // To the right, and down.
    assert!(picture.lines.iter().all(|line| line.to.0 > line.from.0 && line.to.1 >= line.from.1));
    assert_eq!(picture.bars[1].x, picture.bars[2].x);
}

#[test]
fn the_trimmed_part_is_that_of_the_records() {
    for (trimmed, records, share) in
        [(0, 10, 0.0), (5, 5, 0.5), (9, 1, 0.9), (10, 0, 1.0), (0, 0, 0.0), (u64::MAX, 1, 1.0)]
    {
        let mut one = shard("a", None, 0, None);
        (one.trimmed, one.records) = (trimmed, records);
        let picture = laid_out(&[one]);
        let bar = &picture.bars[0];
        assert!((bar.trimmed - bar.width * share).abs() < 0.1, "{trimmed} {records}: {bar:?}");
    }
}

#[test]
fn readers_are_where_their_next_record_is() {
    let mut one = shard("a", None, 0, None);
    (one.trimmed, one.records) = (10, 10);
    let reader = |shard: &str, behind| ReaderMark {
        name: "trigger 1".to_owned(),
        shard_id: shard.to_owned(),
        behind,
        age: Duration::ZERO,
    };
    let readers = [reader("a", 0), reader("gone", 5), reader("a", 10), reader("a", 5)];
    let picture = lay_out(&[one], &readers, NOW);
    let bar = &picture.bars[0];
    let at: Vec<(usize, f64)> =
        picture.marks.iter().map(|mark| (mark.reader, (mark.x - bar.x) / bar.width)).collect();
    assert_eq!(at, [(0, 1.0), (2, 0.5), (3, 0.75)]);
    assert!(picture.marks.iter().all(|mark| mark.y == bar.y + bar.height));
}

#[test]
fn generations_of_one_moment_do_not_lie_on_each_other() {
    // Under a clock that stands still, nothing takes any time.
    let shards: Vec<ShardBar> = (0..20)
        .map(|n: i64| {
            let parent = (n > 0).then(|| format!("{}", n - 1));
            shard(&n.to_string(), parent.as_deref(), 5, (n < 19).then_some(5))
        })
        .collect();
    let picture = laid_out(&shards);
    assert_eq!(picture.bars.iter().filter(|bar| bar.width < 10.0).count(), 0);
}

#[test]
fn a_clock_that_went_back_turns_nothing_around() {
    laid_out(&[
        shard("a", None, 20, Some(2)),
        shard("b", Some("a"), 2, Some(30)),
        shard("c", Some("b"), 3, None),
        shard("d", None, 40, None),
    ]);
}

#[test]
fn children_of_shards_that_are_gone_begin_their_own_lanes() {
    let picture = laid_out(&[
        shard("b", Some("gone"), 2, Some(4)),
        shard("c", Some("b"), 4, None),
        shard("x", Some("gone"), 2, None),
    ]);
    assert_eq!((lanes_of(&picture), picture.lines.len()), (vec![0, 0, 1], 1));
}

#[test]
fn many_shards_of_many_generations_have_room() {
    // 64 lanes with a rotation every four hours, newest shards only, as the page chooses them.
    let mut shards = Vec::new();
    for generation in 0..6_i64 {
        for lane in 0..64_u64 {
            let parent = (generation > 0).then(|| format!("{}-{lane}", generation - 1));
            let closed = (generation < 5).then_some(4 * generation + 4);
            let mut one = shard(&format!("{generation}-{lane}"), parent.as_deref(), 4 * generation, closed);
            one.hash_from = lane << 58;
            shards.push(one);
        }
    }
    let picture = laid_out(&shards);
    assert_eq!(picture.bars.iter().map(|bar| bar.lane).max(), Some(63));
    assert!(picture.height < 64.0 * 15.0 + TOP, "{}", picture.height);
    let drawn = &shards[shards.len() - MAX_DRAWN..];
    let picture = laid_out(drawn);
    assert_eq!(picture.lines.len(), 32);
}
