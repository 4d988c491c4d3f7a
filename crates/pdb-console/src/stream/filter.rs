//! Which records of a stream are wanted, as the parameters of an address say it.

use pretender::streams::{EventDocument, EventName, EventPattern, StreamRecord};
use serde_json::Value;

use crate::Parameters;

/// Which records are wanted. Without any condition, all are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Records with one of these events; with any event if there are none.
    events: Vec<EventName>,
    /// Records with this in a value of their key.
    key: Option<KeyText>,
    /// Records that match this pattern, with its text.
    pattern: Option<(EventPattern, String)>,
}

/// A text in the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyText {
    text: String,
    is_whole: bool,
}

impl Filter {
    /// The parameter with an event, which may be given several times.
    pub(crate) const EVENT: &'static str = "event";
    /// The parameter with a text in the value of a key.
    pub(crate) const KEY: &'static str = "key";
    /// The parameter that says whether that text is the whole value.
    pub(crate) const WHOLE: &'static str = "whole";
    /// The parameter with a pattern of Lambda's.
    pub(crate) const PATTERN: &'static str = "pattern";

    /// Reads the filter in the parameters of an address.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(crate) fn of(parameters: &Parameters<'_>) -> Result<Self, String> {
        let mut events = Vec::new();
        for name in parameters.all(Self::EVENT).filter(|name| !name.is_empty()) {
            let event: EventName = name
                .parse()
                .map_err(|_| format!("There is no event `{name}`: a record is INSERT, MODIFY or REMOVE."))?;
            if !events.contains(&event) {
                events.push(event);
            }
        }
        let text = parameters.get(Self::KEY);
        let is_whole = !parameters.get(Self::WHOLE).is_empty();
        let key = (!text.is_empty()).then(|| KeyText { text: text.to_owned(), is_whole });
        let text = parameters.get(Self::PATTERN).trim();
        let pattern = (!text.is_empty()).then(|| match text.parse() {
            Ok(pattern) => Ok((pattern, text.to_owned())),
            Err(error) => Err(format!("Lambda would refuse this pattern: {error}")),
        });
        Ok(Self { events, key, pattern: pattern.transpose()? })
    }

    /// Returns the parameters that say the same.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters: Vec<_> =
            self.events.iter().map(|event| (Self::EVENT, event.as_str().to_owned())).collect();
        if let Some(key) = &self.key {
            parameters.push((Self::KEY, key.text.clone()));
            if key.is_whole {
                parameters.push((Self::WHOLE, "yes".to_owned()));
            }
        }
        parameters.extend(self.pattern.iter().map(|(_, text)| (Self::PATTERN, text.clone())));
        parameters
    }

    /// Returns whether every record is wanted.
    pub(crate) fn wants_all(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether records with this event are wanted, if nothing else is against them.
    pub(crate) fn wants_event(&self, event: EventName) -> bool {
        self.events.is_empty() || self.events.contains(&event)
    }

    /// Returns whether a record of the stream with this ARN is wanted. What is cheap is looked at first.
    pub(crate) fn matches(&self, record: &StreamRecord, stream_arn: &str) -> bool {
        self.wants_event(record.event_name)
            && self.key.as_ref().is_none_or(|key| key.is_in(record.keys.json()))
            && self
                .pattern
                .as_ref()
                .is_none_or(|(pattern, _)| pattern.matches(&EventDocument::of_record(record, stream_arn)))
    }
}

impl KeyText {
    /// Returns whether a value of a key, in DynamoDB JSON, has the text.
    fn is_in(&self, keys: &str) -> bool {
        let keys: Value = serde_json::from_str(keys).unwrap_or_default();
        let mut values = keys
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, typed)| typed.as_object()?.values().next()?.as_str());
        values.any(|value| if self.is_whole { value == self.text } else { value.contains(&self.text) })
    }
}

#[cfg(test)]
mod tests {
    use pretender::prelude::*;

    use super::*;

    fn records() -> (Vec<StreamRecord>, String) {
        let db = Pretender::in_memory().unwrap();
        let orders = TableName::new("orders").unwrap();
        let table = db
            .create_table(CreateTableInput {
                stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
                ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), Some(("n", ScalarType::N)))
            })
            .unwrap();
        let key = |id: &str, n: i64| Item::new().with("id", id).with("n", n);
        db.put_item(PutItemInput::new(orders.clone(), key("o1", 10).with("city", "Bern"))).unwrap();
        db.put_item(PutItemInput::new(orders.clone(), key("o1", 10).with("city", "Basel"))).unwrap();
        db.put_item(PutItemInput::new(orders.clone(), key("o12\"<b>", 7))).unwrap();
        db.delete_item(DeleteItemInput::new(orders, key("o1", 10))).unwrap();
        let arn = table.latest_stream_arn.unwrap().to_string();
        let events = db.subscribe().stream(&arn).start().unwrap();
        (events.map(|event| event.unwrap().record).collect(), arn)
    }

    #[test]
    fn records_are_filtered_by_event_key_and_pattern() {
        let (records, arn) = records();
        let letters = |query: &str| -> String {
            let filter = Filter::of(&Parameters::of(query.as_bytes())).unwrap();
            let wanted = records.iter().filter(|record| filter.matches(record, &arn));
            wanted.map(|record| &record.event_name.as_str()[..1]).collect()
        };
        for (query, expected) in [
            ("", "IMIR"),
            ("event=&key=&pattern=", "IMIR"),
            ("event=INSERT", "II"),
            ("event=INSERT&event=REMOVE&event=INSERT", "IIR"),
            ("key=o1", "IMIR"),
            ("key=o1&whole=yes", "IMR"),
            ("key=10&whole=yes", "IMR"),
            ("key=7", "I"),
            ("key=%22%3Cb%3E", "I"),
            ("key=id", ""),
            ("event=MODIFY&key=7", ""),
            (r#"pattern={"dynamodb":{"NewImage":{"city":{"S":["Basel"]}}}}"#, "M"),
            (r#"pattern={"eventName":["REMOVE"]}&event=INSERT"#, ""),
        ] {
            assert_eq!(letters(query), expected, "{query}");
        }
    }

    #[test]
    fn a_filter_has_the_parameters_it_was_read_from() {
        for query in
            ["", "event=INSERT&event=MODIFY", "key=a b&whole=yes", r#"pattern={"eventName":["INSERT"]}"#]
        {
            let filter = Filter::of(&Parameters::of(query.as_bytes())).unwrap();
            let shown: Vec<_> =
                filter.parameters().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(shown.join("&"), query);
            assert_eq!(filter.wants_all(), query.is_empty());
        }
    }

    #[test]
    fn what_is_no_filter_is_explained() {
        for (query, text) in [
            ("event=UPSERT", "There is no event `UPSERT`"),
            ("pattern=[]", "Lambda would refuse this pattern: Invalid filter pattern definition."),
            ("pattern=%7B", "Invalid filter pattern definition."),
        ] {
            let error = Filter::of(&Parameters::of(query.as_bytes())).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
