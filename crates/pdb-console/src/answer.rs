//! What a page request is answered.

use maud::{Markup, html};

use crate::layout::{self, Section};
use crate::{Context, Tail};

/// What a request is answered. The caller adds the headers.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A page of HTML.
    Page {
        /// The HTTP status code.
        status: u16,
        /// The whole page.
        html: String,
    },
    /// The browser is to load another page: a relative address.
    SeeOther(String),
    /// A file that belongs to the pages.
    Asset {
        /// The value of `Content-Type`.
        content_type: &'static str,
        /// The contents.
        bytes: &'static [u8],
    },
    /// A file for the user to keep.
    Download {
        /// The suggested name.
        file_name: String,
        /// The value of `Content-Type`.
        content_type: &'static str,
        /// The contents.
        bytes: Vec<u8>,
    },
    /// Server-sent events, of the content type `text/event-stream`: what the tail sends when it is run.
    Events(Box<Tail>),
}

impl Answer {
    /// Returns a page with status 200.
    pub(crate) fn page(context: &Context<'_>, section: Section<'_>, content: Markup) -> Self {
        Self::page_with(200, context, section, content)
    }

    pub(crate) fn page_with(
        status: u16,
        context: &Context<'_>,
        section: Section<'_>,
        content: Markup,
    ) -> Self {
        Self::Page { status, html: layout::page(context, section, content).into_string() }
    }

    /// Returns the page for something that does not exist.
    pub(crate) fn not_found(context: &Context<'_>, text: &str) -> Self {
        let content = html! {
            h1 { "Not found" }
            p.notice { (text) }
            p { a href=(context.link("", &[])) { "Overview" } }
        };
        Self::page_with(404, context, Section::Other("Not found"), content)
    }

    /// Returns the page for a request that failed, with the reason.
    pub(crate) fn failed(context: &Context<'_>, title: &str, text: &str) -> Self {
        let content = html! {
            h1 { (title) }
            p.notice.bad role="alert" { (text) }
        };
        Self::page_with(400, context, Section::Other(title), content)
    }
}
