//! What may be set for all operations on items.

use crate::habits::Habits;
use crate::options::MessageLayer;

/// What may be set for all operations on items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemsConfig {
    /// Which texts refused requests get.
    pub message_layer: MessageLayer,
    /// Which habits of DynamoDB Local they have.
    pub habits: Habits,
}
