//! Flips bytes anywhere in a closed file. Every answer must be correct or an error, and the check must report the damage.

use pdb_model::EpochMillis;
use pretender::Pretender;
use pretender_tests::formats::{Exchange, World};
use serde_json::{Value, json};

use crate::file::{Copy, SOUND};

/// SplitMix64: the same places each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Changes one byte, most often one that says something.
fn damage(random: &mut Random) -> (Vec<u8>, String) {
    let mut bytes = SOUND.bytes.clone();
    let mut at = random.below(bytes.len());
    while bytes[at] == 0 && random.below(20) > 0 {
        at = random.below(bytes.len());
    }
    let old = bytes[at];
    bytes[at] = match random.below(3) {
        0 => old ^ 1 << random.below(8),
        1 => !old,
        _ => old.wrapping_add(1),
    };
    let told = format!("byte {at} (page {}, {}): {old} to {}", at / 8192 + 1, at % 8192, bytes[at]);
    (bytes, told)
}

/// What came of asking a damaged database.
#[derive(Debug, Default)]
struct Outcome {
    errors: usize,
    /// What could not be answered.
    failed: Vec<String>,
    /// Answers with 200 that are not the true ones: what of it.
    wrong: Vec<String>,
}

fn ask(bytes: &[u8], now: EpochMillis) -> Outcome {
    let copy = Copy::of(bytes);
    let mut outcome = Outcome::default();
    let Ok(world) = World::try_open(Pretender::builder().file(&copy.path), now) else {
        outcome.errors = 1;
        return outcome;
    };
    for Exchange { operation, request, answer } in &SOUND.exchanges {
        let (status, mut found) = world.try_call(operation, request);
        assert!(!found.is_null(), "{operation} {request}: an answer that is no JSON, with {status}");
        let mut expected = answer.clone();
        for answer in [&mut expected, &mut found] {
            for name in ["ShardIterator", "NextShardIterator"] {
                if let Some(iterator) = answer.get_mut(name) {
                    *iterator = Value::Null;
                }
            }
        }
        match status {
            200 if found == expected => {}
            200 => outcome.wrong.push(format!("{operation} {request}: {found}")),
            _ => {
                outcome.errors += 1;
                outcome.failed.push(format!("{operation} {request}: {status} {found}"));
            }
        }
    }
    // Writes are done or refused, and nothing hangs.
    for table in ["Orders", "quiet", "states", "whole", "restored"] {
        let item = match table {
            "Orders" | "restored" => {
                json!({ "customer": { "S": "ada" }, "number": { "N": "0" }, "status": { "S": "new" } })
            }
            _ => json!({ "pk": { "S": "a" }, "n": { "N": "7" } }),
        };
        let (status, answer) = world.try_call("PutItem", &json!({ "TableName": table, "Item": item }));
        assert!(!answer.is_null() && matches!(status, 200 | 400 | 500), "{status} {answer}");
    }
    world.db.close();
    outcome
}

#[test]
fn no_damage_makes_an_answer_wrong_that_the_check_calls_sound() {
    let (mut errors, mut hidden, mut unnoticed) = (0, Vec::new(), 0);
    let rounds = pdb_testkit::rounds(200);
    for seed in 0..rounds {
        let (bytes, told) = damage(&mut Random(u64::from(seed)));
        let outcome = ask(&bytes, SOUND.now);
        let is_sound = Copy::of(&bytes).check().is_ok_and(|(report, _)| report.is_sound());
        let is_right = outcome.errors == 0 && outcome.wrong.is_empty();
        assert!(is_right || !is_sound, "seed {seed}, {told}: the check finds nothing, but {outcome:#?}");
        errors += usize::from(outcome.errors > 0);
        unnoticed += usize::from(is_right && is_sound);
        hidden.extend(outcome.wrong.iter().map(|wrong| format!("seed {seed}, {told}: {wrong:.300}")));
    }
    println!(
        "{rounds} damaged files: {errors} with errors, {unnoticed} in places that say nothing, {} wrong",
        hidden.len()
    );
    println!("{hidden:#?}");
    assert!(errors > rounds as usize / 10);
}
