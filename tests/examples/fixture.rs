//! Writes a fixture: a database in the current format for SQLite and for PostgreSQL, with its answers.
//!
//! `cargo xtask fixture` calls it. The argument is the folder, which must not exist yet, because a fixture of a version is never
//! written a second time.
#![expect(clippy::unwrap_used, reason = "the caller sees why")]

use std::{fmt::Write as _, fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use pdb_testkit::Schema;
use pretender::Pretender;
use pretender_tests::formats::{World, answers, build};

fn main() {
    let folder = std::env::args_os().nth(1).expect("the argument is the folder of the fixture");
    let folder = Path::new(&folder);

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("fixture.db");
    let world = build(Pretender::builder().file(&file));
    let sqlite_answers = answers_of(&world);
    world.db.close();

    let schema = Schema::new().expect("a fixture needs PostgreSQL");
    let world = build(Pretender::builder().postgres(schema.url()));
    let postgres_answers = answers_of(&world);
    world.db.close();

    fs::create_dir(folder).expect("the folder is new");
    let write = |name: &str, bytes: &[u8]| write_compressed(&folder.join(name), bytes);
    write("database.sqlite.gz", &fs::read(&file).unwrap());
    write("sqlite.answers.gz", sqlite_answers.as_bytes());
    write("database.sql.gz", schema.dump().as_bytes());
    write("postgres.answers.gz", postgres_answers.as_bytes());
}

/// The time, then an exchange a line.
fn answers_of(world: &World) -> String {
    let mut text = format!("{}\n", world.now().0);
    for exchange in answers(world) {
        writeln!(text, "{}", exchange.to_json()).unwrap();
    }
    text
}

fn write_compressed(path: &Path, bytes: &[u8]) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    let compressed = encoder.finish().unwrap();
    println!("{}: {} bytes, compressed {}", path.display(), bytes.len(), compressed.len());
    fs::write(path, compressed).unwrap();
}
