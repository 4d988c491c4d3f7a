//! A database file with all kinds of rows, and functions that damage copies of it.

use std::{fs, path::PathBuf, sync::LazyLock};

use pretender::Pretender;
use pretender::errors::StoreError;
use pretender::maintenance::{CheckEvent, CheckReport, Finding, check};
use pretender::time::EpochMillis;
use pretender_tests::formats::{Exchange, answers, build};
use serde_json::json;

/// A sound file, and what it answers.
pub(crate) struct Sound {
    pub(crate) bytes: Vec<u8>,
    pub(crate) now: EpochMillis,
    pub(crate) exchanges: Vec<Exchange>,
}

/// Made once for all tests.
pub(crate) static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.db");
    let world = build(Pretender::builder().file(&path));
    // A stream, and a history, that have every change of their table.
    world.call(
        "CreateTable",
        &json!({
            "TableName": "whole",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    );
    let recovery = json!({ "PointInTimeRecoveryEnabled": true });
    world.call(
        "UpdateContinuousBackups",
        &json!({ "TableName": "whole", "PointInTimeRecoverySpecification": recovery }),
    );
    for (pk, n) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1")] {
        let item = json!({ "pk": { "S": pk }, "n": { "N": n } });
        world.call("PutItem", &json!({ "TableName": "whole", "Item": item }));
    }
    world.call("DeleteItem", &json!({ "TableName": "whole", "Key": { "pk": { "S": "c" } } }));
    let (now, exchanges) = (world.now(), answers(&world));
    world.db.close();
    Sound { bytes: fs::read(&path).unwrap(), now, exchanges }
});

/// A copy of the sound file.
pub(crate) struct Copy {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Copy {
    pub(crate) fn new() -> Self {
        Self::of(&SOUND.bytes)
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.db");
        fs::write(&path, bytes).unwrap();
        Self { _folder: folder, path }
    }

    /// Does something to the copy that our own code would not.
    pub(crate) fn sql(&self, sql: &str) {
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    pub(crate) fn check(&self) -> Result<(CheckReport, Vec<Finding>), StoreError> {
        findings_of(&Pretender::builder().file(&self.path))
    }
}

pub(crate) fn findings_of(builder: &pretender::Builder) -> Result<(CheckReport, Vec<Finding>), StoreError> {
    let mut findings = Vec::new();
    let report = check(builder, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            findings.push(finding);
        }
    })?;
    Ok((report, findings))
}
