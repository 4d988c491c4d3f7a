//! Operations that are carried out on threads that may block, and their arguments, kept for the thread.
//!
//! Such operations take names and ARNs by reference. An async call hands its work to another thread, which needs values of its own.

use pdb_items::tables::{
    CreateTableInput, ListBackupsInput, ListTablesInput, RestoreOverrides, RestoreToPointInTimeInput, Tag,
    TimeToLiveSpecification, UpdateContributorInsightsInput, UpdateTableInput,
};
use pdb_model::{IndexName, TableName, TimePrecision};
use pdb_transfers::{
    ExportTableInput, ImportTableInput, ListBulkOperationsInput, ListExportsInput, ListImportsInput,
    StartBulkPutItemsInput,
};

/// Gives [`Pretender`](crate::Pretender) operations, each as a call that blocks and as one that does not.
///
/// Before them stand the names of two methods of it: one returns what carries the operations out, the other turns errors into AWS's.
macro_rules! operations {
    ($manager:ident, $api_error:ident: $($(#[$doc:meta])* $operation:ident: $name:ident, $name_async:ident($($argument:ident: $type:ty),*) -> $output:ty;)+) => {
        impl Pretender {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// [`ApiError`] with AWS's code and text. The call had no effect then.
                pub fn $name(&self $(, $argument: $type)*) -> Result<$output, ApiError> {
                    self.inject(Operation::$operation, &Arguments(&[$(&$argument),*]))?;
                    self.$manager().$name($($argument),*).map_err(|error| self.$api_error(error))
                }

                #[doc = concat!("Async variant of [`Pretender::", stringify!($name), "`].")]
                ///
                /// # Errors
                ///
                #[doc = concat!("As [`Pretender::", stringify!($name), "`].")]
                pub async fn $name_async(&self $(, $argument: $type)*) -> Result<$output, ApiError> {
                    self.inject_async(Operation::$operation, &Arguments(&[$(&$argument),*])).await?;
                    $(let $argument = $argument.keep();)*
                    self.in_background(move |db| {
                        db.$manager().$name($($argument.lend()),*).map_err(|error| db.$api_error(error))
                    })
                    .await
                }
            )+
        }
    };
}
pub(crate) use operations;

/// An argument that can be kept.
pub(crate) trait Keep {
    /// What is kept of it.
    type Kept: Send + 'static;

    /// Keeps it.
    fn keep(self) -> Self::Kept;
}

/// A kept argument, which is lent to one call.
pub(crate) trait Lend {
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
pub(crate) struct Owned<T>(T);

/// What is kept of a reference that may be absent.
pub(crate) struct OptionOwned<T>(Option<T>);

/// An argument that is passed by value.
pub(crate) struct Value<T>(T);

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
    ListImportsInput => ListImportsInput;
    ListExportsInput => ListExportsInput;
    ListBulkOperationsInput => ListBulkOperationsInput;
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
    ImportTableInput,
    ExportTableInput,
    StartBulkPutItemsInput,
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
