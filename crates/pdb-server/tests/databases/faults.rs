//! What goes wrong between servers and their database, and in it. Writers see nothing but retryable errors, servers go on by
//! themselves, and nothing that was acknowledged is lost.

use std::time::{Duration, Instant};

use pdb_testpg::{Failure, Proxy, Server, ServerOptions, Stop};
use serde_json::{Value, json};

use crate::http;
use crate::load::Load;
use crate::processes::port_of;
use crate::reader::Reader;
use crate::served::Served;

/// A PostgreSQL of the test's own, to be treated badly.
fn database(options: &ServerOptions) -> Option<Server> {
    match Server::start(options) {
        Ok(server) => Some(server),
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
            None
        }
        Err(failure) => panic!("{failure}"),
    }
}

/// Runs `trouble` while writers write through all servers, then checks that every put is there once.
fn under_load(servers: &mut [Served], trouble: impl FnOnce(&Load)) -> u64 {
    let stream_arn = Load::table(&servers[0]);
    let load = Load::default();
    let urls: Vec<&str> = servers.iter().map(|served| served.url.as_str()).collect();
    std::thread::scope(|scope| {
        let (load, urls) = (&load, &urls);
        let writers: Vec<_> =
            (0..4).map(|writer| scope.spawn(move || load.write(writer, urls, u64::MAX))).collect();
        // Whatever the trouble finds wrong, the writers end.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            load.wait_for(20);
            trouble(load);
            load.wait_for(40);
        }));
        load.stop();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    for served in &mut *servers {
        assert!(served.is_alive());
        load.check(served, &Reader::all(served, &stream_arn));
    }
    load.retries.into_inner()
}

#[test]
fn a_database_that_is_stopped_killed_and_started_again() {
    let Some(mut database) = database(&ServerOptions::default()) else { return };
    let mut servers = [Served::start(&database.url(), &[]), Served::start(&database.url(), &[])];
    under_load(&mut servers, |load| {
        for how in [Stop::Fast, Stop::Immediate, Stop::Kill] {
            database.stop(how).unwrap();
            database.start_again().unwrap();
            load.wait_for(20);
        }
    });
}

#[test]
fn connections_that_are_cut_in_the_middle_of_a_commit() {
    let Some(database) = database(&ServerOptions::default()) else { return };
    let proxy = Proxy::to(database.port());
    let url = proxy.instead_of(&database.url(), database.port());
    let mut servers = [Served::start(&url, &["--shards", "2"]), Served::start(&url, &[])];
    under_load(&mut servers, |load| {
        // Of each ten commits one is lost: half of these before, half after the database has done them.
        proxy.cut_commits(10);
        load.wait_for(150);
        proxy.cut_commits(0);
        for _ in 0..3 {
            proxy.cut_all();
            load.wait_for(20);
        }
    });
    assert!(proxy.cuts() > 5, "{} commits were cut", proxy.cuts());
}

#[test]
fn a_database_that_has_no_connection_left() {
    // Three are kept for the superuser, whom the server is not to be.
    let options = ServerOptions::default().with_setting("max_connections", "8");
    let Some(database) = database(&options) else { return };
    database.sql("CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA public TO app").unwrap();
    let url = database.url().replace("postgres@", "app@");
    let mut servers = [Served::start(&url, &[]), Served::start(&url, &[])];
    under_load(&mut servers, |load| load.wait_for(100));
}

#[test]
fn a_statement_that_takes_too_long() {
    let Some(database) = database(&ServerOptions::default()) else { return };
    let mut servers = [Served::start(&database.url(), &[])];
    under_load(&mut servers, |load| {
        database.sql("ALTER ROLE postgres SET statement_timeout = '200ms'").unwrap();
        // Sessions that are there keep their settings: have them made anew.
        database
            .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            .unwrap();
        load.wait_for(20);
        // All statements on the table wait for this one, and are broken off.
        let lock = "BEGIN; LOCK TABLE \"pdb_item_x\" IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT";
        let table = database.sql("SELECT item_table FROM pdb_metadata").unwrap();
        database
            .sql(&format!("SET statement_timeout = 0; {}", lock.replace("pdb_item_x", table.trim())))
            .unwrap();
        load.wait_for(20);
    });
}

#[test]
fn a_standby_cannot_be_written_and_is_left_for_the_primary() {
    let Some(primary) = database(&ServerOptions::default()) else { return };
    let served = Served::start(&primary.url(), &[]);
    let stream_arn = Load::table(&served);
    let load = Load::default();
    load.write(0, &[&served.url], 5);
    let standby = primary.standby("second", &ServerOptions::default()).unwrap();
    // The standby alone is no database to serve from.
    let refused =
        crate::served::pretender(&["serve", "--port", "0", "--db", &standby.url()]).output().unwrap();
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && stderr.starts_with("pretender: "), "{stderr}");
    // It may have said before that it goes on trying.
    assert!(stderr.lines().last().unwrap().contains("does not allow writes"), "{stderr}");
    // With the primary behind it in the list, that is found.
    let both = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        standby.port(),
        primary.port()
    );
    let served = Served::start(&both, &[]);
    assert_eq!(Reader::all(&served, &stream_arn).len(), 5);
    load.check(&served, &Reader::all(&served, &stream_arn));
}

/// The primary is killed under load, its synchronous standby takes over: every acknowledged write is there.
#[test]
fn a_synchronous_standby_that_is_promoted_under_load() {
    let Some(mut primary) = database(&ServerOptions::default().with_fsync()) else { return };
    let mut standby = primary.standby("second", &ServerOptions::default().with_fsync()).unwrap();
    primary.set("synchronous_standby_names", "second").unwrap();
    let is_synchronous =
        || primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").unwrap() == "1";
    let began = Instant::now();
    while !is_synchronous() {
        assert!(began.elapsed() < Duration::from_secs(60), "the standby does not follow");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let both = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write&connect_timeout=5",
        primary.port(),
        standby.port()
    );
    let mut servers = [Served::start(&both, &[]), Served::start(&both, &[])];
    under_load(&mut servers, |load| {
        load.wait_for(50);
        primary.stop(Stop::Kill).unwrap();
        standby.promote().unwrap();
        load.wait_for(50);
    });
    assert_eq!(port_of(&standby.url()), standby.port());
}

/// With no database for longer than a server waits, clients are told to try again, at once for reads of what is not there.
#[test]
fn without_a_database_every_answer_says_try_again() {
    let Some(mut database) = database(&ServerOptions::default()) else { return };
    let served = Served::start(&database.url(), &[]);
    Load::table(&served);
    database.stop(Stop::Immediate).unwrap();
    let key = json!({"pk": {"S": "a"}});
    let calls: [(&str, Value); 5] = [
        ("PutItem", json!({"TableName": "Load", "Item": key})),
        ("GetItem", json!({"TableName": "Load", "Key": key})),
        ("ListTables", json!({})),
        ("ListStreams", json!({})),
        (
            "CreateTable",
            json!({
            "TableName": "More", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}),
        ),
    ];
    std::thread::scope(|scope| {
        for (operation, body) in &calls {
            let served = &served;
            scope.spawn(move || {
                let (status, answer) =
                    http::call(&served.url, &crate::served::target(operation), body).unwrap();
                assert!(
                    status >= 500 && http::is_retryable(status, &answer),
                    "{operation}: {status} {answer}"
                );
            });
        }
    });
    database.start_again().unwrap();
    for (operation, body) in calls {
        served.ok(operation, body);
    }
}
