//! Which page a request means.

use crate::{
    Answer, Context, Request, asset, instrument, item, items, overview, partiql, stream, table, triggers,
};

impl Context<'_> {
    /// Answers a request. Blocks while it reads or writes.
    #[must_use]
    pub fn answer(&self, request: &Request<'_>) -> Answer {
        if let Some(asset) = asset(request.page) {
            return asset;
        }
        match request.page {
            "" => overview::answer(self, request),
            "instrument" => instrument::answer(self, request),
            "triggers" => triggers::answer(self, request),
            "table" => table::answer(self, request),
            "items" => items::answer(self, request),
            "item" => item::answer(self, request),
            "new-item" => item::create(self, request),
            "partiql" => partiql::answer(self, request),
            "stream" => stream::answer(self, request),
            "record" => stream::record(self, request),
            "export" => stream::export(self, request),
            "events" => stream::events(self, request),
            page => Answer::not_found(self, &format!("There is no page `{page}`.")),
        }
    }
}
