//! The output of the benchmarks.

use std::collections::BTreeMap;

use crate::contest::Turn;
use crate::cost::Cost;

/// Everything a run showed.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Report {
    /// Figures of pretender in process, beside the floor's or its own.
    pub(crate) in_process: Vec<Share>,
    /// Cases over HTTP.
    pub(crate) http: Vec<CaseReport>,
    /// Reading a whole stream over HTTP.
    pub(crate) drains: Vec<Drain>,
    /// Start, memory and size, and ratios of latencies.
    pub(crate) footprint: BTreeMap<String, f64>,
}

/// A figure beside one it is compared with: the floor's, or its own while little was there.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Share {
    /// What was done.
    pub(crate) case: String,
    /// Operations a second.
    pub(crate) rate: f64,
    /// Operations a second of what it is compared with.
    pub(crate) beside: f64,
    /// `rate / beside`, the median of the turns.
    pub(crate) share: f64,
    /// CPU time of an operation in microseconds.
    pub(crate) cpu_us: f64,
    /// The same of what it is compared with.
    pub(crate) beside_cpu_us: f64,
    /// `beside_cpu_us / cpu_us`, the median of the turns.
    pub(crate) cpu_share: f64,
}

/// One turn of two contestants on one thread each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    ours: Cost,
    beside: Cost,
}

impl Pair {
    /// Returns the pair of these costs.
    pub(crate) fn of(ours: Cost, beside: Cost) -> Self {
        Self { ours, beside }
    }

    /// Returns the pair of these rates, of work whose CPU time one thread does not see.
    pub(crate) fn of_rates(ours: f64, beside: f64) -> Self {
        let of = |rate| Cost { rate, cpu_us: f64::NAN };
        Self { ours: of(ours), beside: of(beside) }
    }
}

/// A case over HTTP.
#[derive(Debug, serde::Serialize)]
pub(crate) struct CaseReport {
    /// The case.
    pub(crate) case: String,
    /// All turns, in the order they were run.
    pub(crate) turns: Vec<Turn>,
}

/// Reading a whole stream.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Drain {
    /// Who was read.
    pub(crate) name: String,
    /// How many records there were.
    pub(crate) records: u64,
    /// How many of them were read.
    pub(crate) seen: u64,
    /// Records a second.
    pub(crate) rate: f64,
    /// CPU time of the server for one record, in microseconds.
    pub(crate) cpu_us: Option<f64>,
}

impl Report {
    /// Adds a figure beside another, and prints it.
    pub(crate) fn share(&mut self, case: &str, turns: &[Pair]) {
        let middle = |figure: fn(&Pair) -> f64| median(turns.iter().map(figure));
        let share = Share {
            case: case.to_owned(),
            rate: middle(|pair| pair.ours.rate),
            beside: middle(|pair| pair.beside.rate),
            share: middle(|pair| pair.ours.rate / pair.beside.rate),
            cpu_us: middle(|pair| pair.ours.cpu_us),
            beside_cpu_us: middle(|pair| pair.beside.cpu_us),
            cpu_share: middle(|pair| pair.beside.cpu_us / pair.ours.cpu_us),
        };
        println!(
            "{case:<72} {:>9.0}/s {:>9.0}/s {:>5.0} %   cpu {:>6.2} us {:>6.2} us {:>5.0} %",
            share.rate,
            share.beside,
            share.share * 100.0,
            share.cpu_us,
            share.beside_cpu_us,
            share.cpu_share * 100.0
        );
        self.in_process.push(share);
    }

    /// Adds a case over HTTP, and prints each contestant's median beside the first one's, pair by pair.
    pub(crate) fn case(&mut self, case: String, turns: Vec<Turn>) {
        println!("{case}");
        let mut by_name: Vec<(&str, Vec<&Turn>)> = Vec::new();
        for turn in &turns {
            match by_name.iter_mut().find(|(name, _)| *name == turn.name) {
                Some((_, list)) => list.push(turn),
                None => by_name.push((&turn.name, vec![turn])),
            }
        }
        let first = by_name.first().map(|(_, list)| list.clone()).unwrap_or_default();
        for (name, list) in &by_name {
            let rate = median(list.iter().map(|turn| turn.rate));
            let cpu = median(list.iter().filter_map(|turn| turn.cpu_us));
            let p99 = median(list.iter().map(|turn| turn.load.p99_us));
            let failures: u64 = list.iter().map(|turn| turn.load.failures).sum();
            let pairs = first.iter().zip(list);
            let ratio = median(pairs.clone().map(|(ours, theirs)| ours.rate / theirs.rate));
            let cpu_ratio = median(pairs.filter_map(|(ours, theirs)| Some(theirs.cpu_us? / ours.cpu_us?)));
            println!(
                "  {name:<12} {rate:>9.0}/s  cpu {cpu:>8.1} us  p99 {p99:>8.0} us  ours is {ratio:>7.2} x, cpu {cpu_ratio:>7.2} x  {} records before{}",
                list.first().map_or(0, |turn| turn.records_before),
                if failures > 0 { format!("  {failures} FAILED") } else { String::new() }
            );
        }
        self.http.push(CaseReport { case, turns });
    }

    /// Adds a case over HTTP that has been printed.
    pub(crate) fn http_case(&mut self, case: String, turns: Vec<Turn>) {
        self.http.push(CaseReport { case, turns });
    }

    /// Adds a figure without a unit that has been printed.
    pub(crate) fn figure(&mut self, what: &str, figure: f64) {
        self.footprint.insert(what.to_owned(), figure);
    }

    /// Adds the reading of a whole stream, and prints it.
    pub(crate) fn drain(&mut self, drain: Drain) {
        println!(
            "  {:<16} {:>9.0} records/s  cpu {:>8.1} us a record  {} of {} records",
            drain.name,
            drain.rate,
            drain.cpu_us.unwrap_or(f64::NAN),
            drain.seen,
            drain.records
        );
        self.drains.push(drain);
    }

    /// Adds a figure of start, memory or size, and prints it.
    pub(crate) fn footprint(&mut self, what: &str, figure: f64, unit: &str) {
        println!("{what:<64} {figure:>12.1} {unit}");
        self.footprint.insert(format!("{what} ({unit})"), figure);
    }
}

/// Returns the middle of some figures; not a number if there are none.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
