//! What pages are made from.

use form_urlencoded::Serializer;
use pdb_trigger::TriggerMonitor;
use pdb_wire::Wire;
use pretender::Pretender;
use serde_json::Value;

/// Executes commands of the test instrument, as `/_pretender/` does.
pub trait Commands: Send + Sync {
    /// Executes a command: `clock/advance` with `{"millis":1000}`. A command that only shows has no body.
    ///
    /// # Errors
    ///
    /// A text for people.
    fn execute(&self, command: &str, body: Option<&Value>) -> Result<Value, CommandError>;
}

/// Why a command failed, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(pub String);

/// One database, with what the pages need to know about the server in front of it.
pub struct Context<'a> {
    wire: Wire,
    commands: Option<&'a dyn Commands>,
    form_token: &'a str,
    region: Option<&'a str>,
    database: Option<&'a str>,
    location: &'a str,
    triggers: &'a [TriggerMonitor],
}

impl<'a> Context<'a> {
    /// What the pages need to be allowed, and nothing else: their own script, style and events.
    pub const CONTENT_SECURITY_POLICY: &'static str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// Returns the context of a database. Calls of the pages meet no faults.
    #[must_use]
    pub fn new(wire: Wire) -> Self {
        Self {
            wire: wire.as_observer(),
            commands: None,
            form_token: "",
            region: None,
            database: None,
            location: "",
            triggers: &[],
        }
    }

    /// Sets what executes commands of the test instrument. Without it, the pages say how to get it.
    #[must_use]
    pub fn with_commands(self, commands: &'a dyn Commands) -> Self {
        Self { commands: Some(commands), ..self }
    }

    /// Sets the token that forms carry in the field [`Request::TOKEN`](crate::Request::TOKEN).
    #[must_use]
    pub fn with_form_token(self, form_token: &'a str) -> Self {
        Self { form_token, ..self }
    }

    /// Sets the region that links carry, if the server has several.
    #[must_use]
    pub fn with_region(self, region: Option<&'a str>) -> Self {
        Self { region, ..self }
    }

    /// Sets the name of the database, if it is one of several, and where its data is.
    #[must_use]
    pub fn with_name(self, database: Option<&'a str>, location: &'a str) -> Self {
        Self { database, location, ..self }
    }

    /// Sets the triggers of this process.
    #[must_use]
    pub fn with_triggers(self, triggers: &'a [TriggerMonitor]) -> Self {
        Self { triggers, ..self }
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Returns the database, without faults.
    pub(crate) fn pretender(&self) -> &Pretender {
        self.wire.pretender()
    }

    pub(crate) fn commands(&self) -> Option<&'a dyn Commands> {
        self.commands
    }

    pub(crate) fn triggers(&self) -> &'a [TriggerMonitor] {
        self.triggers
    }

    pub(crate) fn form_token(&self) -> &'a str {
        self.form_token
    }

    /// Returns the region that forms which only show something carry as the field `region`.
    pub(crate) fn region(&self) -> Option<&'a str> {
        self.region
    }

    pub(crate) fn database(&self) -> Option<&'a str> {
        self.database
    }

    pub(crate) fn location(&self) -> &'a str {
        self.location
    }

    /// Returns the region of the database, for clients.
    pub(crate) fn region_name(&self) -> String {
        self.pretender().account().region.clone()
    }

    /// Returns the URL at which clients reach the database.
    pub(crate) fn endpoint_url(&self) -> String {
        let endpoint = self.wire.endpoint();
        match self.database {
            Some(name) => format!("http://{endpoint}/db/{name}"),
            None => format!("http://{endpoint}"),
        }
    }

    /// Returns the address of a page with parameters, relative to all pages.
    pub(crate) fn link(&self, page: &str, parameters: &[(&str, &str)]) -> String {
        link(self.region, page, parameters)
    }
}

/// Returns the address of a page with parameters, relative to all pages, and with the region, if links carry one.
pub(crate) fn link(region: Option<&str>, page: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(parameters);
    if let Some(region) = region {
        query.append_pair("region", region);
    }
    let query = query.finish();
    let page = if page.is_empty() { "./" } else { page };
    if query.is_empty() { page.to_owned() } else { format!("{page}?{query}") }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("wire", &self.wire).finish_non_exhaustive()
    }
}
