//! The parameters of the API before it had expressions: their shapes, constraints and values.

use std::collections::BTreeMap;

use pdb_model::{ApiError, AttributeValue};
use pretender::items::legacy::{AttributeAction, ComparisonOperator};

use crate::constraint::{Constraints, Path};
use crate::decode::{Entries, Text, shape};
use crate::layer::Texts;
use crate::value::{Value, check_name};

shape! {
    /// A condition on one attribute of a write.
    pub(crate) struct ExpectedAttributeValue<'a> {
        value: Value = "Value",
        exists: bool = "Exists",
        comparison_operator: Text<'a> = "ComparisonOperator",
        attribute_value_list: Vec<Value> = "AttributeValueList",
    }

    /// A condition on one attribute of a query or a scan.
    pub(crate) struct Condition<'a> {
        attribute_value_list: Vec<Value> = "AttributeValueList",
        comparison_operator: Text<'a> = "ComparisonOperator",
    }

    /// The update of one attribute.
    pub(crate) struct AttributeValueUpdate<'a> {
        value: Value = "Value",
        action: Text<'a> = "Action",
    }
}

pub(crate) type Expected<'a> = Entries<'a, ExpectedAttributeValue<'a>>;
pub(crate) type Conditions<'a> = Entries<'a, Condition<'a>>;
pub(crate) type AttributeUpdates<'a> = Entries<'a, AttributeValueUpdate<'a>>;

/// Checks the enums of `Expected`.
pub(crate) fn constrain_expected(check: &mut Constraints, path: &Path<'_>, expected: Option<&Expected<'_>>) {
    for (name, entry) in expected.into_iter().flat_map(Entries::iter) {
        let operator = path.key(name);
        check.one_of::<ComparisonOperator>(
            &operator.member("ComparisonOperator"),
            entry.comparison_operator.as_ref(),
        );
    }
}

/// Checks the enums of `KeyConditions`, `QueryFilter` or `ScanFilter`.
pub(crate) fn constrain_conditions(
    check: &mut Constraints,
    path: &Path<'_>,
    conditions: Option<&Conditions<'_>>,
) {
    for (name, condition) in conditions.into_iter().flat_map(Entries::iter) {
        let entry = path.key(name);
        let operator = entry.member("ComparisonOperator");
        check.required(&operator, condition.comparison_operator.as_ref());
        check.one_of::<ComparisonOperator>(&operator, condition.comparison_operator.as_ref());
    }
}

/// Checks the enums of `AttributeUpdates`.
pub(crate) fn constrain_updates(
    check: &mut Constraints,
    path: &Path<'_>,
    updates: Option<&AttributeUpdates<'_>>,
) {
    for (name, update) in updates.into_iter().flat_map(Entries::iter) {
        check.one_of::<AttributeAction>(&path.key(name).member("Action"), update.action.as_ref());
    }
}

/// Checks that `ConditionalOperator` has several conditions to join, of `Expected`, `QueryFilter` or `ScanFilter`.
///
/// # Errors
///
/// `ValidationException` if there are fewer than two.
pub(crate) fn check_operator<T>(
    operator: Option<&Text<'_>>,
    conditions: Option<&Entries<'_, T>>,
    texts: Texts,
) -> Result<(), ApiError> {
    let text = match (operator, conditions.map_or(0, Entries::len)) {
        (None, _) | (_, 2..) => return Ok(()),
        (Some(_), 0) => "ConditionalOperator cannot be used without Filter or Expected",
        (Some(_), 1) => {
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        }
    };
    Err(ApiError::validation(texts.envelope(text.to_owned())))
}

/// Takes `Expected`, checking its names and values in the order of the request.
///
/// # Errors
///
/// `ValidationException` for a name or a value that is none.
pub(crate) fn expected(
    expected: Option<Expected<'_>>,
    texts: Texts,
) -> Result<BTreeMap<String, pretender::items::legacy::ExpectedAttributeValue>, ApiError> {
    let take = |(name, entry): (Text<'_>, ExpectedAttributeValue<'_>)| {
        check_name(&name, texts)?;
        let value = entry.value.map(|value| value.checked(texts)).transpose()?;
        let list = entry.attribute_value_list.map(|list| values(list, texts)).transpose()?;
        let taken = pretender::items::legacy::ExpectedAttributeValue {
            value,
            exists: entry.exists,
            comparison_operator: word(entry.comparison_operator.as_ref()),
            attribute_value_list: list,
        };
        Ok((name.into_owned(), taken))
    };
    expected.unwrap_or_default().into_iter().map(take).collect()
}

/// Takes `KeyConditions`, `QueryFilter` or `ScanFilter`, checking names and values in the order of the request.
///
/// # Errors
///
/// `ValidationException` for a name or a value that is none.
pub(crate) fn conditions(
    conditions: Conditions<'_>,
    texts: Texts,
) -> Result<BTreeMap<String, pretender::items::legacy::Condition>, ApiError> {
    let take = |(name, condition): (Text<'_>, Condition<'_>)| {
        check_name(&name, texts)?;
        let taken = pretender::items::legacy::Condition {
            comparison_operator: word(condition.comparison_operator.as_ref())
                .unwrap_or(ComparisonOperator::Eq),
            attribute_value_list: values(condition.attribute_value_list.unwrap_or_default(), texts)?,
        };
        Ok((name.into_owned(), taken))
    };
    conditions.into_iter().map(take).collect()
}

/// Takes `AttributeUpdates`, checking its values in the order of the request.
///
/// # Errors
///
/// `ValidationException` for a name or a value that is none.
pub(crate) fn updates(
    updates: Option<AttributeUpdates<'_>>,
    texts: Texts,
) -> Result<BTreeMap<String, pretender::items::legacy::AttributeValueUpdate>, ApiError> {
    let take = |(name, update): (Text<'_>, AttributeValueUpdate<'_>)| {
        check_name(&name, texts)?;
        let taken = pretender::items::legacy::AttributeValueUpdate {
            action: word(update.action.as_ref()).unwrap_or_default(),
            value: update.value.map(|value| value.checked(texts)).transpose()?,
        };
        Ok((name.into_owned(), taken))
    };
    updates.unwrap_or_default().into_iter().map(take).collect()
}

/// Takes `AttributesToGet`.
///
/// # Errors
///
/// `ValidationException` for a name that no attribute has.
pub(crate) fn attributes_to_get(names: Option<Vec<Text<'_>>>, texts: Texts) -> Result<Vec<String>, ApiError> {
    let take = |name: Text<'_>| check_name(&name, texts).map(|()| name.into_owned());
    names.into_iter().flatten().map(take).collect()
}

fn values(list: Vec<Value>, texts: Texts) -> Result<Vec<AttributeValue>, ApiError> {
    list.into_iter().map(|value| value.checked(texts)).collect()
}

/// The meaning of a word that has passed the constraints.
fn word<E: crate::constraint::WireEnum>(text: Option<&Text<'_>>) -> Option<E> {
    let text = text?;
    E::WORDS.iter().find(|(word, _)| word == text).map(|(_, meaning)| *meaning)
}
