//! Positions of readers of an archive and its live stream, as the text of an iterator.

use pdb_model::SequenceNumber;

/// A position of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) stream_arn: String,
    pub(crate) shard_id: String,
    /// The number of the last record before the position. A reader of the live stream may not know it.
    pub(crate) after: Option<SequenceNumber>,
    /// The iterator of the live stream; without one, the archive is read.
    pub(crate) live: Option<String>,
}

impl Token {
    pub(crate) fn archive(stream_arn: &str, shard_id: &str, after: SequenceNumber) -> String {
        Self { stream_arn: stream_arn.into(), shard_id: shard_id.into(), after: Some(after), live: None }
            .text()
    }

    pub(crate) fn live(
        stream_arn: &str,
        shard_id: &str,
        after: Option<SequenceNumber>,
        iterator: String,
    ) -> String {
        Self { stream_arn: stream_arn.into(), shard_id: shard_id.into(), after, live: Some(iterator) }.text()
    }

    fn text(&self) -> String {
        let after = self.after.map(|after| after.to_string()).unwrap_or_default();
        let (kind, live) = match &self.live {
            Some(live) => ("live", live.as_str()),
            None => ("archive", ""),
        };
        format!("{kind}|{}|{}|{after}|{live}", self.stream_arn, self.shard_id)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '|');
        let (kind, stream_arn, shard_id) =
            (parts.next()?, parts.next()?.to_owned(), parts.next()?.to_owned());
        let after = match parts.next()? {
            "" => None,
            number => Some(number.parse().ok()?),
        };
        let live = parts.next()?.to_owned();
        let live = match kind {
            "live" => Some(live),
            "archive" if after.is_some() => None,
            _ => return None,
        };
        Some(Self { stream_arn, shard_id, after, live })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_were_written() {
        let after = SequenceNumber { counter: 3, shard: 1 };
        for text in [
            Token::archive("arn", "shard", after),
            Token::live("arn", "shard", Some(after), "arn|1|abc".to_owned()),
            Token::live("arn", "shard", None, "x".to_owned()),
        ] {
            assert_eq!(Token::parse(&text).unwrap().text(), text);
        }
        for bad in ["", "archive|a|b||", "live|a|b|x|y", "other|a|b||", "archive|a|b"] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }
}
