//! Words of the enums that operations on tables take, in the order in which AWS prints each set.

use pdb_model::{BillingMode, DistanceFunction, ScalarType, SearchRole, StreamViewType, TimePrecision};
use pretender::tables::{KeyType, ProjectionType, SseType};

use crate::constraint::wire_enum;

wire_enum!(KeyType { "HASH" => KeyType::Hash, "RANGE" => KeyType::Range });
wire_enum!(ScalarType { "B" => ScalarType::B, "N" => ScalarType::N, "S" => ScalarType::S });
wire_enum!(BillingMode {
    "PROVISIONED" => BillingMode::Provisioned,
    "PAY_PER_REQUEST" => BillingMode::PayPerRequest,
});
wire_enum!(ProjectionType {
    "ALL" => ProjectionType::All,
    "INCLUDE" => ProjectionType::Include,
    "KEYS_ONLY" => ProjectionType::KeysOnly,
});
// Observed at AWS: streams.md 2.5.
wire_enum!(StreamViewType {
    "OLD_IMAGE" => StreamViewType::OldImage,
    "KEYS_ONLY" => StreamViewType::KeysOnly,
    "NEW_AND_OLD_IMAGES" => StreamViewType::NewAndOldImages,
    "NEW_IMAGE" => StreamViewType::NewImage,
});
wire_enum!(DistanceFunction {
    "COSINE" => DistanceFunction::Cosine,
    "DOT_PRODUCT" => DistanceFunction::DotProduct,
    "EUCLIDEAN" => DistanceFunction::Euclidean,
});
wire_enum!(SearchRole { "HASH" => SearchRole::Hash, "INLINE_FILTER" => SearchRole::InlineFilter });
wire_enum!(SseType { "AES256" => SseType::Aes256, "KMS" => SseType::Kms });
wire_enum!(TimePrecision {
    "MILLISECOND" => TimePrecision::Millisecond,
    "MICROSECOND" => TimePrecision::Microsecond,
});
