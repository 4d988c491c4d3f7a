//! A key as the columns of an engine's tables have it.

use crate::params::{Param, Params};

/// A key divided into columns, as [`Dialect::key_columns`](crate::dialect::Dialect::key_columns) divides it. Where an engine keeps
/// keys in one piece, `head` is all of it.
pub(crate) struct KeyColumns<'k> {
    pub(crate) head: &'k [u8],
    pub(crate) rest: &'k [u8],
    /// A hash of `rest`, unless that is empty.
    pub(crate) tail: Option<[u8; 32]>,
    pub(crate) is_divided: bool,
}

impl KeyColumns<'_> {
    /// What finds the row of this key, followed by `more`.
    pub(crate) fn identity<'p, const N: usize>(&'p self, more: [Param<'p>; N]) -> Params<'p> {
        let columns = [Param::Blob(self.head), Param::Blob(self.tail())];
        Params::of_key(&columns[..if self.is_divided { 2 } else { 1 }], more)
    }

    /// What finds the row of this key, whose row id is `id` where rows have one, followed by `more`.
    pub(crate) fn row<'p, const N: usize>(&'p self, id: i64, more: [Param<'p>; N]) -> Params<'p> {
        if self.is_divided { self.identity(more) } else { Params::of_key(&[Param::Integer(id)], more) }
    }

    /// All columns, for a new row, followed by `more`.
    pub(crate) fn all<'p, const N: usize>(&'p self, more: [Param<'p>; N]) -> Params<'p> {
        let columns = [Param::Blob(self.head), Param::Blob(self.tail()), Param::Blob(self.rest)];
        Params::of_key(&columns[..if self.is_divided { 3 } else { 1 }], more)
    }

    /// The columns that bound a range, followed by `more`.
    pub(crate) fn bound<'p, const N: usize>(&'p self, more: [Param<'p>; N]) -> Params<'p> {
        Params::of_key(&self.bound_columns()[..self.bound_count()], more)
    }

    /// The columns that bound a range from this key up to `upper`, if there is such a bound.
    #[cfg(feature = "postgres")]
    pub(crate) fn range<'p>(&'p self, upper: Option<&'p Self>) -> Params<'p> {
        let lower = &self.bound_columns()[..self.bound_count()];
        match upper {
            Some(upper) => Params::of_range(lower, &upper.bound_columns()[..upper.bound_count()]),
            None => Params::of_range(lower, &[]),
        }
    }

    fn bound_columns(&self) -> [Param<'_>; 2] {
        [Param::Blob(self.head), Param::Blob(self.rest)]
    }

    fn bound_count(&self) -> usize {
        if self.is_divided { 2 } else { 1 }
    }

    fn tail(&self) -> &[u8] {
        self.tail.as_ref().map_or(&[], |tail| tail.as_slice())
    }
}
