//! Reading long ranges in pages, each going on behind the last key, in the same snapshot: PostgreSQL makes all rows of an answer before
//! it sends the first, and with the limit in the text its planner takes the index.

use std::ops::ControlFlow;

use crate::{
    error::{During, StoreError},
    params::Param,
    postgres::{
        page::Page,
        session::{PgRow, Session},
        texts,
    },
    rows::items::Direction,
    sql::texts::ScanSql,
};

/// What a row of a page says: whether to go on, its bytes, and where it stands in the range.
type Step<P> = (ControlFlow<()>, usize, P);

/// Reads a range of keys. The bounds are those of [`Driver::read_keys`](crate::driver::Driver::read_keys).
pub(crate) fn read_keys(
    session: &Session,
    during: &'static str,
    sql: &ScanSql,
    direction: Direction,
    (mut lower, mut upper): (Vec<u8>, Option<Vec<u8>>),
    mut each: impl FnMut(&PgRow) -> Result<Step<Vec<u8>>, StoreError>,
) -> Result<(), StoreError> {
    let mut page = Page::first();
    loop {
        let text = page.limited(sql.text(direction, upper.is_some()));
        let (low, high) = (texts::key_columns(&lower), upper.as_deref().map(texts::key_columns));
        let params = low.range(high.as_ref());
        let Some(last) = read_page(session, during, &text, &params, &mut page, &mut each)? else {
            return Ok(());
        };
        match direction {
            // The least bytes above a key are the key and a zero.
            Direction::Forward => lower = [last, vec![0]].concat(),
            Direction::Backward => upper = Some(last),
        }
        page = page.next();
    }
}

/// Reads a range of stream records.
pub(crate) fn read_records(
    session: &Session,
    during: &'static str,
    sql: &str,
    (mut first, last): (i64, i64),
    mut each: impl FnMut(&PgRow) -> Result<Step<i64>, StoreError>,
) -> Result<(), StoreError> {
    let mut page = Page::first();
    loop {
        let params = [Param::Integer(first), Param::Integer(last)];
        let text = page.limited(sql);
        match read_page(session, during, &text, &params, &mut page, &mut each)? {
            Some(number) => first = number + 1,
            None => return Ok(()),
        }
        page = page.next();
    }
}

/// Reads one page; returns where its last row stands if there may be another page.
fn read_page<P>(
    session: &Session,
    during: &'static str,
    sql: &str,
    params: &[Param<'_>],
    page: &mut Page,
    each: &mut impl FnMut(&PgRow) -> Result<Step<P>, StoreError>,
) -> Result<Option<P>, StoreError> {
    let rows = session.query(sql, params).during(during)?;
    let (mut last, mut read, mut is_done) = (None, 0_usize, false);
    for row in &rows {
        let (flow, bytes, place) = each(row)?;
        read += 1;
        page.read(bytes);
        is_done = flow.is_break();
        if is_done {
            break;
        }
        last = Some(place);
    }
    // The rows that were looked at, as on SQLite: the page has more of them.
    tracing::trace!(target: "pdb_store::statement", sql, rows = read);
    Ok(last.filter(|_| !is_done && page.is_full()))
}
