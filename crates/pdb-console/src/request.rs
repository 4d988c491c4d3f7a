//! A request for a page, taken apart.

use std::borrow::Cow;

/// A request for a page.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The path after that of the console: empty for the overview.
    pub page: &'a str,
    /// Whether the request may change something. The caller has checked its token then.
    pub is_post: bool,
    query: &'a str,
    form: &'a [u8],
    last_event_id: Option<&'a str>,
}

/// The most parameters that are read. The largest form of a page has some dozens.
const MAX_PARAMETERS: usize = 1_000;

/// The parameters of a query or a form. A name that is given twice has the first value.
#[derive(Clone, Debug, Default)]
pub struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Request<'a> {
    /// The field of forms with their token.
    pub const TOKEN: &'static str = "form_token";

    /// Returns a request that shows a page.
    #[must_use]
    pub fn get(page: &'a str, query: &'a str) -> Self {
        Self { page, is_post: false, query, form: b"", last_event_id: None }
    }

    /// Returns a request with a form, in the encoding `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn post(page: &'a str, query: &'a str, form: &'a [u8]) -> Self {
        Self { page, is_post: true, query, form, last_event_id: None }
    }

    /// Sets the id of the last event that the browser has received: the header `Last-Event-ID`.
    #[must_use]
    pub fn with_last_event_id(self, last_event_id: Option<&'a str>) -> Self {
        Self { last_event_id, ..self }
    }

    /// Returns the id of the last event that the browser has received, if it has lost the connection.
    pub(crate) fn last_event_id(&self) -> Option<&'a str> {
        self.last_event_id
    }

    /// Returns whether only the part of the page is asked for that changes by itself.
    pub(crate) fn wants_part(&self) -> bool {
        self.query().find("part").is_some()
    }

    /// Returns the parameters of the address.
    pub(crate) fn query(&self) -> Parameters<'a> {
        Parameters::of(self.query.as_bytes())
    }

    /// Returns the fields of the form.
    pub(crate) fn form(&self) -> Parameters<'a> {
        Parameters::of(self.form)
    }
}

impl<'a> Parameters<'a> {
    /// Parses a query or a form.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        Self(form_urlencoded::parse(text).take(MAX_PARAMETERS).collect())
    }

    /// Returns the value of a parameter.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// Returns the value of a parameter; empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Returns all values of a parameter.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_ref())
    }
}
