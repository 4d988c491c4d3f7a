//! Reading a long range in pages, from a database that makes all rows of an answer before it hands out the first.

/// About how many bytes of a page are worth asking for at once.
const PAGE_BYTES: usize = 1 << 20;

/// A page of a range. Its limit is in the text of the statement, where the database's planner sees it, so there are few.
pub(crate) struct Page {
    limit: usize,
    rows: usize,
    bytes: usize,
}

impl Page {
    pub(crate) fn first() -> Self {
        Self::of(32)
    }

    fn of(limit: usize) -> Self {
        Self { limit, rows: 0, bytes: 0 }
    }

    /// The text of a statement that ends in `LIMIT`.
    pub(crate) fn limited(&self, sql: &str) -> String {
        format!("{sql}{}", self.limit)
    }

    /// Notes a row of this size.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes;
    }

    /// Whether there may be another.
    pub(crate) fn is_full(&self) -> bool {
        self.rows == self.limit
    }

    /// The page after this one: larger, unless the rows are.
    pub(crate) fn next(&self) -> Self {
        let row = (self.bytes / self.rows.max(1)).max(1);
        Self::of(match (self.limit, PAGE_BYTES / row) {
            (_, ..128) => 32,
            (..128, _) | (_, ..512) => 128,
            _ => 512,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_while_their_rows_are_small() {
        let limits = |bytes: usize| {
            let mut page = Page::first();
            let mut limits = Vec::new();
            for _ in 0..4 {
                limits.push(page.limit);
                (0..page.limit).for_each(|_| page.read(bytes));
                assert!(page.is_full());
                page = page.next();
            }
            limits
        };
        assert_eq!(limits(100), [32, 128, 512, 512]);
        assert_eq!(limits(4_000), [32, 128, 128, 128]);
        assert_eq!(limits(400_000), [32, 32, 32, 32]);
        assert_eq!(Page::first().limited("LIMIT "), "LIMIT 32");
    }
}
