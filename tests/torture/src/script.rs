//! The scripts that are killed at each of their system calls.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pretender::maintenance::{Backup, copy};
use pretender::{Durability, Pretender};
use pretender_tests::formats::World;
use serde_json::{Value, json};

use crate::campaign::{Outcome, chain, check_file};
use crate::door::Door;
use crate::history::{FILE, NOW, open};
use crate::portrait::portrait;

/// A folder with a database, which is opened when a step first needs it.
pub(crate) struct Scene {
    folder: PathBuf,
    world: Option<World>,
}

impl Scene {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), world: None }
    }

    /// A second file, which some scripts write.
    pub(crate) fn target_in(folder: &Path) -> PathBuf {
        folder.join("target.db")
    }

    fn world(&mut self) -> Outcome<&World> {
        if self.world.is_none() {
            self.world = Some(open(&self.folder, Durability::Full, 1)?);
        }
        self.world.as_ref().ok_or_else(|| unreachable!("it was just opened"))
    }

    pub(crate) fn close(&mut self) {
        if let Some(world) = self.world.take() {
            world.db.close();
        }
    }

    fn call(&mut self, operation: &str, body: Value) -> Outcome {
        self.world()?.get(operation, &body).map(drop)
    }
}

type Step = (&'static str, fn(&mut Scene) -> Outcome);

/// Some steps, each of which happens as a whole or not at all.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// Makes the database that the script begins with; none if there is no file yet.
    pub(crate) prepare: Option<fn(&World) -> Outcome>,
    pub(crate) steps: &'static [Step],
    /// What else must be true after a kill, with what is seen and how many steps have had their effect.
    pub(crate) after: Option<fn(&Path, &Value, usize) -> Outcome>,
    /// Whether a step may have removed some of the records that it removes.
    pub(crate) in_parts: bool,
    /// Whether the steps that are left can be done after the kill.
    pub(crate) goes_on: bool,
}

/// All scripts.
pub(crate) const SCRIPTS: &[Script] = &[
    Script {
        prepare: None,
        ..of(
            "start",
            &[("open", |scene| scene.world().map(drop)), ("create a table", |scene| create(scene, "Things"))],
        )
    },
    of(
        "writes",
        &[
            ("put", |scene| put(scene, "new", "1")),
            ("update", |scene| {
                scene.call(
                    "UpdateItem",
                    json!({
                "TableName": "Things", "Key": {"pk": {"S": "k1"}}, "UpdateExpression": "SET v = :v",
                "ExpressionAttributeValues": {":v": {"S": "2"}}}),
                )
            }),
            ("transaction", |scene| {
                let put = |pk: &str| json!({"Put": {"TableName": "Things", "Item": {"pk": {"S": pk}, "v": {"S": "3"}}}});
                scene.call(
                    "TransactWriteItems",
                    json!({"TransactItems": [put("k2"), put("k3"), put("k4")],
                "ClientRequestToken": "once"}),
                )
            }),
            ("delete", |scene| {
                scene.call("DeleteItem", json!({"TableName": "Things", "Key": {"pk": {"S": "k5"}}}))
            }),
        ],
    ),
    of(
        "tables",
        &[
            ("create", |scene| create(scene, "Others")),
            ("delete", |scene| scene.call("DeleteTable", json!({"TableName": "Things"}))),
        ],
    ),
    of("rotation", &[("rotate", |scene| shards(scene, false)), ("put", |scene| put(scene, "k1", "rotated"))]),
    of("split", &[("split", |scene| shards(scene, true)), ("put", |scene| put(scene, "k1", "split"))]),
    Script {
        in_parts: true,
        ..of(
            "trim",
            &[
                ("trim", |scene| {
                    let world = scene.world()?;
                    let trimmed = world.db.trim(&world.stream("Things"), None);
                    trimmed.map(drop).map_err(|error| chain(&error))
                }),
                ("put", |scene| put(scene, "k1", "trimmed")),
            ],
        )
    },
    of(
        "backfill",
        &[
            ("create an index", |scene| {
                scene.call(
                    "UpdateTable",
                    json!({
                "TableName": "Things", "AttributeDefinitions": [{"AttributeName": "v", "AttributeType": "S"}],
                "GlobalSecondaryIndexUpdates": [{"Create": {
                    "IndexName": "by-v", "Projection": {"ProjectionType": "ALL"},
                    "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}]}}]}),
                )
            }),
            ("delete it", |scene| {
                scene.call(
                    "UpdateTable",
                    json!({
                "TableName": "Things", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-v"}}]}),
                )
            }),
        ],
    ),
    of(
        "stream",
        &[
            ("off", |scene| {
                scene.call(
                    "UpdateTable",
                    json!({
                "TableName": "Things", "StreamSpecification": {"StreamEnabled": false}}),
                )
            }),
            ("put", |scene| put(scene, "k1", "unseen")),
            ("on", |scene| {
                // No two streams of a table have the same label, which is a time.
                advance(scene, 1)?;
                scene.call(
                    "UpdateTable",
                    json!({
                "TableName": "Things", "StreamSpecification": {
                    "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}),
                )
            }),
            ("put again", |scene| put(scene, "k1", "seen")),
        ],
    ),
    Script {
        goes_on: false,
        ..of(
            "backup",
            &[
                ("back up", |scene| {
                    scene.call("CreateBackup", json!({"TableName": "Things", "BackupName": "first"}))
                }),
                ("restore", |scene| {
                    let listed = scene.world()?.get("ListBackups", &json!({}))?;
                    let arn = &listed["BackupSummaries"][0]["BackupArn"];
                    scene.call(
                        "RestoreTableFromBackup",
                        json!({"TargetTableName": "Restored", "BackupArn": arn}),
                    )
                }),
            ],
        )
    },
    of(
        "ttl",
        &[
            ("turn on", |scene| {
                scene.call(
                    "UpdateTimeToLive",
                    json!({
                "TableName": "Things", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}}),
                )
            }),
            ("expire", |scene| advance(scene, 3_600)),
        ],
    ),
    Script {
        goes_on: false,
        ..of(
            "snapshot",
            &[
                ("save", |scene| saved(scene.world()?.db.save_snapshot("s"))),
                ("put", |scene| put(scene, "k1", "after the snapshot")),
                ("restore", |scene| saved(scene.world()?.db.restore_snapshot("s"))),
            ],
        )
    },
    of(
        "reset",
        &[
            ("table", |scene| {
                let name = "Things".parse().map_err(|_| "a name")?;
                scene.world()?.db.reset_table(&name).map(drop).map_err(|error| chain(&error))
            }),
            ("all", |scene| scene.world()?.db.reset().map_err(|error| chain(&error))),
        ],
    ),
    of(
        "compact",
        &[("compact", |scene| scene.world()?.db.compact().map(drop).map_err(|error| chain(&error)))],
    ),
    Script {
        after: Some(is_backup),
        ..of(
            "file-backup",
            &[("back up", |scene| {
                scene.close();
                let backup = Backup::to(Scene::target_in(&scene.folder)).replacing(true);
                let made = backup.of_file(scene.folder.join(FILE), &mut |_| ControlFlow::Continue(()));
                made.map(drop).map_err(|error| chain(&error))
            })],
        )
    },
    Script {
        after: Some(can_be_copied),
        ..of(
            "copy",
            &[("copy", |scene| {
                scene.close();
                copy_to_target(&scene.folder)
            })],
        )
    },
];

const fn of(name: &'static str, steps: &'static [Step]) -> Script {
    Script { name, prepare: Some(prepare), steps, after: None, in_parts: false, goes_on: true }
}

fn prepare(world: &World) -> Outcome {
    world.get("CreateTable", &table("Things"))?;
    for n in 0..40 {
        let item = json!({
            "pk": {"S": format!("k{n}")}, "v": {"S": format!("v{}", n % 7)}, "pad": {"S": "x".repeat(n * 40)},
            // Of some the time comes soon.
            "until": {"N": ((NOW.0 / 1000) + if n < 6 { 600 } else { 9_000_000 }).to_string()}});
        world.get("PutItem", &json!({"TableName": "Things", "Item": item}))?;
    }
    Ok(())
}

fn table(name: &str) -> Value {
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}})
}

fn create(scene: &mut Scene, name: &str) -> Outcome {
    scene.call("CreateTable", table(name))
}

fn put(scene: &mut Scene, pk: &str, value: &str) -> Outcome {
    scene.call("PutItem", json!({"TableName": "Things", "Item": {"pk": {"S": pk}, "v": {"S": value}}}))
}

fn shards(scene: &mut Scene, splits: bool) -> Outcome {
    let world = scene.world()?;
    let stream = world.stream("Things");
    let done = match splits {
        true => world.db.split_shards(&stream, None),
        false => world.db.rotate_shards(&stream, None),
    };
    done.map(drop).map_err(|error| chain(&error))
}

fn advance(scene: &mut Scene, seconds: u64) -> Outcome {
    let advanced = scene.world()?.db.advance(Duration::from_secs(seconds));
    advanced.map(drop).map_err(|error| chain(&error))
}

fn saved<T>(outcome: Result<T, pretender::testing::ControlError>) -> Outcome {
    outcome.map(drop).map_err(|error| chain(&error))
}

fn copy_to_target(folder: &Path) -> Outcome {
    let builder = |path: PathBuf| Pretender::builder().file(path).durability(Durability::Full);
    let (from, to) = (builder(folder.join(FILE)), builder(Scene::target_in(folder)));
    copy(&from, &to, &mut |_| ControlFlow::Continue(())).map(drop).map_err(|error| chain(&error))
}

/// There is no backup, or a whole one.
fn is_backup(folder: &Path, seen: &Value, done: usize) -> Outcome {
    let target = Scene::target_in(folder);
    match (target.exists(), done) {
        (true, _) => looks_like(&target, seen),
        (false, 0) => Ok(()),
        (false, _) => Err("the backup is gone".to_owned()),
    }
}

/// A copy that was killed goes on when it is asked for again, unless it is complete.
fn can_be_copied(folder: &Path, seen: &Value, done: usize) -> Outcome {
    let target = Scene::target_in(folder);
    if !target.exists() || looks_like(&target, seen).is_err() {
        if done > 0 {
            return Err("the copy was complete, and is not".to_owned());
        }
        copy_to_target(folder).map_err(|why| format!("the copy does not go on: {why}"))?;
    }
    looks_like(&target, seen)?;
    // The next attempt begins with none.
    std::fs::remove_file(target).map_err(|error| error.to_string())
}

fn looks_like(file: &Path, seen: &Value) -> Outcome {
    check_file(file)?;
    let world = World::try_open(Pretender::builder().file(file), NOW).map_err(|error| chain(&error))?;
    let found = portrait(&world)?;
    world.db.close();
    if found == *seen { Ok(()) } else { Err(format!("`{}` is not as its source", file.display())) }
}
