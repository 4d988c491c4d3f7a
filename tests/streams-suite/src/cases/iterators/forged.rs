//! Strings that are no iterators of the server's.

use serde_json::json;

use crate::case::Group;
use crate::check;
use crate::expect::Text;
use crate::lane::Lane;

/// Makes strings that are almost an iterator.
type Forge = fn(&str) -> String;

pub(super) fn add(group: &mut Group) {
    let rows: [(&'static str, Forge); 9] = [
        ("no-iterator-at-all", |_| "garbage".into()),
        ("one-character", |_| "x".into()),
        ("only-the-arn", |it| it.split('|').next().unwrap_or_default().into()),
        ("without-its-token", |it| format!("{}|1|", it.split('|').next().unwrap_or_default())),
        ("token-cut-in-half", |it| {
            let token = it.rsplit('|').next().unwrap_or_default();
            it[..it.len() - token.len() / 2].to_owned()
        }),
        ("token-with-a-changed-character", |it| change_token(it, 2)),
        ("token-with-a-changed-middle", |it| {
            change_token(it, it.rsplit('|').next().unwrap_or_default().len() / 2)
        }),
        ("token-of-other-text", |it| {
            format!("{}|1|bm90IGFuIGl0ZXJhdG9y", it.split('|').next().unwrap_or_default())
        }),
        ("not-ascii", |it| format!("{it}\u{1f980}")),
    ];
    for (name, forge) in rows {
        group.case(format!("forged/{name}"), &[16, 17], move |cx| {
            let lane = Lane::new(cx, 1)?;
            let forged = forge(&lane.iterator(cx, "TRIM_HORIZON")?);
            let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": forged}))?;
            refused.check_validation(Text::Any).map_err(|stop| stop.during(&format!("iterator `{forged}`")))
        });
    }
    group
        .case("forged/token-of-another-stream", &[16], |cx| {
            let (one, two) = (Lane::new(cx, 1)?, Lane::new(cx, 1)?);
            let token = two.iterator(cx, "TRIM_HORIZON")?.rsplit('|').next().unwrap_or_default().to_owned();
            let iterator = one.iterator(cx, "TRIM_HORIZON")?;
            let own = iterator.rsplit('|').next().unwrap_or_default();
            let forged = format!("{}{token}", &iterator[..iterator.len() - own.len()]);
            let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": forged}))?;
            refused.check_validation(Text::Any)
        })
        .inferred();
    group.case("forged/cut-anywhere-is-never-a-server-error", &[16], |cx| {
        let lane = Lane::new(cx, 1)?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        for end in (1..iterator.len()).step_by(7) {
            let request = json!({"ShardIterator": &iterator[..end]});
            let answer = cx.client().call(crate::Api::Streams, "GetRecords", &request)?;
            check!(answer.status < 500, "an iterator cut at {end} answered {}", answer.status);
        }
        Ok(())
    });
}

/// Changes one character of an iterator's token, the `at`th from its start.
fn change_token(iterator: &str, at: usize) -> String {
    let start = iterator.rfind('|').map_or(0, |bar| bar + 1);
    let change = |(index, c): (usize, char)| match c {
        'A' if index == start + at => 'Q',
        _ if index == start + at => 'A',
        c => c,
    };
    iterator.char_indices().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_changed_in_one_place() {
        assert_eq!(change_token("arn:x|1|ABCD", 2), "arn:x|1|ABAD");
    }
}
