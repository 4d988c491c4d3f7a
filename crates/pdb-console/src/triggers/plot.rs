//! The iterator age over time, as a picture.

use maud::{Markup, html};
use pdb_trigger::TriggerMonitor;

use crate::shown::format_span;

/// The size of the picture, in units of its own: one for each sample across, and some room at the edges for the line.
const WIDTH: usize = TriggerMonitor::MAX_SAMPLES;
const HEIGHT: usize = 100;
/// The least age at the upper edge, so that a trigger that is never behind has a flat line.
const MIN_SCALE_MILLIS: u64 = 1_000;

/// Returns the picture of samples, the newest of which is last.
pub(super) fn iterator_age(samples: &[Option<u64>]) -> Markup {
    let newest = samples.last().copied().flatten();
    let most = samples.iter().flatten().max().copied();
    let top = most.unwrap_or(0).max(MIN_SCALE_MILLIS);
    let text = match (newest, most) {
        (Some(now), Some(most)) => {
            format!("now {}, at most {} in the last 10 minutes", format_span(now), format_span(most))
        }
        (None, Some(most)) => format!("at most {} in the last 10 minutes", format_span(most)),
        _ => "not known yet".to_owned(),
    };
    html! {
        figure.plot {
            figcaption { strong { "Iterator age" } ": " (text) }
            div.frame {
                span.top { (format_span(top)) }
                svg viewBox={ "0 -4 " (WIDTH) " " (HEIGHT + 8) } preserveAspectRatio="none" role="img" aria-label={ "Iterator age: " (text) } {
                    line.axis x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) vector-effect="non-scaling-stroke" {}
                    @for points in lines(samples, top) {
                        polyline.age points=(points) fill="none" vector-effect="non-scaling-stroke" {}
                    }
                }
            }
            div.times aria-hidden="true" { span { "10 min ago" } span { "now" } }
        }
    }
}

/// Returns the points of each line: one for each time during which the trigger ran without interruption.
fn lines(samples: &[Option<u64>], top: u64) -> Vec<String> {
    let first = WIDTH.saturating_sub(samples.len());
    let placed: Vec<(usize, Option<u64>)> = (first..).zip(samples.iter().copied()).collect();
    let runs = placed.split(|(_, age)| age.is_none()).filter(|run| !run.is_empty());
    runs.map(|run| {
        let point = |(x, age): &(usize, Option<u64>)| {
            let share = age.unwrap_or(0) as f64 / top as f64;
            format!("{x},{:.1}", HEIGHT as f64 * (1.0 - share))
        };
        let mut points: Vec<String> = run.iter().map(point).collect();
        if let [(x, age)] = run {
            // A line of one point would not be seen.
            points.push(point(&(x + 1, *age)));
        }
        points.join(" ")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_the_trigger_did_not_run() {
        let samples = [Some(0), Some(500), Some(1_000), None, None, Some(250)];
        assert_eq!(lines(&samples, 1_000), ["594,100.0 595,50.0 596,0.0", "599,75.0 600,75.0"]);
        assert!(lines(&[None; 3], 1_000).is_empty());
        assert!(lines(&[], 1_000).is_empty());
    }

    #[test]
    fn the_picture_says_in_words_what_it_shows() {
        let shown = |samples: &[Option<u64>]| iterator_age(samples).into_string();
        assert!(shown(&[]).contains("Iterator age</strong>: not known yet"));
        let behind = shown(&[Some(12_000), Some(2_000)]);
        assert!(
            behind.contains(r#"aria-label="Iterator age: now 2.0 s, at most 12.0 s in the last 10 minutes""#)
        );
        assert!(behind.contains(r#"<span class="top">12.0 s</span>"#));
        assert!(shown(&[Some(0), None]).contains("at most 0 ms in the last 10 minutes"));
        assert!(shown(&[Some(u64::MAX)]).contains("599,0.0 600,0.0"));
    }
}
