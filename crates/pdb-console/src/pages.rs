//! Which page a request means.

use crate::{Answer, Context, Request, assets, instrument, overview, triggers};

impl Context<'_> {
    /// Answers a request. Blocks while it reads or writes.
    #[must_use]
    pub fn answer(&self, request: &Request<'_>) -> Answer {
        if let Some(asset) = assets::find(request.page) {
            return asset;
        }
        match request.page {
            "" => overview::answer(self),
            "instrument" => instrument::answer(self, request),
            "triggers" => triggers::answer(self, request),
            page => Answer::not_found(self, &format!("There is no page `{page}`.")),
        }
    }
}
