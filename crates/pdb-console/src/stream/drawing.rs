//! The picture of the shards as SVG, which has no colours of its own: classes have.

use std::time::Duration;

use maud::{Markup, html};
use pretender::time::EpochMillis;

use super::picture::{Bar, Line, Mark, Picture, RIGHT, ReaderMark, ShardBar, WIDTH, lay_out};
use super::row::end_of;
use crate::shown::{format_span, format_time, plural};

/// How wide a character of a label is, about.
const CHARACTER: f64 = 6.6;

/// Returns the picture of these shards.
pub(super) fn draw(shards: &[ShardBar], readers: &[ReaderMark], now: EpochMillis) -> Markup {
    let picture = lay_out(shards, readers, now);
    html! {
        svg.shards role="img" aria-labelledby="shards-title shards-description" xmlns="http://www.w3.org/2000/svg"
            viewBox=(format!("0 0 {WIDTH} {:.0}", picture.height)) width=(WIDTH) height=(format!("{:.0}", picture.height)) {
            title #shards-title { "Shards over time" }
            desc #shards-description { (description(shards)) }
            defs {
                pattern #trimmed width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    line.hatch x1="0" y1="0" x2="0" y2="6" {}
                }
            }
            (times(&picture))
            @for line in &picture.lines { (connection(line)) }
            @for (shard, bar) in shards.iter().zip(&picture.bars) { (shard_bar(shard, bar, now)) }
            @for mark in &picture.marks { (reader(mark, readers)) }
        }
    }
}

fn description(shards: &[ShardBar]) -> String {
    let open = shards.iter().filter(|shard| shard.closed.is_none()).count();
    let records: u64 = shards.iter().map(|shard| shard.records).sum();
    format!(
        "{} open, {} closed, {}. The table below has the same facts.",
        plural(open as u64, "shard"),
        shards.len() - open,
        plural(records, "record")
    )
}

fn times(picture: &Picture) -> Markup {
    html! {
        @for label in &picture.times {
            @let time = format_time(label.time);
            @let is_last = label.x >= RIGHT - 1.0;
            line.time x1=(at(label.x)) y1="16" x2=(at(label.x)) y2=(at(picture.height)) {}
            text.time x=(at(label.x)) y="11" text-anchor=(if is_last { "end" } else { "start" }) { (time.trim_end_matches('Z')) }
        }
    }
}

/// Returns the line from a parent to a child: along the lane, then down.
fn connection(line: &Line) -> Markup {
    let ((x, y), (to_x, to_y)) = (line.from, line.to);
    let middle = (x + to_x) / 2.0;
    html! { path.lineage d=(format!("M{x:.1} {y:.1} H{middle:.1} V{to_y:.1} H{to_x:.1}")) {} }
}

fn shard_bar(shard: &ShardBar, bar: &Bar, now: EpochMillis) -> Markup {
    let class = if shard.closed.is_none() { "open" } else { "closed" };
    let base = bar.y + bar.height / 2.0 + 4.0;
    html! {
        g.shard.(class) {
            title { (sentence(shard, now)) }
            rect.bar x=(at(bar.x)) y=(at(bar.y)) width=(at(bar.width)) height=(at(bar.height)) rx="2" {}
            @if bar.trimmed >= 1.0 {
                rect.trimmed x=(at(bar.x)) y=(at(bar.y)) width=(at(bar.trimmed)) height=(at(bar.height)) fill="url(#trimmed)" {}
            }
            @if bar.is_last {
                text.label x=(at(bar.x + bar.width + 6.0)) y=(at(base)) { (label(shard, now)) }
            } @else if let Some(label) = inner_label(shard, bar) {
                text.inner x=(at(bar.x + 5.0)) y=(at(base)) { (label) }
            }
        }
    }
}

/// Returns the label behind the last bar of a lane.
fn label(shard: &ShardBar, now: EpochMillis) -> String {
    let state = if shard.closed.is_none() { "open" } else { "closed" };
    format!("…{} {state}, {}", end_of(&shard.shard_id), contents(shard, now))
}

/// Returns how many records there are, and how old the oldest is.
pub(super) fn contents(shard: &ShardBar, now: EpochMillis) -> String {
    match shard.oldest {
        None => "empty".to_owned(),
        Some(created) => format!("{}, {} old", plural(shard.records, "record"), age(now.since(created))),
    }
}

/// Returns the longest label that has room in a bar.
fn inner_label(shard: &ShardBar, bar: &Bar) -> Option<String> {
    let id = end_of(&shard.shard_id);
    let count = plural(shard.records, "record");
    let mut labels = [format!("…{id}, {count}"), format!("…{id}")].into_iter();
    labels.find(|label| bar.height > 14.0 && label.chars().count() as f64 * CHARACTER + 8.0 <= bar.width)
}

/// Returns what is known of a shard, for those who point at it.
fn sentence(shard: &ShardBar, now: EpochMillis) -> String {
    let mut text = format!("{}: opened {}", shard.shard_id, format_time(shard.opened));
    if let Some(closed) = shard.closed {
        text.push_str(&format!(", closed {}", format_time(closed)));
    }
    text.push_str(&format!(", {}", contents(shard, now)));
    if shard.trimmed > 0 {
        text.push_str(&format!(", {} trimmed", shard.trimmed));
    }
    text
}

fn reader(mark: &Mark, readers: &[ReaderMark]) -> Markup {
    let (x, y) = (mark.x, mark.y);
    let Some(reader) = readers.get(mark.reader) else { return html! {} };
    html! {
        g.reader {
            title { (reader.name) ": " (behind(reader)) }
            path d=(format!("M{x:.1} {:.1} l-5 8 h10 z", y - 3.0)) {}
            text x=(at(x + 8.0)) y=(at(y + 9.0)) { (reader.name) ", " (behind(reader)) }
        }
    }
}

/// Returns how far a reader is behind.
pub(super) fn behind(reader: &ReaderMark) -> String {
    match reader.behind {
        0 => "has read everything".to_owned(),
        records => format!("{} and {} behind", plural(records, "record"), age(reader.age)),
    }
}

/// Returns a length of time with its unit.
pub(super) fn age(duration: Duration) -> String {
    format_span(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn at(value: f64) -> String {
    format!("{value:.1}")
}
