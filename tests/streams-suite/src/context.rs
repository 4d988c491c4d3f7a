//! The tools of a case: clients, its own tables and shared ones, and waiting with a deadline.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, Api, ApiFailure, Client};
use crate::control::Control;
use crate::outcome::{Outcome, Stop};
use crate::reader::Reader;
use crate::record::{View, merged, s};
use crate::{check, fail, moment, shown};

/// What all cases of a run share.
#[derive(Debug)]
pub struct Field {
    /// The endpoint under test.
    pub client: Client,
    /// The control interface, if there is one.
    pub control: Option<Control>,
    /// The server's binary, if cases may start it.
    pub server: Option<PathBuf>,
    /// A second region for global tables.
    pub replica_region: Option<String>,
    /// How long to wait for anything to come about.
    pub deadline: Duration,
    /// How long to wait before believing that nothing more comes.
    pub settle: Duration,
    /// What names of tables begin with.
    pub prefix: String,
    /// Whether tables stay when the cases are done.
    pub keep_tables: bool,
    next_name: AtomicU64,
    shared: Mutex<HashMap<(View, Keys), Arc<SharedTable>>>,
    shared_names: Mutex<Vec<String>>,
}

/// The primary key of a table that a case asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keys {
    /// `pk`, a string.
    Hash,
    /// `pk` and `sk`, strings.
    HashAndRange,
}

/// A table of a case, with the stream it was made with.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name.
    pub name: String,
    /// The stream's ARN; empty if the table was made without stream.
    pub stream_arn: String,
    /// The stream's label.
    pub label: String,
    /// The view type, if it has a stream.
    pub view: Option<View>,
}

/// A table that many cases write to, each under keys of its own.
#[derive(Debug)]
pub struct SharedTable {
    /// The table.
    pub table: Table,
    /// The one reader of its stream.
    pub reader: Mutex<Reader>,
}

/// What one case has at hand.
#[derive(Debug)]
pub struct Context<'a> {
    field: &'a Field,
    tables: Mutex<Vec<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Field {
    /// Gathers what the cases share; the fields may be changed before the run.
    pub fn new(client: Client) -> Field {
        Field {
            client,
            control: None,
            server: None,
            replica_region: None,
            deadline: Duration::from_secs(10),
            settle: Duration::from_millis(20),
            prefix: format!("streams-suite-{:x}", moment::now_millis()),
            keep_tables: false,
            next_name: AtomicU64::new(0),
            shared: Mutex::default(),
            shared_names: Mutex::default(),
        }
    }

    /// Removes the tables that cases shared.
    pub fn clean_up(&self) {
        let names = std::mem::take(&mut *locked(&self.shared_names));
        self.delete_tables(&names);
    }

    /// Deletes the tables of all earlier runs; returns how many there were.
    pub fn delete_leftovers(&self) -> Outcome<usize> {
        let mut names: Vec<String> = Vec::new();
        let mut request = json!({});
        loop {
            let answer = self.client.ok(Api::DynamoDb, "ListTables", &request)?;
            let page = answer["TableNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
            names.extend(page.filter(|name| name.starts_with("streams-suite-")).map(str::to_owned));
            match answer["LastEvaluatedTableName"].as_str() {
                Some(last) => request["ExclusiveStartTableName"] = last.into(),
                None => break,
            }
        }
        self.delete_tables(&names);
        Ok(names.len())
    }

    fn delete_tables(&self, names: &[String]) {
        if self.keep_tables {
            return;
        }
        let started = Instant::now();
        for name in names {
            // A table that is being created or changed refuses; then it is tried again.
            while let Ok(failure) =
                self.client.refused(Api::DynamoDb, "DeleteTable", &json!({"TableName": name}))
            {
                if failure.kind != "ResourceInUseException" || started.elapsed() > self.deadline {
                    break;
                }
                moment::pause(Duration::from_millis(500));
            }
        }
    }
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        let names = std::mem::take(&mut *locked(&self.tables));
        self.field.delete_tables(&names);
    }
}

impl<'a> Context<'a> {
    /// Makes the surroundings of one case; its tables go when it is dropped.
    pub fn new(field: &'a Field) -> Context<'a> {
        Context { field, tables: Mutex::default() }
    }

    /// Returns what all cases share.
    pub fn field(&self) -> &'a Field {
        self.field
    }

    /// Returns the client.
    pub fn client(&self) -> &'a Client {
        &self.field.client
    }

    /// Returns the control interface.
    pub fn control(&self) -> Outcome<&'a Control> {
        self.field.control.as_ref().ok_or_else(|| Stop::Skipped("no control interface".into()))
    }

    /// Calls a table operation that must succeed.
    pub fn db(&self, operation: &str, body: Value) -> Outcome<Value> {
        self.client().ok(Api::DynamoDb, operation, &body)
    }

    /// Calls a table operation that must be refused.
    pub fn db_refused(&self, operation: &str, body: Value) -> Outcome<ApiFailure> {
        self.client().refused(Api::DynamoDb, operation, &body)
    }

    /// Calls a table operation, whatever comes of it.
    pub fn db_answer(&self, operation: &str, body: Value) -> Outcome<Answer> {
        self.client().call(Api::DynamoDb, operation, &body)
    }

    /// Calls a stream operation that must succeed.
    pub fn streams(&self, operation: &str, body: Value) -> Outcome<Value> {
        self.client().ok(Api::Streams, operation, &body)
    }

    /// Calls a stream operation that must be refused.
    pub fn streams_refused(&self, operation: &str, body: Value) -> Outcome<ApiFailure> {
        self.client().refused(Api::Streams, operation, &body)
    }

    /// Asks again and again until there is an answer, or the deadline has passed.
    pub fn wait<T>(&self, what: &str, mut ask: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
        let started = Instant::now();
        let mut wait = Duration::from_millis(4);
        loop {
            if let Some(answer) = ask()? {
                return Ok(answer);
            }
            check!(
                started.elapsed() < self.field.deadline,
                "waited {:?} in vain for {what}",
                self.field.deadline
            );
            moment::pause(wait);
            wait = (wait * 2).min(Duration::from_millis(500));
        }
    }

    /// Waits as long as it takes to believe that nothing more comes.
    pub fn settle(&self) {
        moment::pause(self.field.settle);
    }

    /// Returns a name that no other table and no other item has.
    pub fn unique(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.field.prefix, self.field.next_name.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns a new table's name; a table of this name is removed when the case ends.
    pub fn table_name(&self) -> String {
        let name = self.unique("t");
        locked(&self.tables).push(name.clone());
        name
    }

    /// Makes a table with a stream and waits until both are ready.
    pub fn table(&self, view: View, keys: Keys) -> Outcome<Table> {
        self.create(&self.table_name(), Some(view), keys, json!({}))
    }

    /// Makes a table without stream and waits until it is ready.
    pub fn plain_table(&self, keys: Keys) -> Outcome<Table> {
        self.create(&self.table_name(), None, keys, json!({}))
    }

    /// Makes a table, with further members of the request, and waits until it and its stream are ready.
    pub fn create(&self, name: &str, view: Option<View>, keys: Keys, more: Value) -> Outcome<Table> {
        self.db("CreateTable", merged(&create_request(name, view, keys), &more))?;
        self.ready(name)
    }

    /// Waits until a table is active, and its stream, if it has one, enabled and with shards.
    pub fn ready(&self, name: &str) -> Outcome<Table> {
        let description = self.wait_active(name)?;
        let text = |member: &str| description[member].as_str().unwrap_or_default().to_owned();
        let view_name = description["StreamSpecification"]["StreamViewType"].as_str();
        let view = View::ALL.into_iter().find(|view| Some(view.name()) == view_name);
        let table = Table {
            name: name.into(),
            stream_arn: text("LatestStreamArn"),
            label: text("LatestStreamLabel"),
            view,
        };
        if view.is_some() {
            check!(!table.stream_arn.is_empty(), "no LatestStreamArn in {}", shown(&description));
            self.wait_stream_status(&table.stream_arn, "ENABLED")?;
            self.wait("a shard", || Ok((!self.shards(&table.stream_arn)?.is_empty()).then_some(())))?;
        }
        Ok(table)
    }

    /// Waits until a table is active; returns its description.
    pub fn wait_active(&self, name: &str) -> Outcome<Value> {
        self.wait("an ACTIVE table", || {
            let description = self.describe_table(name)?;
            Ok((description["TableStatus"] == "ACTIVE").then_some(description))
        })
    }

    /// Returns a table's description.
    pub fn describe_table(&self, name: &str) -> Outcome<Value> {
        Ok(self.db("DescribeTable", json!({"TableName": name}))?["Table"].take())
    }

    /// Returns a stream's description, with the first page of its shards.
    pub fn describe_stream(&self, stream_arn: &str) -> Outcome<Value> {
        Ok(self.streams("DescribeStream", json!({"StreamArn": stream_arn}))?["StreamDescription"].take())
    }

    /// Waits until a stream has a status.
    pub fn wait_stream_status(&self, stream_arn: &str, status: &str) -> Outcome<Value> {
        self.wait(&format!("a stream in status {status}"), || {
            let description = self.describe_stream(stream_arn)?;
            Ok((description["StreamStatus"] == status).then_some(description))
        })
    }

    /// Enables a stream on a table and waits until it is ready.
    pub fn enable(&self, name: &str, view: View) -> Outcome<Table> {
        self.db("UpdateTable", json!({"TableName": name, "StreamSpecification": stream_on(view)}))?;
        self.ready(name)
    }

    /// Disables a table's stream and waits until it is closed.
    pub fn disable(&self, table: &Table) -> Outcome {
        self.db(
            "UpdateTable",
            json!({"TableName": table.name, "StreamSpecification": {"StreamEnabled": false}}),
        )?;
        self.wait_active(&table.name)?;
        self.wait_stream_status(&table.stream_arn, "DISABLED").map(drop)
    }

    /// Deletes a table and waits until it is gone.
    pub fn delete_table(&self, name: &str) -> Outcome<Value> {
        let answer = self.db("DeleteTable", json!({"TableName": name}))?;
        self.wait("the table to be gone", || {
            let answer = self.db_answer("DescribeTable", json!({"TableName": name}))?;
            Ok(answer.failure().is_some_and(|e| e.kind == "ResourceNotFoundException").then_some(()))
        })?;
        Ok(answer)
    }

    /// Returns a table that other cases use too; each writes under [keys of its own](Context::own_key).
    pub fn shared(&self, view: View, keys: Keys) -> Outcome<Arc<SharedTable>> {
        // The lock is held while the table is made, so that it is made once.
        let mut shared = locked(&self.field.shared);
        if let Some(table) = shared.get(&(view, keys)) {
            return Ok(table.clone());
        }
        let name = self.unique("shared");
        locked(&self.field.shared_names).push(name.clone());
        let table = self.create(&name, Some(view), keys, json!({}))?;
        let reader = Mutex::new(Reader::new(&table.stream_arn));
        let table = Arc::new(SharedTable { table, reader });
        shared.insert((view, keys), table.clone());
        Ok(table)
    }

    /// Returns a key that no other case uses.
    pub fn own_key(&self, keys: Keys) -> Value {
        let hash = json!({"pk": s(self.unique("k"))});
        match keys {
            Keys::Hash => hash,
            Keys::HashAndRange => merged(&hash, &json!({"sk": s("r")})),
        }
    }

    /// Puts an item.
    pub fn put(&self, table: &str, item: Value) -> Outcome {
        self.db("PutItem", json!({"TableName": table, "Item": item})).map(drop)
    }

    /// Deletes an item.
    pub fn delete(&self, table: &str, key: &Value) -> Outcome {
        self.db("DeleteItem", json!({"TableName": table, "Key": key})).map(drop)
    }

    /// Updates an item by expression.
    pub fn update(&self, table: &str, key: &Value, expression: &str, values: Value) -> Outcome<Value> {
        let mut request = json!({"TableName": table, "Key": key, "UpdateExpression": expression});
        if values.as_object().is_some_and(|values| !values.is_empty()) {
            request["ExpressionAttributeValues"] = values;
        }
        self.db("UpdateItem", request)
    }

    /// Returns the only shard of a stream, or that which holds the records of an item, when the stream has several.
    pub fn shard_of(&self, stream_arn: &str, keys: &Value) -> Outcome<String> {
        let mut reader = Reader::new(stream_arn);
        self.read_until(&mut reader, "a record of the item", |reader| !reader.records_of(keys).is_empty())?;
        let by_shard = reader.by_shard();
        let holds = |records: &Vec<crate::Record>| records.iter().any(|record| record.keys() == keys);
        match by_shard.iter().find(|(_, records)| holds(records)) {
            Some((id, _)) => Ok(id.clone()),
            None => fail!("no shard holds records of {keys}"),
        }
    }
}

/// Returns a request to create a table.
pub(crate) fn create_request(name: &str, view: Option<View>, keys: Keys) -> Value {
    let (mut attributes, mut schema) = (
        vec![json!({"AttributeName": "pk", "AttributeType": "S"})],
        vec![json!({"AttributeName": "pk", "KeyType": "HASH"})],
    );
    if keys == Keys::HashAndRange {
        attributes.push(json!({"AttributeName": "sk", "AttributeType": "S"}));
        schema.push(json!({"AttributeName": "sk", "KeyType": "RANGE"}));
    }
    let mut request = json!({
        "TableName": name, "AttributeDefinitions": attributes, "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST",
    });
    if let Some(view) = view {
        request["StreamSpecification"] = stream_on(view);
    }
    request
}

/// Returns the specification that enables a stream.
pub(crate) fn stream_on(view: View) -> Value {
    json!({"StreamEnabled": true, "StreamViewType": view.name()})
}
