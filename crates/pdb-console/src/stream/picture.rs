//! Where the shards of a stream are in its picture: a lane for each line of descent, time from left to right.
//!
//! Only geometry. [`super::drawing`] makes SVG of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use pretender::time::EpochMillis;

/// The width of the picture, labels included.
pub(super) const WIDTH: f64 = 960.0;
/// Where the time begins.
const LEFT: f64 = 10.0;
/// Where it ends. Behind it are the labels of the shards that are last in their lanes.
pub(super) const RIGHT: f64 = 680.0;
/// Where the first lane begins, below the times.
const TOP: f64 = 26.0;
/// The room between two bars of one lane, for the line that joins them.
const JOINT: f64 = 6.0;
/// The width of the shortest span of time, if there are not too many.
const SHORTEST: f64 = 30.0;
/// The most shards that are drawn.
pub(super) const MAX_DRAWN: usize = 96;
/// From so many lanes on, they are narrow.
const MANY_LANES: usize = 24;

/// A shard to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardBar {
    pub(super) shard_id: String,
    pub(super) parent: Option<String>,
    pub(super) opened: EpochMillis,
    /// Absent while it is open.
    pub(super) closed: Option<EpochMillis>,
    /// The first hash that it owns. Lanes are in this order.
    pub(super) hash_from: u64,
    /// How many records were trimmed.
    pub(super) trimmed: u64,
    /// How many records there are.
    pub(super) records: u64,
    /// When the oldest of them was made.
    pub(super) oldest: Option<EpochMillis>,
}

/// How far a reader has come in a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReaderMark {
    /// What the reader is called.
    pub(crate) name: String,
    /// The shard.
    pub(crate) shard_id: String,
    /// How many records it has not read.
    pub(crate) behind: u64,
    /// The age of the oldest of them.
    pub(crate) age: Duration,
}

impl ShardBar {
    /// Returns which part of all records that were ever in the shard `records` are.
    fn share(&self, records: u64) -> f64 {
        let all = self.trimmed.saturating_add(self.records);
        if all == 0 { 0.0 } else { (records as f64 / all as f64).min(1.0) }
    }
}

/// The picture.
#[derive(Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) height: f64,
    /// In the order of the shards.
    pub(super) bars: Vec<Bar>,
    pub(super) lines: Vec<Line>,
    pub(super) times: Vec<TimeLabel>,
    pub(super) marks: Vec<Mark>,
}

/// The bar of a shard.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// How much of it is trimmed, from the left.
    pub(super) trimmed: f64,
    /// Whether it is the last one in its lane, so that there is room for a label behind it.
    pub(super) is_last: bool,
    pub(super) lane: usize,
}

/// A line from a parent to a child.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

/// A time above the bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimeLabel {
    pub(super) x: f64,
    pub(super) time: EpochMillis,
}

/// The position of a reader: the place of its mark among those given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) x: f64,
    /// The lower edge of the bar.
    pub(super) y: f64,
    pub(super) reader: usize,
}

/// The beginning or end of a shard: a time, and how many ancestors lie before it. The latter keeps generations of one moment apart.
type Moment = (i64, usize);

/// Lays out shards, parents before their children, at the time `now`.
pub(super) fn lay_out(shards: &[ShardBar], readers: &[ReaderMark], now: EpochMillis) -> Picture {
    let places: HashMap<&str, usize> =
        shards.iter().enumerate().map(|(place, shard)| (shard.shard_id.as_str(), place)).collect();
    let parents: Vec<Option<usize>> =
        shards.iter().map(|shard| places.get(shard.parent.as_deref()?).copied()).collect();
    let spans = spans(shards, &parents, now);
    let x = positions(&spans);
    let at = |moment: &Moment| x.get(moment).copied().unwrap_or(LEFT);
    let lanes = lanes(shards, &parents);
    let lane_count = lanes.iter().max().map_or(0, |last| last + 1);
    let (lane_height, bar_height) = match (lane_count > MANY_LANES, readers.is_empty()) {
        (true, _) => (14.0, 10.0),
        (false, true) => (28.0, 18.0),
        (false, false) => (40.0, 18.0),
    };
    let has_child = |place: usize| parents.contains(&Some(place));
    let bars: Vec<Bar> = shards
        .iter()
        .enumerate()
        .map(|(place, shard)| {
            let (start, end) = &spans[place];
            let joint = if has_child(place) { JOINT } else { 0.0 };
            let width = (at(end) - at(start) - joint).max(2.0);
            Bar {
                x: at(start),
                y: TOP + lanes[place] as f64 * lane_height,
                width,
                height: bar_height,
                trimmed: width * shard.share(shard.trimmed),
                is_last: !has_child(place),
                lane: lanes[place],
            }
        })
        .collect();
    let middle = |bar: &Bar| bar.y + bar.height / 2.0;
    let lines = parents.iter().enumerate().filter_map(|(child, parent)| {
        let (parent, child) = (&bars[(*parent)?], &bars[child]);
        Some(Line { from: (parent.x + parent.width, middle(parent)), to: (child.x, middle(child)) })
    });
    let marks = readers.iter().enumerate().filter_map(|(reader, mark)| {
        let place = *places.get(mark.shard_id.as_str())?;
        let bar = &bars[place];
        let x = bar.x + bar.width * (1.0 - shards[place].share(mark.behind));
        Some(Mark { x, y: bar.y + bar.height, reader })
    });
    Picture {
        height: TOP + lane_count.max(1) as f64 * lane_height + 4.0,
        lines: lines.collect(),
        marks: marks.collect(),
        times: times(&x),
        bars,
    }
}

/// Returns when each shard begins and ends in the picture: a child where its parent ends, also if the clock went back between them.
fn spans(shards: &[ShardBar], parents: &[Option<usize>], now: EpochMillis) -> Vec<(Moment, Moment)> {
    let mut spans: Vec<(Moment, Moment)> = Vec::with_capacity(shards.len());
    for (shard, parent) in shards.iter().zip(parents) {
        // A parent that is listed behind its child, which never happens, is drawn as if it were another shard's.
        let start = match parent.and_then(|parent| spans.get(parent)) {
            Some((_, end)) => *end,
            None => (shard.opened.0, 0),
        };
        let end = shard.closed.map_or((now.0, usize::MAX), |closed| (closed.0, 0));
        let end_time = end.0.max(start.0);
        let is_open = shard.closed.is_none();
        spans.push((start, (end_time, if is_open { usize::MAX } else { start.1 + 1 })));
    }
    // What is open ends at the same place.
    let last = spans.iter().map(|(_, (time, _))| *time).max().unwrap_or(now.0);
    for (_, end) in &mut spans {
        if end.1 == usize::MAX {
            end.0 = last;
        }
    }
    spans
}

/// Returns where each moment is: to scale, but no span is narrower than its share of half the picture.
fn positions(spans: &[(Moment, Moment)]) -> BTreeMap<Moment, f64> {
    let mut moments: Vec<Moment> = spans.iter().flat_map(|(start, end)| [*start, *end]).collect();
    moments.sort_unstable();
    moments.dedup();
    let gaps = moments.len().saturating_sub(1).max(1) as f64;
    let shortest = SHORTEST.min((RIGHT - LEFT) / 2.0 / gaps);
    let whole = moments.first().zip(moments.last()).map_or(0, |(first, last)| last.0.saturating_sub(first.0));
    let to_share = RIGHT - LEFT - shortest * gaps;
    let mut x = LEFT;
    let mut before = moments.first().map_or(0, |first| first.0);
    let mut positions = BTreeMap::new();
    for (place, moment) in moments.iter().enumerate() {
        if place > 0 {
            let span = moment.0.saturating_sub(before) as f64;
            x += shortest + if whole == 0 { to_share / gaps } else { to_share * span / whole as f64 };
        }
        before = moment.0;
        positions.insert(*moment, x);
    }
    positions
}

/// Returns the lane of each shard: its first child continues in it, and the others have lanes below.
fn lanes(shards: &[ShardBar], parents: &[Option<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); shards.len()];
    let mut roots = Vec::new();
    for (place, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children[*parent].push(place),
            None => roots.push(place),
        }
    }
    let in_order = |places: &mut Vec<usize>| {
        places.sort_by_key(|place| (shards[*place].hash_from, shards[*place].opened, *place));
        places.reverse();
    };
    children.iter_mut().for_each(in_order);
    in_order(&mut roots);
    // The last one is the next.
    let mut waiting = roots;
    let (mut lanes, mut next, mut is_new) = (vec![0; shards.len()], 0, false);
    while let Some(place) = waiting.pop() {
        // Behind the end of a line of descent, a new lane begins.
        next += usize::from(is_new);
        lanes[place] = next;
        is_new = children[place].is_empty();
        waiting.append(&mut children[place]);
    }
    lanes
}

/// Returns the times that have room.
fn times(positions: &BTreeMap<Moment, f64>) -> Vec<TimeLabel> {
    const ROOM: f64 = 150.0;
    let mut labels: Vec<TimeLabel> = Vec::new();
    for ((time, _), x) in positions {
        let has_room = labels.last().is_none_or(|last| x - last.x >= ROOM && last.time.0 != *time);
        // The last label ends where the time does.
        if has_room && RIGHT - x >= 2.0 * ROOM {
            labels.push(TimeLabel { x: *x, time: EpochMillis(*time) });
        }
    }
    if let Some(((time, _), x)) = positions.last_key_value() {
        labels.push(TimeLabel { x: *x, time: EpochMillis(*time) });
    }
    labels
}

#[cfg(test)]
mod tests;
