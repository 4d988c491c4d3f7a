//! Pages of lists, and the tokens that lead from one to the next.

use pdb_model::TableArn;

use crate::error::TransferError;

/// Returns the next token: AWS's are hexadecimal digits, a multiple of 16 of them, at least 112.
pub(crate) fn token_after(arn: &str) -> String {
    let mut digits: String = arn.bytes().map(|byte| format!("{byte:02x}")).collect();
    while digits.len() < 112 || !digits.len().is_multiple_of(16) {
        digits.push_str("00");
    }
    digits
}

/// Returns the ARN that a token was made of.
pub(crate) fn arn_in(token: &str) -> Option<String> {
    if !token.len().is_multiple_of(2) || !token.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&token[at..at + 2], 16).ok();
    let bytes: Option<Vec<u8>> = (0..token.len()).step_by(2).map(byte).collect();
    let mut bytes = bytes?;
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    bytes.truncate(end);
    String::from_utf8(bytes).ok()
}

/// Cuts a page out of a list that is in its order, behind the entry with the ARN `after`; returns it with the next token.
///
/// An entry that has gone since is no longer needed: `is_behind` says whether an entry comes behind that ARN.
pub(crate) fn cut<T>(
    entries: Vec<T>,
    after: Option<&str>,
    limit: usize,
    arn: impl Fn(&T) -> &str,
    is_behind: impl Fn(&str, &str) -> bool,
) -> (Vec<T>, Option<String>) {
    let mut page: Vec<T> =
        entries.into_iter().filter(|entry| after.is_none_or(|after| is_behind(arn(entry), after))).collect();
    let has_more = page.len() > limit;
    page.truncate(limit);
    let token = page.last().filter(|_| has_more).map(|last| token_after(arn(last)));
    (page, token)
}

/// The order of lists: by the end of the ARN, which begins with the time, then by the rest of it.
pub(crate) fn newest_first(one: &str, other: &str) -> std::cmp::Ordering {
    let key = |arn: &str| (arn.rsplit('/').next().unwrap_or_default().to_owned(), arn.to_owned());
    key(other).cmp(&key(one))
}

/// Returns the ARN behind which a page begins.
pub(crate) fn page_begin(token: Option<&str>) -> Result<Option<String>, TransferError> {
    let Some(token) = token else { return Ok(None) };
    let arn = arn_in(token).filter(|arn| TableArn::at_start_of(arn).is_some());
    arn.map(Some).ok_or_else(|| TransferError::validation("Invalid NextToken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_of_an_arn_and_leads_back_to_it() {
        for arn in ["a", "arn:aws:dynamodb:us-east-1:000000000000:table/T/import/01772356542017-a1b2c3d4", ""]
        {
            let token = token_after(arn);
            assert!(token.len() >= 112 && token.len().is_multiple_of(16));
            assert_eq!(arn_in(&token), (!arn.is_empty()).then(|| arn.to_owned()));
        }
        for bad in ["", "0", "zz", "0000", "é0", "ff"] {
            assert_eq!(arn_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let arns: Vec<String> = (0..7).rev().map(|n| format!("arn/{n}")).collect();
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let cut = cut(arns.clone(), after.as_deref(), 3, |arn| arn, |one, other| one < other);
            seen.extend(cut.0);
            let Some(token) = cut.1 else { break };
            after = arn_in(&token);
        }
        assert_eq!(seen, arns);
    }
}
