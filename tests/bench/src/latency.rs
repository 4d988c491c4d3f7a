//! What one test at a time feels: the latency of one connection, beside a constant answer of the same HTTP stack; the tails of
//! many connections while the database does other work; and the start.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::constant::ConstantServer;
use crate::contest::{self, Case, Contestant, Operation};
use crate::load::{self, LoadResult, MakeRequest, Until};
use crate::process::{Server, Usage};
use crate::report::{Report, median};
use crate::requests;
use crate::sizes::Sizes;
use crate::work::Work;
use crate::{Options, contestants};

const BOTH: Option<&str> = Some("NEW_AND_OLD_IMAGES");
const CONNECTIONS: u64 = 64;

/// Measures latencies, tails and starts.
pub(crate) fn run(options: &Options, sizes: &Sizes, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let is_wanted = |name: &str| options.case.as_ref().is_none_or(|text| name.contains(text.as_str()));
    println!("Latency ({}); ratios of p50 are to a constant answer of the same HTTP stack", options.data);
    for (operation, connections) in [
        (Operation::Get, 1),
        (Operation::Put(BOTH), 1),
        (Operation::Update, 1),
        (Operation::Get, 16),
        (Operation::Put(BOTH), 16),
        (Operation::Get, 64),
        (Operation::Put(BOTH), 64),
    ] {
        let case = Case { operation, item_bytes: 1024, connections, records_before: 1_000 };
        if is_wanted(&case.name()) {
            latencies(options, sizes, report, &case)?;
        }
    }
    if is_wanted("tails") {
        tails(options, sizes, report)?;
    }
    if is_wanted("starts") {
        starts(report, &options.binary)?;
    }
    Ok(())
}

/// Runs one case on all contestants and the constant answer, in turns.
fn latencies(
    options: &Options,
    sizes: &Sizes,
    report: &mut Report,
    case: &Case,
) -> Result<(), Box<dyn Error>> {
    let (_server, _folder, mut contestants) = contestants(options)?;
    let constant = ConstantServer::start()?;
    let (address, usage) = (constant.address, Some(constant.usage));
    contestants.push(Contestant { name: "constant".to_owned(), address, usage });
    let turns = contest::run(case, &contestants, sizes)?;
    println!("{}", case.name());
    for contestant in &contestants {
        let mut of_it = turns.iter().filter(|turn| turn.name == contestant.name);
        let constants = turns.iter().filter(|turn| turn.name == "constant");
        let ratio = median(
            of_it.clone().zip(constants).map(|(turn, constant)| turn.load.p50_us / constant.load.p50_us),
        );
        let middle = |figure: fn(&contest::Turn) -> f64| median(of_it.clone().map(figure));
        let failures: u64 = of_it.clone().map(|turn| turn.load.failures).sum();
        println!(
            "  {:<12} p50 {:>7.0} us  p99 {:>7.0} us  cpu {:>6.1} us  {:>8.0}/s  p50 is {ratio:>5.2} of the constant's{}",
            contestant.name,
            middle(|turn| turn.load.p50_us),
            middle(|turn| turn.load.p99_us),
            middle(|turn| turn.cpu_us.unwrap_or(f64::NAN)),
            middle(|turn| turn.rate),
            if failures > 0 { format!("  {failures} FAILED") } else { String::new() }
        );
        if of_it.next().is_some() {
            report.figure(
                &format!("p50 of {}, {}, over a constant answer's", case.name(), contestant.name),
                ratio,
            );
        }
    }
    report.http_case(format!("latency: {}", case.name()), turns);
    Ok(())
}

/// Puts over many connections, while the log is copied back, while a trim runs, while tables are created, and when there is much.
fn tails(options: &Options, sizes: &Sizes, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tails.db").display().to_string();
    let server = Server::start(&options.binary, &["--db", &file, "--control"])?;
    let (address, time) = (server.address, sizes.turn * 3);
    let (target, body) = requests::create_table("tails", BOTH, false);
    load::call(address, target, &body)?;
    println!("Tails: PutItem, both images, 1 KB, {CONNECTIONS} connections, each key once");
    let mut first = 0;
    let mut puts = |until: Until| -> Result<(LoadResult, f64), Box<dyn Error>> {
        let work = Work { item_bytes: 1024, keys: u64::MAX };
        let from = first;
        let make: MakeRequest = requests::put_item("tails", work, from);
        let cpu = server.usage.cpu_us();
        let load = load::run(address, CONNECTIONS, until, &make)?;
        first += load.requests + CONNECTIONS;
        let cpu = (server.usage.cpu_us() - cpu) / load.requests.max(1) as f64;
        Ok((load, cpu))
    };
    let mut tell = |what: &str, (load, cpu): &(LoadResult, f64)| {
        let ratio = load.p99_us / load.p50_us;
        println!(
            "  {what:<48} p50 {:>7.0} us  p99 {:>7.0} us ({ratio:>4.1} x)  longest {:>7.0} us  cpu {cpu:>6.1} us  {:>8.0}/s{}",
            load.p50_us,
            load.p99_us,
            load.longest_us,
            load.rate(),
            if load.failures > 0 { format!("  {} FAILED", load.failures) } else { String::new() }
        );
        report.figure(&format!("tails: {what}: p99 over p50"), ratio);
        report.figure(&format!("tails: {what}: puts a second"), load.rate());
        report.figure(&format!("tails: {what}: CPU time in us"), *cpu);
    };
    puts(Until::Requests(10_000))?;
    tell("a small database, the log copied back meanwhile", &puts(Until::Elapsed(time))?);
    let beside_tables = beside(address, &create_tables, || puts(Until::Elapsed(time)))?;
    tell("tables created beside it", &beside_tables);
    let beside_trim = beside(address, &trim_once, || puts(Until::Elapsed(time)))?;
    tell("a trim beside it", &beside_trim);
    let records = sizes.records;
    puts(Until::Requests(records))?;
    tell(&format!("{records} more records and items"), &puts(Until::Elapsed(time))?);
    Ok(())
}

/// Does `other` again and again on a thread of its own while `work` runs.
fn beside<T>(
    address: SocketAddr,
    other: &(dyn Fn(SocketAddr, u64) -> std::io::Result<()> + Sync),
    work: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let goes_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let mut n = 0;
            while goes_on.load(Ordering::Acquire) {
                other(address, n)?;
                n += 1;
                std::thread::park_timeout(Duration::from_millis(50));
            }
            std::io::Result::Ok(())
        });
        let done = work();
        goes_on.store(false, Ordering::Release);
        beside.join().map_err(|_| "the other work panicked")??;
        done
    })
}

fn create_tables(address: SocketAddr, n: u64) -> std::io::Result<()> {
    let (target, body) = requests::create_table(&format!("beside-{n}"), BOTH, false);
    load::call(address, target, &body).map(drop)
}

/// Makes all records due that are there, and trims them.
fn trim_once(address: SocketAddr, n: u64) -> std::io::Result<()> {
    if n > 0 {
        return Ok(());
    }
    control(address, "clock/advance", r#"{"duration":"25h"}"#)
}

/// Sends a command to the control API.
fn control(address: SocketAddr, command: &str, body: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /_pretender/{command} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other(answer)) }
}

/// Starts on a new and on an existing database, and what an idle server takes.
fn starts(report: &mut Report, binary: &Path) -> Result<(), Box<dyn Error>> {
    let (mut new, mut existing, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..11 {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("start.db").display().to_string();
        let start = || -> Result<(f64, f64), Box<dyn Error>> {
            let server = Server::start(binary, &["--db", &file])?;
            let began = Instant::now();
            // Long enough for the threads that are started later.
            while began.elapsed() < Duration::from_millis(200) {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            let resident = Usage::resident_bytes(server.usage) as f64 / (1024.0 * 1024.0);
            Ok((server.first_answer.as_secs_f64() * 1e3, resident))
        };
        new.push(start()?.0);
        let (first_answer, resident) = start()?;
        existing.push(first_answer);
        idle.push(resident);
    }
    report.footprint("start to first answer, new database, median of 11", median(new.into_iter()), "ms");
    report.footprint("the same, existing database", median(existing.into_iter()), "ms");
    report.footprint("memory, idle: resident", median(idle.into_iter()), "MB");
    report.footprint("binary", std::fs::metadata(binary)?.len() as f64 / (1024.0 * 1024.0), "MB");
    Ok(())
}
