//! Options that several operations share, under DynamoDB's names.

use crate::ItemsError;

/// Which values of the item a write returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnValues {
    /// Nothing.
    #[default]
    None,
    /// The whole item before the write.
    AllOld,
    /// The whole item after the write.
    AllNew,
    /// What the update touched, before it.
    UpdatedOld,
    /// What the update touched, after it.
    UpdatedNew,
}

/// Checks what `PutItem` and `DeleteItem` are asked to return.
pub(crate) fn check_old_or_none(return_values: ReturnValues) -> Result<(), ItemsError> {
    match return_values {
        ReturnValues::None | ReturnValues::AllOld => Ok(()),
        ReturnValues::AllNew | ReturnValues::UpdatedOld | ReturnValues::UpdatedNew => {
            Err(ItemsError::validation("ReturnValues can only be ALL_OLD or NONE"))
        }
    }
}

/// Whether a failed condition shows the item it was checked against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnValuesOnConditionCheckFailure {
    /// It does not.
    #[default]
    None,
    /// It does.
    AllOld,
}

/// How much a response says about the capacity it consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnConsumedCapacity {
    /// Nothing.
    #[default]
    None,
    /// The sum for each table.
    Total,
    /// The sum and its parts: the table itself and each index touched.
    Indexes,
}

/// Whether a write describes the item collections it touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnItemCollectionMetrics {
    /// It does not.
    #[default]
    None,
    /// Their estimated sizes.
    Size,
}

/// What a query or a scan returns of the items it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Select {
    /// Whole items; a local index fetches what it lacks from the table.
    AllAttributes,
    /// What the index holds.
    AllProjectedAttributes,
    /// What the projection names.
    SpecificAttributes,
    /// Only how many there are.
    Count,
}

impl Select {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllAttributes => "ALL_ATTRIBUTES",
            Self::AllProjectedAttributes => "ALL_PROJECTED_ATTRIBUTES",
            Self::SpecificAttributes => "SPECIFIC_ATTRIBUTES",
            Self::Count => "COUNT",
        }
    }
}

/// Which generation of AWS's texts is used where two are alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MessageLayer {
    /// The texts that a decade of clients knows.
    #[default]
    Classic,
    /// Validation messages that AWS introduced in 2026.
    Modern2026,
}
