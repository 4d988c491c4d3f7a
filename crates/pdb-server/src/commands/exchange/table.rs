//! What has to be known of a table, and the two places where it can be: an opened database, and a server.

use std::collections::BTreeMap;
use std::error::Error;

use pdb_model::{Operation, ScalarType, TableName};
use pdb_wire::{Reply, Request, Wire};
use pretender::{Builder, Pretender};
use serde_json::{Value, json};

use crate::client::{Api, Connection, Service};
use crate::commands::MEMORY;
use crate::commands::database::{WaitNotice, check_exists, is_like_memory};

/// Where tables are.
#[derive(Debug)]
pub(super) enum Tables {
    /// In a database that this process has opened.
    Opened(Pretender),
    /// At an endpoint.
    Endpoint(Api),
}

/// What has to be known of a table.
#[derive(Clone, Debug)]
pub(super) struct TableInfo {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) id: String,
    pub(super) item_count: u64,
    pub(super) size_bytes: u64,
    /// The attributes of the key.
    pub(super) key: Vec<(String, ScalarType)>,
    /// The types of the attributes of all keys, also of indexes.
    pub(super) types: BTreeMap<String, ScalarType>,
    description: Value,
}

/// How a call of an operation fails.
#[derive(Debug)]
struct Failure {
    is_not_found: bool,
    text: String,
}

impl Tables {
    /// Opens the database of `--db`, or connects to the server of `--endpoint`.
    pub(super) fn open(
        db: Option<&str>,
        connection: &Connection,
        table: &str,
        may_create: bool,
    ) -> Result<Self, Box<dyn Error>> {
        let Some(db) = db else { return Ok(Self::Endpoint(connection.api(&[table])?)) };
        if db == MEMORY || is_like_memory(db) {
            let text =
                "a database in memory can only be reached through its server: use --endpoint instead of --db";
            return Err(text.into());
        }
        let builder = Pretender::builder().try_database(db)?.sweep_interval(None);
        if !builder.is_on_server() && !may_create {
            check_exists(db)?;
        }
        Ok(Self::Opened(opened(builder)?))
    }

    /// Returns the name of a table that is given by name or ARN, for a database that is opened.
    pub(super) fn name(table: &str) -> Result<TableName, Box<dyn Error>> {
        let name =
            table.split_once(":table/").filter(|_| table.starts_with("arn:")).map_or(table, |(_, name)| name);
        TableName::new(name).map_err(|error| format!("`{table}`: {error}").into())
    }

    /// Returns a table, or `None` if it does not exist.
    pub(super) fn find(&self, table: &str) -> Result<Option<TableInfo>, Box<dyn Error>> {
        match self.call(Operation::DescribeTable, &json!({ "TableName": table })) {
            Ok(mut answer) => Ok(Some(TableInfo::new(answer["Table"].take())?)),
            Err(failure) if failure.is_not_found => Ok(None),
            Err(failure) => Err(failure.text.into()),
        }
    }

    /// Returns the error for a table that does not exist.
    pub(super) fn missing(&self, table: &str, advice: &str) -> Box<dyn Error> {
        match self {
            Self::Opened(_) => format!("there is no table `{table}`{advice}").into(),
            Self::Endpoint(api) => format!("{}{advice}", api.no_such_table(table)).into(),
        }
    }

    /// Creates a table, and waits until it is ready.
    pub(super) fn create(&self, definition: &Value) -> Result<TableInfo, Box<dyn Error>> {
        let name = definition["TableName"].as_str().unwrap_or_default().to_owned();
        let created = self.call(Operation::CreateTable, definition);
        created.map_err(|failure| format!("the table `{name}` cannot be created: {}", failure.text))?;
        for tries in 1.. {
            match self.find(&name)? {
                Some(table) if table.description["TableStatus"] == "ACTIVE" => return Ok(table),
                _ if tries > 100 => break,
                _ => std::thread::park_timeout(crate::client::pause(tries)),
            }
        }
        Err(format!("the table `{name}` does not become ACTIVE").into())
    }

    fn call(&self, operation: Operation, input: &Value) -> Result<Value, Failure> {
        match self {
            Self::Opened(db) => {
                let wire = Wire::new(db.without_transitions());
                let Reply::Answer(answer) = wire.call(Request::of(operation, input.to_string())) else {
                    return Err(Failure { is_not_found: false, text: "the call was dropped".to_owned() });
                };
                let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                if answer.status == 200 {
                    return Ok(value);
                }
                let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
                Err(Failure {
                    is_not_found: text("__type").ends_with("#ResourceNotFoundException"),
                    text: [text("message"), text("Message")].concat(),
                })
            }
            Self::Endpoint(api) => {
                api.call(Service::DynamoDb, operation.name(), input).map_err(|failure| Failure {
                    is_not_found: failure.code() == Some("ResourceNotFoundException"),
                    text: failure.to_string(),
                })
            }
        }
    }
}

fn opened(builder: Builder) -> Result<Pretender, Box<dyn Error>> {
    let waiting = WaitNotice::begin(&builder);
    let opened = builder.open();
    drop(waiting);
    opened.map_err(|error| {
        let is_in_use = error.to_string().contains("is in use by");
        if is_in_use {
            return format!("{error}: if a server has the database open, use --endpoint instead of --db")
                .into();
        }
        error.into()
    })
}

impl TableInfo {
    fn new(description: Value) -> Result<Self, Box<dyn Error>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut types = BTreeMap::new();
        for definition in description["AttributeDefinitions"].as_array().into_iter().flatten() {
            let scalar_type = match definition["AttributeType"].as_str() {
                Some("N") => ScalarType::N,
                Some("B") => ScalarType::B,
                _ => ScalarType::S,
            };
            types.insert(text(&definition["AttributeName"]), scalar_type);
        }
        let elements = description["KeySchema"].as_array().into_iter().flatten();
        let key: Vec<_> = elements
            .map(|element| text(&element["AttributeName"]))
            .map(|name| (name.clone(), types.get(&name).copied().unwrap_or(ScalarType::S)))
            .collect();
        if key.is_empty() {
            return Err("the description of the table has no key".into());
        }
        Ok(Self {
            name: text(&description["TableName"]),
            arn: text(&description["TableArn"]),
            id: text(&description["TableId"]),
            item_count: description["ItemCount"].as_u64().unwrap_or_default(),
            size_bytes: description["TableSizeBytes"].as_u64().unwrap_or_default(),
            key,
            types,
            description,
        })
    }

    /// Creates an empty table with the same keys in a database in memory, to try writes against.
    pub(super) fn trial(&self) -> Result<Pretender, Box<dyn Error>> {
        let mut definition = json!({
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": self.description["AttributeDefinitions"],
            "KeySchema": self.description["KeySchema"],
        });
        for list in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"] {
            let indexes: Vec<Value> =
                self.description[list].as_array().into_iter().flatten().map(index).collect();
            if !indexes.is_empty() {
                definition[list] = indexes.into();
            }
        }
        let db = Pretender::builder().in_memory().sweep_interval(None).open()?;
        Tables::Opened(db.clone()).create(&definition)?;
        Ok(db)
    }
}

/// Returns the part of an index that a definition has.
fn index(described: &Value) -> Value {
    json!({
        "IndexName": described["IndexName"],
        "KeySchema": described["KeySchema"],
        "Projection": described["Projection"],
    })
}

/// Returns the definition of a table with this key.
pub(super) fn definition(name: &TableName, key: &[(String, ScalarType)]) -> Value {
    let definitions: Vec<Value> = key
        .iter()
        .map(|(name, scalar_type)| json!({ "AttributeName": name, "AttributeType": scalar_type.name() }))
        .collect();
    let elements: Vec<Value> = key
        .iter()
        .zip(["HASH", "RANGE"])
        .map(|((name, _), role)| json!({ "AttributeName": name, "KeyType": role }))
        .collect();
    json!({
        "TableName": name.as_str(),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions,
        "KeySchema": elements,
    })
}

/// Reads the value of `--key`: `id:S` or `device:S,at:N`.
pub(super) fn parse_key(text: &str) -> Result<Vec<(String, ScalarType)>, String> {
    let part = |part: &str| {
        let (name, scalar_type) = part.rsplit_once(':')?;
        let scalar_type = match scalar_type {
            "S" => ScalarType::S,
            "N" => ScalarType::N,
            "B" => ScalarType::B,
            _ => return None,
        };
        (!name.is_empty()).then(|| (name.to_owned(), scalar_type))
    };
    let parts: Option<Vec<_>> = text.split(',').map(part).collect();
    parts.filter(|parts| parts.len() <= 2).ok_or_else(|| {
        "expected NAME:TYPE, or two of them, as in `device:S,at:N`; the types are S, N and B".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_or_two_attributes() {
        assert_eq!(parse_key("id:S"), Ok(vec![("id".to_owned(), ScalarType::S)]));
        let both = vec![("a:b".to_owned(), ScalarType::B), ("at".to_owned(), ScalarType::N)];
        assert_eq!(parse_key("a:b:B,at:N"), Ok(both));
        for text in ["", "id", "id:X", ":S", "a:S,b:S,c:S"] {
            assert!(parse_key(text).is_err(), "{text}");
        }
    }
}
