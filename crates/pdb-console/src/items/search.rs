//! What the form of the items page asks for: the parameters of its address.

use crate::request::Parameters;

/// The number of items on a page, if none is given.
pub(super) const DEFAULT_LIMIT: &str = "50";

/// A search for items, as a person has typed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// The name of an index; empty for the table itself.
    pub(super) index: String,
    /// A value for each attribute of the partition key. If all are empty, the search is a scan.
    pub(super) partition: Vec<String>,
    pub(super) sort: Vec<SortCondition>,
    pub(super) filters: Vec<Filter>,
    /// A filter expression, with names and values of its own as JSON.
    pub(super) expression: String,
    pub(super) names: String,
    pub(super) values: String,
    pub(super) descending: bool,
    pub(super) consistent: bool,
    pub(super) limit: String,
    /// The key with which the page starts, as DynamoDB JSON.
    pub(super) start: String,
}

/// A condition on an attribute of the sort key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SortCondition {
    pub(super) operator: String,
    pub(super) value: String,
    /// The upper end of `between`.
    pub(super) end: String,
}

/// A condition on any attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) attribute: String,
    pub(super) operator: String,
    pub(super) value_type: String,
    pub(super) value: String,
}

impl Search {
    pub(super) fn of(query: &Parameters<'_>) -> Self {
        let all = |name: &str| query.all(name).map(str::to_owned).collect::<Vec<_>>();
        let (ends, values) = (all("end"), all("sk"));
        let at = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
        let sort = all("so").into_iter().enumerate().map(|(index, operator)| SortCondition {
            operator,
            value: at(&values, index),
            end: at(&ends, index),
        });
        let (operators, types, operands) = (all("fo"), all("ft"), all("fv"));
        let filters = all("fa").into_iter().enumerate().map(|(index, attribute)| Filter {
            attribute,
            operator: at(&operators, index),
            value_type: at(&types, index),
            value: at(&operands, index),
        });
        Self {
            index: query.get("index").to_owned(),
            partition: all("pk"),
            sort: sort.collect(),
            filters: filters.filter(|filter| !filter.attribute.trim().is_empty()).collect(),
            expression: query.get("filter").to_owned(),
            names: query.get("names").to_owned(),
            values: query.get("values").to_owned(),
            descending: query.get("order") == "desc",
            consistent: query.get("consistent") == "yes",
            limit: query.find("limit").unwrap_or(DEFAULT_LIMIT).trim().to_owned(),
            start: query.get("start").to_owned(),
        }
    }

    /// Returns whether the search is for a partition: a query, not a scan.
    pub(super) fn is_query(&self) -> bool {
        self.partition.iter().any(|value| !value.is_empty())
    }

    /// Returns whether anything is filtered out.
    pub(super) fn has_filter(&self) -> bool {
        !self.filters.is_empty() || !self.expression.trim().is_empty()
    }

    /// Returns the parameters of the same search of a table that starts with another key.
    pub(super) fn parameters<'s>(&'s self, table: &'s str, start: &'s str) -> Vec<(&'s str, &'s str)> {
        let mut parameters = vec![("table", table), ("index", self.index.as_str())];
        parameters.extend(self.partition.iter().map(|value| ("pk", value.as_str())));
        for condition in &self.sort {
            parameters.extend([
                ("so", &*condition.operator),
                ("sk", &*condition.value),
                ("end", &*condition.end),
            ]);
        }
        for filter in &self.filters {
            parameters.extend([("fa", &*filter.attribute), ("fo", &*filter.operator)]);
            parameters.extend([("ft", &*filter.value_type), ("fv", &*filter.value)]);
        }
        let rest = [("filter", &self.expression), ("names", &self.names), ("values", &self.values)];
        parameters.extend(
            rest.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, &**value)),
        );
        parameters.extend(self.descending.then_some(("order", "desc")));
        parameters.extend(self.consistent.then_some(("consistent", "yes")));
        parameters.push(("limit", &self.limit));
        parameters.extend((!start.is_empty()).then_some(("start", start)));
        parameters
    }
}

#[cfg(test)]
mod tests {
    use form_urlencoded::Serializer;

    use super::*;

    #[test]
    fn a_search_survives_its_address() {
        let search = Search {
            index: "by-status".to_owned(),
            partition: vec!["open & <b>".to_owned(), String::new()],
            sort: vec![
                SortCondition::default(),
                SortCondition { operator: "between".to_owned(), value: "1".to_owned(), end: "2".to_owned() },
            ],
            filters: vec![Filter {
                attribute: "name".to_owned(),
                operator: "=".to_owned(),
                value_type: "S".to_owned(),
                value: "ä\n\"".to_owned(),
            }],
            expression: "#a = :a".to_owned(),
            names: r##"{"#a":"b"}"##.to_owned(),
            values: r#"{":a":1}"#.to_owned(),
            descending: true,
            consistent: true,
            limit: "7".to_owned(),
            start: r#"{"id":{"S":"+&="}}"#.to_owned(),
        };
        let mut address = Serializer::new(String::new());
        address.extend_pairs(search.parameters("orders", &search.start));
        let address = address.finish();
        assert_eq!(Search::of(&Parameters::of(address.as_bytes())), search);
        let empty = Search::of(&Parameters::of(b"table=orders&fa=&fo=%3D"));
        assert!(!empty.is_query() && !empty.has_filter() && empty.limit == DEFAULT_LIMIT);
    }
}
