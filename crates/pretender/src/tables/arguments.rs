//! Arguments of a call, kept for the thread that carries it out.
//!
//! Operations on tables take names and ARNs by reference. An async call hands its work to another thread, which needs values of its own.

use pdb_items::tables::{
    CreateTableInput, ListBackupsInput, ListTablesInput, RestoreOverrides, RestoreToPointInTimeInput, Tag,
    TimeToLiveSpecification, UpdateContributorInsightsInput, UpdateTableInput,
};
use pdb_model::{IndexName, TableName, TimePrecision};

/// An argument that can be kept.
pub(super) trait Keep {
    /// What is kept of it.
    type Kept: Send + 'static;

    /// Keeps it.
    fn keep(self) -> Self::Kept;
}

/// A kept argument, which is lent to one call.
pub(super) trait Lend {
    /// The argument as the call takes it.
    type Lent<'a>
    where
        Self: 'a;

    /// Lends it.
    fn lend(&self) -> Self::Lent<'_>;
}

impl<T: ToOwned + ?Sized> Keep for &T
where
    T::Owned: Send + 'static,
{
    type Kept = Owned<T::Owned>;

    fn keep(self) -> Self::Kept {
        Owned(self.to_owned())
    }
}

impl<T: ToOwned + ?Sized> Keep for Option<&T>
where
    T::Owned: Send + 'static,
{
    type Kept = OptionOwned<T::Owned>;

    fn keep(self) -> Self::Kept {
        OptionOwned(self.map(ToOwned::to_owned))
    }
}

/// What is kept of a reference.
pub(super) struct Owned<T>(T);

/// What is kept of a reference that may be absent.
pub(super) struct OptionOwned<T>(Option<T>);

/// An argument that is passed by value.
pub(super) struct Value<T>(T);

macro_rules! lend_references {
    ($($owned:ty => $lent:ty;)+) => {
        $(
            impl Lend for Owned<$owned> {
                type Lent<'a> = &'a $lent;

                fn lend(&self) -> &$lent {
                    &self.0
                }
            }

            impl Lend for OptionOwned<$owned> {
                type Lent<'a> = Option<&'a $lent>;

                fn lend(&self) -> Option<&$lent> {
                    self.0.as_ref().map(|kept| kept as &$lent)
                }
            }
        )+
    };
}

lend_references! {
    String => str;
    TableName => TableName;
    IndexName => IndexName;
    ListTablesInput => ListTablesInput;
    ListBackupsInput => ListBackupsInput;
}

macro_rules! keep_values {
    ($($value:ty),+ $(,)?) => {
        $(impl Keep for $value {
            type Kept = Value<Self>;

            fn keep(self) -> Self::Kept {
                Value(self)
            }
        })+
    };
}

keep_values! {
    CreateTableInput,
    UpdateTableInput,
    UpdateContributorInsightsInput,
    RestoreToPointInTimeInput,
    RestoreOverrides,
    TimeToLiveSpecification,
    Vec<Tag>,
    Vec<String>,
    Option<TimePrecision>,
    Option<u32>,
    bool,
}

impl<T: Clone> Lend for Value<T> {
    type Lent<'a>
        = T
    where
        T: 'a;

    fn lend(&self) -> T {
        self.0.clone()
    }
}
