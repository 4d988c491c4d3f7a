//! Writers and readers of items.

use pretender::errors::{ApiError, ErrorCode};
use pretender::faults::FaultKind;
use pretender::items::partiql::ExecuteStatementInput;
use pretender::items::{
    BatchWriteItemInput, DeleteItemInput, GetItemInput, PutItemInput, QueryInput, ReturnValues,
    TransactAction, TransactWrite, TransactWriteItemsInput, UpdateItemInput, WriteRequest,
};
use pretender::model::{AttributeValue, EncodedItem, Item};

use super::World;
use crate::model::{Planned, Refusal};
use crate::shape::{self, Index, table_name};
use crate::step::{Action, Change, Condition, Write};
use crate::violation::{Checked, Unexpected, ensure, ensure_eq};

/// How long a token protects a transaction from being applied twice.
const TOKEN_MILLIS: i64 = 10 * 60 * 1000;

type Values = std::collections::BTreeMap<String, AttributeValue>;

impl World {
    fn plan(&self, action: &Action) -> Result<Planned, Refusal> {
        let table = self.model.tables.get(&action.table).ok_or(Refusal::NoTable)?;
        table.plan(action, self.now().seconds())
    }

    fn key(&self, action: &Action) -> Item {
        shape::key(self.has_range(action.table), action.key)
    }

    fn has_range(&self, table: u8) -> bool {
        self.model.tables.get(&table).is_some_and(|table| table.has_range)
    }

    /// Makes a change in the model.
    fn apply(&mut self, action: &Action, planned: Planned) {
        let (ordinal, now) = (self.next_ordinal(), self.now());
        if let (Some(old), None, Some(table)) =
            (&planned.old, &planned.new, self.model.tables.get(&action.table))
        {
            for index in &table.indexes {
                if let Some(entry) = index.entry(table.has_range, &old.item) {
                    let entry = EncodedItem::from(&entry).into_json();
                    self.planted.note_deleted(action.table, *index, entry);
                }
            }
        }
        self.model.change(action.table, action.key, planned.new, ordinal, now);
    }

    /// A plain write.
    pub(super) fn write(&mut self, action: &Action) -> Checked {
        let planned = self.plan(action);
        let (name, key, now) = (table_name(action.table), self.key(action), self.now().seconds());
        let (condition_expression, mut values) = condition(action.condition);
        let called = match action.write {
            Write::Put(attributes) => {
                let input = PutItemInput {
                    condition_expression,
                    expression_attribute_values: values,
                    return_values: ReturnValues::AllOld,
                    ..PutItemInput::new(name, shape::item(key, attributes, now))
                };
                self.call(|db| db.put_item(input).map(|output| output.attributes))?
            }
            Write::Delete | Write::Check => {
                let input = DeleteItemInput {
                    condition_expression,
                    expression_attribute_values: values,
                    return_values: ReturnValues::AllOld,
                    ..DeleteItemInput::new(name, key)
                };
                self.call(|db| db.delete_item(input).map(|output| output.attributes))?
            }
            Write::Update(change) => {
                let (expression, more) = update(change, now);
                values.extend(more);
                let input = UpdateItemInput {
                    update_expression: Some(expression),
                    condition_expression,
                    expression_attribute_values: values,
                    return_values: ReturnValues::AllNew,
                    ..UpdateItemInput::new(name, key)
                };
                self.call(|db| db.update_item(input).map(|output| output.attributes))?
            }
        };
        if called.is_refused() {
            return self.check_untouched(action);
        }
        match (called.result, planned) {
            (Ok(returned), Ok(planned)) => {
                let expected = match action.write {
                    Write::Update(_) => planned.new.as_ref().map(EncodedItem::from),
                    Write::Put(_) | Write::Delete | Write::Check => {
                        planned.old.as_ref().map(|stored| stored.encoded.clone())
                    }
                };
                ensure_eq!(
                    returned.map(EncodedItem::into_json),
                    expected.map(EncodedItem::into_json),
                    "returned values of {action:?}"
                );
                self.apply(action, planned);
                Ok(())
            }
            (Err(error), Err(refusal)) => refused(&error, refusal, action),
            (result, planned) => {
                let planned = planned.map(drop);
                ensure!(false, "{action:?} was answered by {result:?}, expected {planned:?}");
                Ok(())
            }
        }
    }

    /// A call that was refused by a fault has done nothing.
    fn check_untouched(&mut self, action: &Action) -> Checked {
        let Some(table) = self.model.tables.get(&action.table) else { return Ok(()) };
        let expected = table.items.get(&action.key).map(|stored| stored.encoded.json().to_owned());
        let input = GetItemInput::new(table_name(action.table), self.key(action));
        let found = self.observer.get_item(input).expected_to("get an item")?.item;
        ensure_eq!(found.map(EncodedItem::into_json), expected, "a refused call had an effect: {action:?}");
        Ok(())
    }

    /// The same write as a PartiQL statement, as far as PartiQL has it.
    pub(super) fn statement(&mut self, action: &Action) -> Checked {
        let has_range = self.has_range(action.table);
        let (name, key, now) = (table_name(action.table), self.key(action), self.now().seconds());
        let text = |name: &str| key.get(name).cloned().into_iter();
        let place = if has_range { "pk = ? AND sk = ?" } else { "pk = ?" };
        let (statement, parameters, action) = match action.write {
            Write::Put(attributes) => {
                let item = shape::item(key.clone(), attributes, now);
                let members: Vec<String> = item.keys().map(|name| format!("'{name}': ?")).collect();
                let statement = format!("INSERT INTO \"{name}\" VALUE {{{}}}", members.join(", "));
                let parameters = item.0.values().cloned().collect();
                // An insert refuses to replace an item.
                (statement, parameters, Action { condition: Condition::Absent, ..*action })
            }
            Write::Update(Change::SetNumber(n)) => {
                let statement = format!("UPDATE \"{name}\" SET n = ? WHERE {place}");
                let parameters =
                    std::iter::once(i64::from(n).into()).chain(text("pk")).chain(text("sk")).collect();
                // An update creates nothing.
                (statement, parameters, Action { condition: Condition::Exists, ..*action })
            }
            _ => {
                let statement = format!("DELETE FROM \"{name}\" WHERE {place}");
                let parameters = text("pk").chain(text("sk")).collect();
                let write = Write::Delete;
                (statement, parameters, Action { condition: Condition::Always, write, ..*action })
            }
        };
        let planned = self.plan(&action);
        let input = ExecuteStatementInput { statement, parameters, ..ExecuteStatementInput::default() };
        let called = self.call(|db| db.execute_statement(input).map(drop))?;
        if called.is_refused() {
            return self.check_untouched(&action);
        }
        match (called.result, planned) {
            (Ok(()), Ok(planned)) => {
                self.apply(&action, planned);
                Ok(())
            }
            (Err(error), Err(Refusal::Condition)) if matches!(action.write, Write::Put(_)) => {
                ensure_eq!(error.code, ErrorCode::DuplicateItemException, "an INSERT of an item that exists");
                Ok(())
            }
            (Err(error), Err(refusal)) => refused(&error, refusal, &action),
            (result, planned) => {
                let planned = planned.map(drop);
                ensure!(false, "the statement {action:?} was answered by {result:?}, expected {planned:?}");
                Ok(())
            }
        }
    }

    /// `BatchWriteItem`.
    pub(super) fn batch(&mut self, actions: &[Action]) -> Checked {
        let now = self.now().seconds();
        let mut actions: Vec<Action> = actions.to_vec();
        for action in &mut actions {
            // Batches have puts and deletes without conditions.
            action.condition = Condition::Always;
            if !matches!(action.write, Write::Put(_)) {
                action.write = Write::Delete;
            }
        }
        let mut input = BatchWriteItemInput::default();
        for action in &actions {
            let key = self.key(action);
            let request = match action.write {
                Write::Put(attributes) => WriteRequest::Put(shape::item(key, attributes, now)),
                _ => WriteRequest::Delete(key),
            };
            input.request_items.entry(table_name(action.table)).or_default().push(request);
        }
        let requests = input.request_items.clone();
        let called = self.call(|db| db.batch_write_item(input))?;
        if called.is_refused() {
            return actions.iter().try_for_each(|action| self.check_untouched(action));
        }
        let is_unprocessed = called.injected == Some(FaultKind::Unprocessed);
        match called.result {
            Ok(output) => {
                ensure!(
                    is_unprocessed || output.unprocessed_items.is_empty(),
                    "a part of a batch was not processed: {output:?}"
                );
                actions.sort_by_key(|action| action.table);
                let mut places = std::collections::BTreeMap::<u8, usize>::new();
                for action in &actions {
                    let place = places.entry(action.table).or_default();
                    let name = table_name(action.table);
                    let request = &requests[&name][*place];
                    *place += 1;
                    if output.unprocessed_items.get(&name).is_some_and(|left| left.contains(request)) {
                        continue;
                    }
                    match self.plan(action) {
                        Ok(planned) => self.apply(action, planned),
                        Err(refusal) => ensure!(false, "a batch was done in spite of {refusal:?}"),
                    }
                }
                Ok(())
            }
            Err(error) => {
                let missing = actions.iter().any(|action| !self.model.tables.contains_key(&action.table));
                ensure!(missing, "a batch failed: {error:?}");
                ensure_eq!(error.code, ErrorCode::ResourceNotFoundException, "a batch on no table");
                actions.iter().try_for_each(|action| self.check_untouched(action))
            }
        }
    }

    /// `TransactWriteItems`.
    pub(super) fn transact(&mut self, actions: &[Action], token: Option<u8>) -> Checked {
        let now = self.now();
        let plans: Vec<Result<Planned, Refusal>> = actions
            .iter()
            .map(|action| match (action.write, action.condition) {
                // A check needs a condition.
                (Write::Check, Condition::Always) => {
                    self.plan(&Action { condition: Condition::Exists, ..*action })
                }
                _ => self.plan(action),
            })
            .collect();
        let transact_items: Vec<TransactWrite> =
            actions.iter().map(|action| self.transact_write(action)).collect();
        let request = format!("{transact_items:?}");
        let known = token.and_then(|token| self.model.tokens.get(&token));
        let known = known.filter(|(_, since)| now.0 - since.0 < TOKEN_MILLIS).cloned();
        let input = TransactWriteItemsInput {
            transact_items,
            client_request_token: token.map(|token| format!("token-{token}")),
            ..TransactWriteItemsInput::default()
        };
        let called = self.call(|db| db.transact_write_items(input).map(drop))?;
        if called.is_refused() {
            return actions.iter().try_for_each(|action| self.check_untouched(action));
        }
        let refusal = plans.iter().find_map(|plan| plan.as_ref().err().copied());
        match (called.result, known, refusal) {
            (Ok(()), Some((before, _)), _) => {
                ensure_eq!(request, before, "another request under a token was accepted");
                Ok(())
            }
            (Err(error), Some((before, _)), _) => {
                // A table that has been deleted since is looked for before the token is.
                let missing = plans.iter().any(|plan| matches!(plan, Err(Refusal::NoTable)));
                let is_expected = match error.code {
                    ErrorCode::IdempotentParameterMismatchException => before != request,
                    ErrorCode::ResourceNotFoundException => missing,
                    _ => false,
                };
                ensure!(is_expected, "a request under the same token was refused: {error:?}");
                Ok(())
            }
            (Ok(()), None, None) => {
                if let Some(token) = token {
                    self.model.tokens.insert(token, (request, now));
                }
                for (action, planned) in actions.iter().zip(plans.into_iter().flatten()) {
                    self.apply(action, planned);
                }
                Ok(())
            }
            (Err(error), None, Some(refusal)) => {
                let missing = plans.iter().any(|plan| matches!(plan, Err(Refusal::NoTable)));
                let expected = match refusal {
                    _ if missing => ErrorCode::ResourceNotFoundException,
                    Refusal::NoTable => ErrorCode::ResourceNotFoundException,
                    Refusal::Condition => ErrorCode::TransactionCanceledException,
                };
                ensure_eq!(error.code, expected, "a refused transaction");
                actions.iter().try_for_each(|action| self.check_untouched(action))
            }
            (result, None, refusal) => {
                ensure!(false, "a transaction was answered by {result:?}, expected {refusal:?}");
                Ok(())
            }
        }
    }

    fn transact_write(&self, action: &Action) -> TransactWrite {
        let (key, now) = (self.key(action), self.now().seconds());
        let (mut condition_expression, mut values) = condition(action.condition);
        let of_action = match action.write {
            Write::Put(attributes) => TransactAction::Put { item: shape::item(key, attributes, now) },
            Write::Delete => TransactAction::Delete { key },
            Write::Check => {
                condition_expression = condition_expression.or_else(|| condition(Condition::Exists).0);
                TransactAction::ConditionCheck { key }
            }
            Write::Update(change) => {
                let (update_expression, more) = update(change, now);
                values.extend(more);
                TransactAction::Update { key, update_expression }
            }
        };
        TransactWrite {
            condition_expression,
            expression_attribute_values: values,
            ..TransactWrite::new(table_name(action.table), of_action)
        }
    }

    /// `GetItem`.
    pub(super) fn get(&mut self, table: u8, key: u8) -> Checked {
        let has_range = self.has_range(table);
        let input = GetItemInput::new(table_name(table), shape::key(has_range, key));
        let called = self.call(|db| db.get_item(input))?;
        if called.is_refused() {
            return Ok(());
        }
        match (called.result, self.model.tables.get(&table)) {
            (Ok(output), Some(table)) => {
                let expected = table.items.get(&key).map(|stored| stored.encoded.json());
                ensure_eq!(output.item.as_ref().map(EncodedItem::json), expected, "GetItem");
                self.digest.add(expected.unwrap_or_default());
                Ok(())
            }
            (Err(error), None) => refused(&error, Refusal::NoTable, &"GetItem"),
            (result, table) => {
                ensure!(false, "GetItem was answered by {result:?} with {table:?}");
                Ok(())
            }
        }
    }

    /// `Query` of a partition of the table or of an index, in pages of two items.
    pub(super) fn query(&mut self, table: u8, index: u8, value: u8) -> Checked {
        let Some(of_model) = self.model.tables.get(&table) else { return Ok(()) };
        let index = of_model.indexes.iter().nth(index.into()).copied();
        let (name, value): (&str, AttributeValue) = match index {
            None | Some(Index::Local) => ("pk", format!("key-{value}").into()),
            Some(Index::ByText) => ("g", shape::text(value)),
            Some(Index::ByNumber) => ("n", i64::from(value).into()),
        };
        let items = of_model.items.values().filter(|stored| stored.item.get(name) == Some(&value));
        let mut expected: Vec<String> = match index {
            None => items.map(|stored| stored.encoded.json().to_owned()).collect(),
            Some(index) => items
                .filter_map(|stored| index.entry(of_model.has_range, &stored.item))
                .map(|entry| EncodedItem::from(&entry).into_json())
                .collect(),
        };
        expected.sort_unstable();
        let mut input = QueryInput {
            index_name: index.and_then(|index| index.name().parse().ok()),
            key_condition_expression: Some(format!("{name} = :value")),
            expression_attribute_values: Values::from([(":value".to_owned(), value)]),
            limit: Some(2),
            ..QueryInput::new(table_name(table))
        };
        let mut found = Vec::new();
        loop {
            let page = input.clone();
            let called = self.call(|db| db.query(page))?;
            if called.is_refused() {
                return Ok(());
            }
            let page = called.result.expected_to("query")?;
            found.extend(page.items.iter().flat_map(|items| items.iter()));
            match page.last_evaluated_key {
                Some(key) => input.exclusive_start_key = Some(key),
                None => break,
            }
        }
        // In the order of the sort key, which is `n` in both indexes that have one.
        let range = match index {
            None => "sk",
            Some(_) => "n",
        };
        let numbers: Vec<Option<i64>> = found
            .iter()
            .map(|item| item.decode().ok().and_then(|item| item.get(range)?.as_n()?.floor_i64()))
            .collect();
        ensure!(numbers.is_sorted(), "a query returned items out of order: {found:?}");
        let mut found: Vec<String> = found.into_iter().map(EncodedItem::into_json).collect();
        found.sort_unstable();
        ensure_eq!(found, expected, "Query of {index:?}");
        Ok(())
    }
}

/// Compares an error with the reason for which the model refuses.
fn refused(error: &ApiError, refusal: Refusal, action: &dyn std::fmt::Debug) -> Checked {
    let expected = match refusal {
        Refusal::NoTable => ErrorCode::ResourceNotFoundException,
        Refusal::Condition => ErrorCode::ConditionalCheckFailedException,
    };
    ensure_eq!(error.code, expected, "the error of {action:?}");
    Ok(())
}

fn condition(condition: Condition) -> (Option<String>, Values) {
    let (text, value) = match condition {
        Condition::Always => return (None, Values::new()),
        Condition::Exists => ("attribute_exists(pk)", None),
        Condition::Absent => ("attribute_not_exists(pk)", None),
        Condition::NumberIs(n) => ("n = :expected", Some(i64::from(n))),
    };
    let values = value.map(|value| (":expected".to_owned(), value.into()));
    (Some(text.to_owned()), values.into_iter().collect())
}

fn update(change: Change, now: i64) -> (String, Values) {
    let (text, values): (&str, Vec<(&str, AttributeValue)>) = match change {
        Change::SetNumber(n) => ("SET n = :n", vec![(":n", i64::from(n).into())]),
        Change::AddNumber(n) => ("ADD n :n", vec![(":n", i64::from(n).into())]),
        Change::SetTexts(g, d) => {
            ("SET g = :g, d = :d", vec![(":g", shape::text(g)), (":d", shape::data(d))])
        }
        Change::RemoveText => ("REMOVE g", Vec::new()),
        Change::SetExpiry(t) => ("SET t = :t REMOVE d", vec![(":t", (now + i64::from(t)).into())]),
    };
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
    (text.to_owned(), values.collect())
}
