//! Rows of items and of index entries.

use std::{
    borrow::Cow,
    ops::{Bound, ControlFlow},
};

use pdb_model::{EncodedItem, IndexName, KeyBytes, text_hash};

use crate::{
    checksum::{self, Salt},
    driver::{RangeStep, Row},
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    rows::{
        items::{Direction, ItemRow, KeyRange, NewEntry, RowRef, VectorRow},
        table::Table,
    },
    sequence::signed,
    sql::texts::{EntryKind, ScanSql},
    tx::Tx,
};

impl ReadTx<'_> {
    /// Returns an item.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`] or [`StoreError::TableChanged`] if `table` is not from this transaction;
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. All methods that take a table return the same errors.
    pub fn get_item(&mut self, table: &Table, key: &KeyBytes) -> Result<Option<EncodedItem>, StoreError> {
        let table = self.catalog.current(table)?;
        let columns = self.driver.dialect().key_columns(key.as_bytes());
        let item = self.driver.first("read an item", &table.items.get, &columns.identity([]), |row| {
            let (json, size_bytes) = (row.text(0)?, row.count(1)?);
            let hash = text_hash(json.as_bytes());
            let sum = checksum::of_item(key.as_bytes(), hash, size_bytes);
            sum.verify(table.items.salt, row.optional_integer(2)?, "item")?;
            Ok(EncodedItem::from_stored_with_hash(json.to_owned(), size_bytes, hash))
        });
        item.map_err(|error| error.of_table(table.name()))
    }

    /// Hands the items of a range, or the entries of one of the table's indexes, to `each`, until that breaks off.
    ///
    /// # Errors
    ///
    /// [`StoreError::IndexNotFound`], also of a vector index, and as [`get_item`](Self::get_item).
    pub fn scan(
        &mut self,
        table: &Table,
        index: Option<&IndexName>,
        range: &KeyRange,
        direction: Direction,
        each: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        if let Some(name) = index
            && self.catalog.current(table)?.index(name)?.kind == EntryKind::Vector
        {
            // Its rows have no keys of items.
            return Err(StoreError::IndexNotFound { table: table.name().clone(), index: name.clone() });
        }
        self.scan_rows(table, index, range, direction, each)
    }

    /// As [`scan`](Self::scan), of an index of any kind: in the place of the item's key, an entry of a vector index has the vector.
    pub(crate) fn scan_rows(
        &mut self,
        table: &Table,
        index: Option<&IndexName>,
        range: &KeyRange,
        direction: Direction,
        each: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let table = self.catalog.current(table)?;
        let (sql, kind): (&ScanSql, _) = match index {
            None => (&table.items.scan, RowKind::Item(table.items.salt)),
            Some(index) => {
                let sql = &table.index(index)?.sql;
                (&sql.scan, RowKind::Entry(sql.salt))
            }
        };
        // The least bytes above `b` are `b` and a zero: all bounds come down to `>=` and `<`.
        let lower = match &range.lower {
            Bound::Included(bytes) => Cow::Borrowed(bytes.as_slice()),
            Bound::Excluded(bytes) => Cow::Owned(just_above(bytes)),
            Bound::Unbounded => Cow::Borrowed(&[][..]),
        };
        let upper = match &range.upper {
            Bound::Included(bytes) => Some(Cow::Owned(just_above(bytes))),
            Bound::Excluded(bytes) => Some(Cow::Borrowed(bytes.as_slice())),
            Bound::Unbounded => None,
        };
        let read =
            self.driver.read_keys("read a range of items", sql, direction, (lower, upper), |row, key| {
                let read = read_row(row, kind, key)?;
                Ok(RangeStep { flow: each(read), bytes: read.base.len() + read.json.len() })
            });
        read.map_err(|error| error.of_table(table.name()))
    }

    /// Hands the entries of a range of a vector index to `each`, in any order, until that breaks off.
    ///
    /// # Errors
    ///
    /// [`StoreError::IndexNotFound`], also of an index of another kind, and as [`get_item`](Self::get_item).
    pub fn scan_vectors(
        &mut self,
        table: &Table,
        index: &IndexName,
        range: &KeyRange,
        each: &mut dyn FnMut(VectorRow<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut each = |row: RowRef<'_>| {
            let RowRef { key, base: vector, json, size_bytes } = row;
            each(VectorRow { key, vector, json, size_bytes })
        };
        let current = self.catalog.current(table)?.index(index)?;
        if current.kind != EntryKind::Vector {
            return Err(StoreError::IndexNotFound { table: table.name().clone(), index: index.clone() });
        }
        let (salt, all) = (current.sql.salt, current.sql.all.as_ref());
        // Rows of SQLite are read twice as fast in the order in which they are stored.
        let Some(all) = all.filter(|_| *range == KeyRange::all()) else {
            return self.scan_rows(table, Some(index), range, Direction::Forward, &mut each);
        };
        let read = self.driver.query("read a vector index", all, &[], |row| {
            let key = row.key(0, 5)?;
            Ok(each(read_row(row, RowKind::Entry(salt), &key)?))
        });
        read.map_err(|error| error.of_table(table.name()))
    }

    /// Returns the keys of up to `limit` items whose expiry is later than `after` and not later than `now`, both in
    /// epoch seconds, the oldest first.
    ///
    /// # Errors
    ///
    /// As [`get_item`](Self::get_item).
    pub fn expired_items(
        &mut self,
        table: &Table,
        after: i64,
        now: i64,
        limit: u32,
    ) -> Result<Vec<KeyBytes>, StoreError> {
        let table = self.catalog.current(table)?;
        self.driver.all(
            "list expired items",
            &table.items.expired,
            &[Param::Integer(after), Param::Integer(now), Param::Integer(limit.into())],
            read_key,
        )
    }
}

fn read_key(row: &Row<'_>) -> Result<KeyBytes, StoreError> {
    Ok(KeyBytes::from_stored(row.key(0, 1)?.into_owned()))
}

/// What a row of a range is, with the salt of its table's checksums.
#[derive(Clone, Copy)]
enum RowKind {
    Item(Salt),
    Entry(Salt),
}

/// Reads and checks a row of a range, whose key is known.
fn read_row<'r>(row: &Row<'r>, kind: RowKind, key: &'r [u8]) -> Result<RowRef<'r>, StoreError> {
    let (json, size_bytes, stored) = (row.text(2)?, row.count(3)?, row.optional_integer(4)?);
    let base = match kind {
        RowKind::Item(salt) => {
            checksum::of_item(key, text_hash(json.as_bytes()), size_bytes).verify(salt, stored, "item")?;
            key
        }
        RowKind::Entry(salt) => {
            let base = row.blob(1)?;
            checksum::of_entry(key, base, json, size_bytes).verify(salt, stored, "index entry")?;
            base
        }
    };
    Ok(RowRef { key, base, json, size_bytes })
}

fn just_above(bytes: &[u8]) -> Vec<u8> {
    let mut above = Vec::with_capacity(bytes.len() + 1);
    above.extend_from_slice(bytes);
    above.push(0);
    above
}

impl Tx<'_> {
    /// Returns an item and its row, and keeps other transactions from changing it until the commit.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn lock_item(
        &mut self,
        table: &Table,
        key: &KeyBytes,
    ) -> Result<Option<(ItemRow, EncodedItem)>, StoreError> {
        // SQLite has one writer, and this is its transaction: reading is locking.
        let table = self.catalog.current(table)?;
        let columns = self.driver.dialect().key_columns(key.as_bytes());
        let item = self.driver.first("lock an item", &table.items.lock, &columns.identity([]), |row| {
            let (json, size_bytes) = (row.text(1)?, row.count(2)?);
            let hash = text_hash(json.as_bytes());
            let sum = checksum::of_item(key.as_bytes(), hash, size_bytes);
            sum.verify(table.items.salt, row.optional_integer(3)?, "item")?;
            let item = EncodedItem::from_stored_with_hash(json.to_owned(), size_bytes, hash);
            Ok((ItemRow { id: row.integer(0)?, size_bytes }, item))
        });
        item.map_err(|error| error.of_table(table.name()))
    }

    /// Writes an item, in the place of `old` if [`lock_item`](Self::lock_item) returned a row for its key.
    ///
    /// `expires_at` is the moment of its expiry in epoch seconds. Neither indexes nor the stream are updated: change items
    /// through `pdb-capture`, which does that.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn put_item(
        &mut self,
        table: &Table,
        key: &KeyBytes,
        old: Option<ItemRow>,
        new: &EncodedItem,
        expires_at: Option<i64>,
    ) -> Result<(), StoreError> {
        let items = self.catalog.current(table)?.items.clone();
        self.note_table(table);
        let size = signed(new.size_bytes());
        let sum = checksum::of_item(key.as_bytes(), new.text_hash(), new.size_bytes()).stored(items.salt);
        let (json, expires_at) = (Param::Text(new.json()), Param::optional_integer(expires_at));
        let key = self.driver.dialect().key_columns(key.as_bytes());
        if let Some(old) = old {
            let params = key.row(old.id, [json, Param::Integer(size), expires_at, Param::Integer(sum)]);
            if self.change("replace an item", &items.update, &params)? != 1 {
                return Err(StoreError::corrupt("item", "a locked row is gone"));
            }
            self.count(items.statistic, 0, size - signed(old.size_bytes));
        } else {
            let params = key.all([json, Param::Integer(size), expires_at, Param::Integer(sum)]);
            self.change("insert an item", &items.insert, &params)?;
            self.count(items.statistic, 1, size);
        }
        Ok(())
    }

    /// Removes the item whose row [`lock_item`](Self::lock_item) returned for this key.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn delete_item(&mut self, table: &Table, key: &KeyBytes, old: ItemRow) -> Result<(), StoreError> {
        let items = self.catalog.current(table)?.items.clone();
        self.note_table(table);
        let key = self.driver.dialect().key_columns(key.as_bytes());
        if self.change("delete an item", &items.delete, &key.row(old.id, []))? != 1 {
            return Err(StoreError::corrupt("item", "a locked row is gone"));
        }
        self.count(items.statistic, -1, -signed(old.size_bytes));
        Ok(())
    }

    /// Notes when an item expires, in epoch seconds; returns whether the item is there. This does not count as a change of the item.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn set_expiry(
        &mut self,
        table: &Table,
        key: &KeyBytes,
        expires_at: Option<i64>,
    ) -> Result<bool, StoreError> {
        let items = self.catalog.current(table)?.items.clone();
        let key = self.driver.dialect().key_columns(key.as_bytes());
        let params = key.identity([Param::optional_integer(expires_at)]);
        let is_there = self.change("note when an item expires", &items.set_expiry, &params)? == 1;
        self.note_table(table);
        Ok(is_there)
    }

    /// As [`expired_items`](ReadTx::expired_items), and keeps other transactions from changing these items until the commit. Leaves
    /// out those that another transaction is changing.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn lock_expired_items(
        &mut self,
        table: &Table,
        after: i64,
        now: i64,
        limit: u32,
    ) -> Result<Vec<KeyBytes>, StoreError> {
        let table = self.catalog.current(table)?;
        self.driver.all(
            "lock expired items",
            &table.items.lock_expired,
            &[Param::Integer(after), Param::Integer(now), Param::Integer(limit.into())],
            read_key,
        )
    }

    /// Returns up to `limit` items, in the order of their keys, beginning after the key `after`.
    ///
    /// Locks none of them. To see all items as all earlier writers have left them, change the table's definition first, in the same
    /// transaction: from then on all earlier writers have committed, and others cannot commit before the end of this transaction.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn next_items(
        &mut self,
        table: &Table,
        after: Option<&KeyBytes>,
        limit: u32,
    ) -> Result<Vec<(KeyBytes, EncodedItem)>, StoreError> {
        let table = self.catalog.current(table)?;
        let lower = after.map(|key| just_above(key.as_bytes())).unwrap_or_default();
        let lower = self.driver.dialect().key_columns(&lower);
        let params = lower.bound([Param::Integer(limit.into())]);
        let items = self.driver.all("read a range of items", &table.items.next, &params, |row| {
            let key = row.key(0, 5)?;
            let item = read_row(row, RowKind::Item(table.items.salt), &key)?.to_item();
            Ok((KeyBytes::from_stored(key.into_owned()), item))
        });
        items.map_err(|error| error.of_table(table.name()))
    }

    /// Keeps other transactions from creating an item with this key until the commit; [`lock_item`](Self::lock_item) found none.
    ///
    /// Needed if a transaction relies on the absence of one item when it writes another.
    ///
    /// # Errors
    ///
    /// As [`get_item`](ReadTx::get_item).
    pub fn lock_absence(&mut self, table: &Table, key: &KeyBytes) -> Result<(), StoreError> {
        let items = self.catalog.current(table)?.items.clone();
        self.engine.lock_absence(&mut self.read, &items, key.as_bytes())?;
        self.note_table(table);
        Ok(())
    }

    /// Writes an index entry; with `old_size_bytes`, in the place of the one of that size under the same key.
    ///
    /// # Errors
    ///
    /// [`StoreError::IndexNotFound`], and as [`get_item`](ReadTx::get_item).
    pub fn put_index_entry(
        &mut self,
        table: &Table,
        index: &IndexName,
        NewEntry { key: entry, content, projected }: NewEntry<'_>,
        old_size_bytes: Option<u64>,
    ) -> Result<(), StoreError> {
        let sql = self.catalog.current(table)?.index(index)?.sql.clone();
        self.note_table(table);
        let size = signed(projected.size_bytes());
        let sum = checksum::of_entry(entry.as_bytes(), content, projected.json(), projected.size_bytes());
        let sum = Param::Integer(sum.stored(sql.salt));
        let entry = self.driver.dialect().key_columns(entry.as_bytes());
        if let Some(old_size_bytes) = old_size_bytes {
            let params = entry.identity([
                Param::Blob(content),
                Param::Text(projected.json()),
                Param::Integer(size),
                sum,
            ]);
            if self.change("replace an index entry", &sql.update, &params)? == 1 {
                self.count(sql.statistic, 0, size - signed(old_size_bytes));
                return Ok(());
            }
            // The index is being filled and has not come to this item yet: the entry is new after all.
        }
        let params =
            entry.all([Param::Blob(content), Param::Text(projected.json()), Param::Integer(size), sum]);
        if self.change("insert an index entry", &sql.insert, &params)? == 1 {
            self.count(sql.statistic, 1, size);
        }
        Ok(())
    }

    /// Removes the index entry of this key and size, if it is there (an index that is being filled may not have it yet).
    ///
    /// # Errors
    ///
    /// [`StoreError::IndexNotFound`], and as [`get_item`](ReadTx::get_item).
    pub fn delete_index_entry(
        &mut self,
        table: &Table,
        index: &IndexName,
        entry: &KeyBytes,
        old_size_bytes: u64,
    ) -> Result<(), StoreError> {
        let sql = self.catalog.current(table)?.index(index)?.sql.clone();
        self.note_table(table);
        let entry = self.driver.dialect().key_columns(entry.as_bytes());
        if self.change("delete an index entry", &sql.delete, &entry.identity([]))? == 1 {
            self.count(sql.statistic, -1, -signed(old_size_bytes));
        }
        Ok(())
    }
}
