//! How long writes with capture and reads take: `cargo run --release -p pdb-capture --example timing [file]`.
//!
//! Without a file the database is in memory. Figures are microseconds an operation, for items of 1 KB and a
//! stream with both images: wall time, and (on Linux) CPU time of all threads, which is steadier on a busy machine.

use std::time::Instant;

use pdb_capture::{CaptureError, enable_stream, lock_item, write_item};
use pdb_model::{
    Account, AttributeValue, Env, Item, KeyAttribute, KeySchema, ScalarType, StreamLabel, StreamViewType,
    TableDefinition, TableName,
};
use pdb_store::{Durability, Store, StoreError, StoreOptions, Tx};

const ITEMS: u64 = 20_000;

fn item(i: u64, round: u64) -> Item {
    let n = (i * 7919) % ITEMS;
    Item::new()
        .with("pk", format!("customer-{n:08}"))
        .with("round", AttributeValue::from(round as i64))
        .with("name", "x".repeat(400))
        .with("address", "y".repeat(500))
}

fn put(env: &Env, tx: &mut Tx<'_>, name: &TableName, item: &Item) -> Result<(), CaptureError> {
    let table = tx.table(name)?;
    let key = table.definition.key_schema.extract(item).expect("the item has its key");
    let locked = lock_item(tx, &table, &key)?;
    write_item(env, tx, &table, locked, Some(item), None)?;
    Ok(())
}

struct Start {
    wall: Instant,
    cpu: f64,
}

impl Start {
    fn now() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }
}

/// The CPU time of this process's threads that are alive.
fn cpu_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let spent = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1e9
}

fn report(what: &str, operations: u64, start: Start) {
    let each = |seconds: f64| seconds * 1e6 / operations as f64;
    let (wall, cpu) = (each(start.wall.elapsed().as_secs_f64()), each(cpu_seconds() - start.cpu));
    println!("{what:<40} {wall:>8.2} us wall {cpu:>8.2} us CPU");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let options = arguments.next().map_or_else(StoreOptions::memory, StoreOptions::file);
    let options = options.with_durability(if arguments.next().is_some() {
        Durability::Full
    } else {
        Durability::Normal
    });
    let store = Store::open(&options)?;
    let env = Env::default();
    let name: TableName = "orders".parse()?;
    let key = KeySchema::simple(KeyAttribute { name: "pk".to_owned(), scalar_type: ScalarType::S }, None);
    let definition = TableDefinition::minimal(name.clone(), "id".to_owned(), env.clock.now(), key);
    let setup = env.clone();
    store.write(move |tx| {
        let table = tx.create_table(&definition)?;
        let arn = Account::default().stream_arn(table.name(), &StreamLabel::at(setup.clock.now()));
        enable_stream(&setup, tx, &table, &arn, StreamViewType::NewAndOldImages, 1)
    })?;

    let start = Start::now();
    for i in 0..ITEMS {
        std::hint::black_box(pdb_model::EncodedItem::from(&item(i, 0)));
    }
    report("(making and encoding an item)", ITEMS, start);

    for (what, round) in [("insert, one commit each", 1), ("replace, one commit each", 2)] {
        let start = Start::now();
        let mut each = Vec::new();
        for i in 0..ITEMS {
            let (env, name, item) = (env.clone(), name.clone(), item(i, round));
            let begun = Instant::now();
            store.write(move |tx| put(&env, tx, &name, &item))?;
            each.push(begun.elapsed());
        }
        report(what, ITEMS, start);
        each.sort();
        let part = |part: f64| each[((each.len() - 1) as f64 * part) as usize];
        println!(
            "  half within {:?}, 99 % {:?}, 99.9 % {:?}, all {:?}",
            part(0.5),
            part(0.99),
            part(0.999),
            part(1.0)
        );
    }
    for size in [4, 16, 64] {
        let start = Start::now();
        let mut pending = std::collections::VecDeque::new();
        for i in 0..ITEMS {
            let (env, name, item) = (env.clone(), name.clone(), item(i, 2 + size));
            pending.push_back(store.submit(move |tx| put(&env, tx, &name, &item)));
            if pending.len() as u64 == size {
                pending.pop_front().expect("one is waiting").wait()?;
            }
        }
        for pending in pending {
            pending.wait()?;
        }
        report(&format!("replace, {size} in flight"), ITEMS, start);
    }
    for threads in [2, 8] {
        let start = Start::now();
        // CPU time is taken while the threads are still there.
        let (done, end) =
            (std::sync::Barrier::new(threads as usize + 1), std::sync::Barrier::new(threads as usize + 1));
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (store, env, name, done, end) = (&store, &env, &name, &done, &end);
                scope.spawn(move || {
                    for i in (thread..ITEMS).step_by(threads as usize) {
                        let (env, name, item) = (env.clone(), name.clone(), item(i, 100 + threads));
                        store.write(move |tx| put(&env, tx, &name, &item)).expect("a write");
                    }
                    done.wait();
                    end.wait();
                });
            }
            done.wait();
            report(&format!("replace, {threads} threads that wait"), ITEMS, start);
            end.wait();
        });
    }
    let start = Start::now();
    for i in 0..ITEMS {
        let item = item(i, 0);
        let found = store.read(|tx| {
            let table = tx.table(&name)?;
            let key = table.definition.key_schema.extract(&item).expect("the item has its key");
            tx.get_item(&table, &key.encode())
        });
        let found: Result<_, StoreError> = found;
        assert!(found?.is_some());
    }
    report("get (with making the item)", ITEMS, start);
    let start = Start::now();
    let mut records = 0;
    store.read(|tx| {
        let stream = tx.streams(Some(&name))?.remove(0);
        tx.records(&stream, 1, 0, &mut |record| {
            records += 1;
            std::hint::black_box(record.keys.len());
            std::ops::ControlFlow::Continue(())
        })
    })?;
    report("read a stream record", records, start);
    let start = Start::now();
    let mut items = 0;
    store.read(|tx| {
        let table = tx.table(&name)?;
        let range = pdb_store::KeyRange::all();
        tx.scan(&table, None, &range, pdb_store::Direction::Forward, &mut |row| {
            items += 1;
            std::hint::black_box(row.json.len());
            std::ops::ControlFlow::Continue(())
        })
    })?;
    report("scan an item", items, start);
    Ok(())
}
