//! The forms in which files hold items: one after the other, in lists, in the answers and requests of the API, by table.

use pdb_model::TableName;

use crate::SeedError;
use crate::files;
use crate::json;
use crate::node::Node;

use super::cursor::{Cursor, CursorFault, RawValue};
use super::writer::Writer;
use super::{Destination, SeedFile, value};

/// What is longer is not an item: those have 400 KB, and JSON at most six times as much.
const MAX_ITEM_TEXT: usize = 4 * 1024 * 1024;

/// What the answers of `Scan` and `Query` have beside the items.
const OF_PAGES: &[&str] = &[
    "Count",
    "ScannedCount",
    "ConsumedCapacity",
    "LastEvaluatedKey",
    "NextToken",
    "ResponseMetadata",
    "$metadata",
];

/// What the answer of `GetItem` has beside the item.
const OF_ONE_ITEM: &[&str] = &["ConsumedCapacity", "ResponseMetadata", "$metadata"];

/// What requests of `BatchWriteItem` have beside the items.
const OF_BATCHES: &[&str] = &["ReturnConsumedCapacity", "ReturnItemCollectionMetrics"];

/// Reads all items of a file.
pub(super) fn read(
    mut cursor: Cursor<'_>,
    seed: &SeedFile,
    writer: &mut Writer<'_>,
) -> Result<(), SeedError> {
    let mut reader = Forms { seed, writer };
    reader.values(&mut cursor)
}

/// The table of the items that come next, if it is known by now.
type Table<'t> = Option<&'t TableName>;

/// What an object can be at its place. Forms stand within others in this order only, so that no file leads deeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Anything: in the file, or in the list that the file is.
    File,
    /// The member `RequestItems`, which has lists by table.
    Batch,
    /// An item: in a list of a table or of a page.
    Table,
}

struct Forms<'f, 'w> {
    seed: &'f SeedFile,
    writer: &'f mut Writer<'w>,
}

impl Forms<'_, '_> {
    fn values(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SeedError> {
        while let Some(byte) = self.checked(cursor.peek())? {
            match byte {
                b'[' => self.list(cursor, None, Place::File)?,
                b'{' => self.element(cursor, None, Place::File)?,
                _ => return Err(self.fault(cursor.line(), "an item is an object, `{...}`")),
            }
        }
        Ok(())
    }

    /// Reads a list of items.
    fn list(&mut self, cursor: &mut Cursor<'_>, table: Table<'_>, place: Place) -> Result<(), SeedError> {
        let mut goes_on = self.checked(cursor.begin(b']'))?;
        while goes_on {
            if self.checked(cursor.peek())? != Some(b'{') {
                return Err(self.fault(cursor.line(), "an item is an object, `{...}`"));
            }
            self.element(cursor, table, place)?;
            goes_on = self.checked(cursor.goes_on(b']'))?;
        }
        Ok(())
    }

    /// Reads an object: an item, or something with items in it.
    fn element(&mut self, cursor: &mut Cursor<'_>, table: Table<'_>, place: Place) -> Result<(), SeedError> {
        self.checked(cursor.peek())?;
        let line = cursor.line();
        match self.checked(cursor.value(MAX_ITEM_TEXT))? {
            RawValue::Whole(text) => {
                let node = json::parse(&text, line).map_err(|fault| self.fault(fault.line, fault.reason))?;
                self.object(&node, &text, line, table, place)
            }
            RawValue::TooLong(_) if place != Place::File => Err(self.fault(line, "an item is too long")),
            RawValue::TooLong(prefix) => {
                let mut inner = cursor.after(&prefix, line);
                self.long_object(&mut inner, table, place)?;
                let line = inner.line();
                drop(inner);
                cursor.set_line(line);
                Ok(())
            }
        }
    }

    /// Reads an object that is there as a whole.
    fn object(
        &mut self,
        node: &Node,
        text: &str,
        line: u64,
        table: Table<'_>,
        place: Place,
    ) -> Result<(), SeedError> {
        if node.members().is_empty() {
            return Err(self.fault(line, "an item is empty"));
        }
        if let Some((name @ ("Item" | "PutRequest"), inner @ Node::Map(_))) = node.only_member() {
            let item = if name == "Item" { inner } else { inner.get("Item").unwrap_or(inner) };
            return self.item(item, line, table);
        }
        if let Some(item) = item_of_answer(node).filter(|_| place == Place::File) {
            return self.item(item, line, table);
        }
        if node
            .only_member()
            .is_some_and(|(name, inner)| name == "DeleteRequest" && matches!(inner, Node::Map(_)))
        {
            return Err(self.fault(line, "a DeleteRequest is not an item"));
        }
        if place == Place::File && has_items_in_it(node) {
            // Once more from the beginning, so that each item has its line.
            return self.long_object(&mut Cursor::new(text.as_bytes(), line), table, place);
        }
        self.item(node, line, table)
    }

    /// Reads an object that has items in it, which may be any number.
    fn long_object(
        &mut self,
        cursor: &mut Cursor<'_>,
        table: Table<'_>,
        place: Place,
    ) -> Result<(), SeedError> {
        let mut goes_on = self.checked(cursor.begin(b'}'))?;
        while goes_on {
            let name = self.checked(cursor.name())?;
            let next = self.checked(cursor.peek())?;
            match (name.as_str(), next) {
                ("Items", Some(b'[')) if place == Place::File => self.list(cursor, table, Place::Table)?,
                ("RequestItems", Some(b'{')) if place == Place::File => {
                    self.long_object(cursor, table, Place::Batch)?;
                }
                (name, _) if OF_PAGES.contains(&name) || OF_BATCHES.contains(&name) => {
                    if let RawValue::TooLong(_) = self.checked(cursor.value(MAX_ITEM_TEXT))? {
                        return Err(self.fault(cursor.line(), format!("`{name}` is too long")));
                    }
                }
                (name, Some(b'[')) => {
                    let named = self.table_in_file(name, cursor.line())?;
                    self.list(cursor, Some(&named), Place::Table)?;
                }
                (name, _) => {
                    let text = format!(
                        "the object is longer than an item may be, and `{name}` is not a list of items"
                    );
                    return Err(self.fault(cursor.line(), text));
                }
            }
            goes_on = self.checked(cursor.goes_on(b'}'))?;
        }
        Ok(())
    }

    /// Reads the name of a table in a file.
    fn table_in_file(&self, name: &str, line: u64) -> Result<TableName, SeedError> {
        let table = TableName::new(name).map_err(|error| self.fault(line, format!("`{name}`: {error}")))?;
        match &self.seed.table {
            Destination::Given(given) if *given != table => Err(self
                .fault(line, format!("these are items of `{table}`, and the file was given for `{given}`"))),
            _ => Ok(table),
        }
    }

    fn item(&mut self, node: &Node, line: u64, table: Table<'_>) -> Result<(), SeedError> {
        let item = value::item(node).map_err(|reason| self.fault(line, reason))?;
        let own = match &self.seed.table {
            Destination::Given(table) => Some(table),
            Destination::ByName(table) => table.as_ref(),
        };
        let Some(table) = table.or(own) else {
            let text = "the name of the file is not that of a table: name the file after its table, or use TABLE=FILE";
            return Err(self.fault(line, text));
        };
        self.writer.put(table, item, line, value::doubt(node))
    }

    fn checked<T>(&self, result: Result<T, CursorFault>) -> Result<T, SeedError> {
        result.map_err(|fault| match fault {
            CursorFault::Read(error) => files::refused(&self.seed.path, &error),
            CursorFault::Syntax(line, reason) => self.fault(line, reason),
        })
    }

    fn fault(&self, line: u64, reason: impl std::fmt::Display) -> SeedError {
        SeedError::of_line(&self.seed.path, line, reason)
    }
}

/// Returns the item of an answer of `GetItem`, if an object is one: a key is never a map, so an item has another member.
fn item_of_answer(node: &Node) -> Option<&Node> {
    let is_answer =
        node.members().iter().all(|(name, _)| name == "Item" || OF_ONE_ITEM.contains(&name.as_str()));
    node.get("Item").filter(|item| is_answer && matches!(item, Node::Map(_)))
}

/// Whether an object has items in it and is none itself: a key is never a list, nor a map.
fn has_items_in_it(node: &Node) -> bool {
    let members = node.members();
    let is_list = |node: &Node| matches!(node, Node::List(_));
    let others = |main: &str, known: &[&str]| {
        members.iter().all(|(name, _)| name == main || known.contains(&name.as_str()))
    };
    (node.get("Items").is_some_and(is_list) && others("Items", OF_PAGES))
        || (matches!(node.get("RequestItems"), Some(Node::Map(_))) && others("RequestItems", OF_BATCHES))
        || members.iter().all(|(_, node)| is_list(node))
}
