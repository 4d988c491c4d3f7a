//! The words of the enums of item operations, in the order in which AWS prints them.

use pretender::items::legacy::{AttributeAction, ComparisonOperator, ConditionalOperator};
use pretender::items::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
    Select,
};

use crate::constraint::wire_enum;

wire_enum!(ReturnConsumedCapacity {
    "INDEXES" => Self::Indexes,
    "TOTAL" => Self::Total,
    "NONE" => Self::None,
});

wire_enum!(ReturnItemCollectionMetrics {
    "SIZE" => Self::Size,
    "NONE" => Self::None,
});

wire_enum!(ReturnValues {
    "ALL_NEW" => Self::AllNew,
    "UPDATED_OLD" => Self::UpdatedOld,
    "ALL_OLD" => Self::AllOld,
    "NONE" => Self::None,
    "UPDATED_NEW" => Self::UpdatedNew,
});

wire_enum!(ReturnValuesOnConditionCheckFailure {
    "ALL_OLD" => Self::AllOld,
    "NONE" => Self::None,
});

wire_enum!(Select {
    "SPECIFIC_ATTRIBUTES" => Self::SpecificAttributes,
    "COUNT" => Self::Count,
    "ALL_ATTRIBUTES" => Self::AllAttributes,
    "ALL_PROJECTED_ATTRIBUTES" => Self::AllProjectedAttributes,
});

wire_enum!(ConditionalOperator {
    "OR" => Self::Or,
    "AND" => Self::And,
});

wire_enum!(ComparisonOperator {
    "IN" => Self::In,
    "NULL" => Self::Null,
    "BETWEEN" => Self::Between,
    "LT" => Self::Lt,
    "NOT_CONTAINS" => Self::NotContains,
    "EQ" => Self::Eq,
    "GT" => Self::Gt,
    "NOT_NULL" => Self::NotNull,
    "NE" => Self::Ne,
    "LE" => Self::Le,
    "BEGINS_WITH" => Self::BeginsWith,
    "GE" => Self::Ge,
    "CONTAINS" => Self::Contains,
});

wire_enum!(AttributeAction {
    "ADD" => Self::Add,
    "DELETE" => Self::Delete,
    "PUT" => Self::Put,
});
