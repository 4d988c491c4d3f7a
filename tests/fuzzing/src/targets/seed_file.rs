//! Files that define tables and items, in all the formats that a user may bring.

use std::fs;

use pdb_seed::Seeding;

use crate::Source;
use crate::database::{self, Live};

/// The names of files, of which the ending says something about the content.
const SCHEMAS: [&str; 5] = ["schema.json", "template.yml", "serverless.yml", "plan.json", "a.template"];
const SEEDS: [&str; 4] = ["Orders.json", "Orders.jsonl", "Plain.json.gz", "New.ndjson"];

pub(crate) fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let folder = tempfile::tempdir().unwrap();
    let (schema, seed) = (folder.path().join(source.pick(&SCHEMAS)), folder.path().join(source.pick(&SEEDS)));
    let has_schema = source.once_in(2);
    let rest = source.rest();
    let mut seeding = Seeding::new().variable("Stage", "dev").variable("opt:stage", "dev");
    if has_schema {
        // A zero byte is in no text file, so it can stand between the two files.
        let at = rest.iter().position(|byte| *byte == 0);
        let (of_schema, of_seed) = at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
        fs::write(&schema, of_schema).unwrap();
        seeding = seeding.schema(&schema);
        if let Some(of_seed) = of_seed {
            fs::write(&seed, of_seed).unwrap();
            seeding = seeding.seed(&seed);
        }
    } else {
        fs::write(&seed, rest).unwrap();
        seeding = seeding.seed(&seed);
    }
    let live = Live::new();
    let applied = seeding.apply(live.db());
    if let Err(error) = &applied {
        let message = error.to_string();
        assert!(
            message.len() <= 2 * input.len() + 4_096,
            "{} bytes about a file of {} bytes",
            message.len(),
            input.len()
        );
    }
    database::check_sound(live.db());
    database::check_replay(&live.wire, "Orders");
    if applied.is_ok() {
        // What was defined is there now, so that the second time nothing is to be done.
        let again = seeding.apply(live.db());
        let created = again.unwrap_or_else(|error| panic!("the second time: {error}")).created;
        assert!(created.is_empty(), "{created:?} were created twice");
    }
}
