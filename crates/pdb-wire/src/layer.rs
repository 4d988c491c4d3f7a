//! The two generations of AWS's validation texts, and the one switch between them.
//!
//! Through 2026 AWS replaces its validation framework operation by operation. The checks and their order stay; some texts change.
//! Everything that depends on the generation asks [`Texts`], which joins the process's [`MessageLayer`] with the operation.

use pretender::MessageLayer;

/// How one operation phrases its rejections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    /// The new form of the constraint framework: no printed value, capitalised names, only the first error.
    pub(crate) is_modern: bool,
    /// Stateless rejections carry `1 validation error detected: `.
    pub(crate) is_enveloped: bool,
}

impl Texts {
    /// The texts of ten years; also those of the control plane, Streams and PartiQL, which have not moved.
    pub(crate) const CLASSIC: Self = Self { is_modern: false, is_enveloped: false };
    /// New texts, bare: reads.
    const MODERN_BARE: Self = Self { is_modern: true, is_enveloped: false };
    /// New texts in an envelope: the three single writes.
    const MODERN_ENVELOPED: Self = Self { is_modern: true, is_enveloped: true };

    /// How an operation of the given family speaks on a layer.
    pub(crate) fn of(layer: MessageLayer, family: Family) -> Self {
        match (layer, family) {
            (MessageLayer::Classic, _) => Self::CLASSIC,
            (MessageLayer::Modern2026, Family::SingleWrite) => Self::MODERN_ENVELOPED,
            (MessageLayer::Modern2026, Family::Read | Family::Bulk) => Self::MODERN_BARE,
        }
    }

    /// Puts a stateless rejection into the envelope, if this operation has one.
    pub(crate) fn envelope(self, message: String) -> String {
        if self.is_enveloped { format!("1 validation error detected: {message}") } else { message }
    }
}

/// Operations that move to the new texts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// PutItem, UpdateItem, DeleteItem.
    SingleWrite,
    /// GetItem, BatchGetItem, Query.
    Read,
    /// BatchWriteItem, Scan, transactions.
    Bulk,
}
