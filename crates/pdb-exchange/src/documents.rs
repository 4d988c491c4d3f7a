//! Files of items in JSON of any form: one item after the other, lists, answers and requests of the API, lists by table.

use pdb_model::{Item, TableName};

use crate::cursor::{Cursor, CursorFault, RawValue};
use crate::node::Node;
use crate::{MAX_RECORD_TEXT as MAX_ITEM_TEXT, ReadError, item_json, json};

/// The other members in the answers of `Scan` and `Query`.
const OF_PAGES: &[&str] = &[
    "Count",
    "ScannedCount",
    "ConsumedCapacity",
    "LastEvaluatedKey",
    "NextToken",
    "ResponseMetadata",
    "$metadata",
];

/// The other members in the answer of `GetItem`.
const OF_ONE_ITEM: &[&str] = &["ConsumedCapacity", "ResponseMetadata", "$metadata"];

/// The other members in requests of `BatchWriteItem`.
const OF_BATCHES: &[&str] = &["ReturnConsumedCapacity", "ReturnItemCollectionMetrics"];

/// An item of a document.
#[derive(Debug)]
pub struct DocumentItem<'d> {
    /// The table that the document names for the item.
    pub table: Option<&'d TableName>,
    /// The item.
    pub item: Item,
    /// The line in which it begins, from 1.
    pub line: u64,
    /// What to add to the error if the item is refused.
    pub hint: Option<&'static str>,
}

/// Why reading a document ended early.
#[derive(Debug)]
pub enum DocumentError<E> {
    /// The document cannot be read.
    Read(ReadError),
    /// The caller's function has failed.
    Caller(E),
}

/// Reads all items of a document and passes each on before it reads the next one.
///
/// # Errors
///
/// [`DocumentError`]. The items before the fault have been passed on.
pub fn read<E>(
    reader: impl std::io::BufRead,
    each: &mut dyn FnMut(DocumentItem<'_>) -> Result<(), E>,
) -> Result<(), DocumentError<E>> {
    let mut cursor = Cursor::new(reader, 1);
    Forms { each }.values(&mut cursor)
}

/// The table of the items that follow, if it is known.
type Table<'t> = Option<&'t TableName>;

/// What an object can be at its place. Formats nest in this order only, which bounds the recursion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Any format: at the top level of the file, or in its list.
    File,
    /// The member `RequestItems`, which contains lists by table.
    Batch,
    /// An item, in the list of a table or of a page.
    Table,
}

struct Forms<'f, E> {
    each: &'f mut dyn FnMut(DocumentItem<'_>) -> Result<(), E>,
}

impl<E> Forms<'_, E> {
    fn values(&mut self, cursor: &mut Cursor<'_>) -> Result<(), DocumentError<E>> {
        while let Some(byte) = self.checked(cursor.peek())? {
            match byte {
                b'[' => self.list(cursor, None, Place::File)?,
                b'{' => self.element(cursor, None, Place::File)?,
                _ => return Err(self.fault(cursor.line(), "an item must be an object, `{...}`")),
            }
        }
        Ok(())
    }

    /// Reads a list of items.
    fn list(
        &mut self,
        cursor: &mut Cursor<'_>,
        table: Table<'_>,
        place: Place,
    ) -> Result<(), DocumentError<E>> {
        let mut goes_on = self.checked(cursor.begin(b']'))?;
        while goes_on {
            if self.checked(cursor.peek())? != Some(b'{') {
                return Err(self.fault(cursor.line(), "an item must be an object, `{...}`"));
            }
            self.element(cursor, table, place)?;
            goes_on = self.checked(cursor.goes_on(b']'))?;
        }
        Ok(())
    }

    /// Reads an object: an item, or an object that contains items.
    fn element(
        &mut self,
        cursor: &mut Cursor<'_>,
        table: Table<'_>,
        place: Place,
    ) -> Result<(), DocumentError<E>> {
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

    /// Reads an object that was short enough to be read as a whole.
    fn object(
        &mut self,
        node: &Node,
        text: &str,
        line: u64,
        table: Table<'_>,
        place: Place,
    ) -> Result<(), DocumentError<E>> {
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
            // Read it again from the beginning, to get the line of each item.
            return self.long_object(&mut Cursor::new(text.as_bytes(), line), table, place);
        }
        self.item(node, line, table)
    }

    /// Reads an object that contains any number of items.
    fn long_object(
        &mut self,
        cursor: &mut Cursor<'_>,
        table: Table<'_>,
        place: Place,
    ) -> Result<(), DocumentError<E>> {
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

    fn table_in_file(&self, name: &str, line: u64) -> Result<TableName, DocumentError<E>> {
        TableName::new(name).map_err(|error| self.fault(line, format!("`{name}`: {error}")))
    }

    fn item(&mut self, node: &Node, line: u64, table: Table<'_>) -> Result<(), DocumentError<E>> {
        let item = item_json::item(node).map_err(|reason| self.fault(line, reason))?;
        let found = DocumentItem { table, item, line, hint: item_json::mixed_json_hint(node) };
        (self.each)(found).map_err(DocumentError::Caller)
    }

    fn checked<T>(&self, result: Result<T, CursorFault>) -> Result<T, DocumentError<E>> {
        result.map_err(|fault| match fault {
            CursorFault::Read(error) => DocumentError::Read(ReadError::Io(error)),
            CursorFault::Syntax(line, reason) => self.fault(line, reason),
        })
    }

    fn fault(&self, line: u64, reason: impl std::fmt::Display) -> DocumentError<E> {
        DocumentError::Read(ReadError::at_line(line, reason.to_string()))
    }
}

/// Returns the item if an object is an answer of `GetItem`. An item itself is not mistaken for one, because its key is never a map.
fn item_of_answer(node: &Node) -> Option<&Node> {
    let is_answer =
        node.members().iter().all(|(name, _)| name == "Item" || OF_ONE_ITEM.contains(&name.as_str()));
    node.get("Item").filter(|item| is_answer && matches!(item, Node::Map(_)))
}

/// Returns whether an object contains items and is not an item itself. The key of an item is never a list or a map.
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
