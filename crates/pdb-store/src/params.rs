//! Values bound to statements.

/// A value bound to a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl<'a> Param<'a> {
    pub(crate) fn optional_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    pub(crate) fn optional_integer(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Integer)
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::optional_text(text)
    }
}

/// The most values that [`Params`] has room for.
const CAPACITY: usize = 8;
/// The most columns that a key has.
const KEY_COLUMNS: usize = 3;
/// The most columns that a bound of a range has.
#[cfg(feature = "postgres")]
const BOUND_COLUMNS: usize = 2;

/// The values of a statement that begins with a key, without a list on the heap: how many columns a key has depends on the engine.
pub(crate) struct Params<'p> {
    values: [Param<'p>; CAPACITY],
    count: usize,
}

impl<'p> Params<'p> {
    /// Returns the columns of a key, followed by `more`. More of them than there is room for do not compile.
    pub(crate) fn of_key<const N: usize>(key: &[Param<'p>], more: [Param<'p>; N]) -> Self {
        const { assert!(KEY_COLUMNS + N <= CAPACITY, "a statement has too many parameters") };
        Self::joined(key, &more)
    }

    /// Returns the columns of two bounds of a range.
    #[cfg(feature = "postgres")]
    pub(crate) fn of_range(lower: &[Param<'p>], upper: &[Param<'p>]) -> Self {
        const { assert!(2 * BOUND_COLUMNS <= CAPACITY, "a statement has too many parameters") };
        Self::joined(lower, upper)
    }

    fn joined(first: &[Param<'p>], more: &[Param<'p>]) -> Self {
        debug_assert!(first.len() + more.len() <= CAPACITY, "a statement has too many parameters");
        let mut params = Self { values: [Param::Null; CAPACITY], count: 0 };
        for value in first.iter().chain(more) {
            params.values[params.count] = *value;
            params.count += 1;
        }
        params
    }
}

impl<'p> std::ops::Deref for Params<'p> {
    type Target = [Param<'p>];

    fn deref(&self) -> &[Param<'p>] {
        &self.values[..self.count]
    }
}
