//! What the forms ask for: the command, its body, and whether it has to be confirmed.

use serde_json::{Map, Value, json};

use super::{Area, list, said};
use crate::context::Commands;
use crate::{Context, Parameters};

macro_rules! actions {
    ($($action:ident = $name:literal in $area:ident,)+) => {
        /// What a form asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Action {
            $($action),+
        }

        impl Action {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$action),+];

            /// Returns the action with a name.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$action),)+
                    _ => None,
                }
            }

            /// Returns the name, which is that of the command.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$action => $name),+
                }
            }

            /// Returns the part of the page that has its form.
            pub(super) fn area(self) -> Area {
                match self {
                    $(Self::$action => Area::$area),+
                }
            }
        }
    };
}

actions! {
    HoldClock = "clock/hold" in Clock,
    RunClock = "clock/run" in Clock,
    SetClock = "clock/set" in Clock,
    AdvanceClock = "clock/advance" in Clock,
    RotateShards = "shards/rotate" in Shards,
    SplitShards = "shards/split" in Shards,
    Trim = "trim" in Shards,
    AddFault = "faults/add" in Faults,
    RemoveFault = "faults/remove" in Faults,
    ClearFaults = "faults/clear" in Faults,
    SaveSnapshot = "snapshots/save" in Snapshots,
    RestoreSnapshot = "snapshots/restore" in Snapshots,
    DeleteSnapshot = "snapshots/delete" in Snapshots,
    Reset = "reset" in Reset,
}

impl Action {
    /// The field of the box that confirms what destroys.
    pub(super) const CONFIRMATION: &'static str = "confirmed";

    /// Carries out what a form asks for. Returns what to say about it, for the address of the page.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(super) fn carry_out(
        self,
        context: &Context<'_>,
        commands: &dyn Commands,
        form: &Parameters<'_>,
    ) -> Result<String, String> {
        if form.get(Self::CONFIRMATION) != "yes"
            && let Some(loss) = self.loss(context, commands, form)
        {
            return Err(format!("Not done: {loss}. Tick the box that begins with “Yes” to confirm this."));
        }
        let body = self.body(form)?;
        let answer = commands.execute(self.name(), Some(&body)).map_err(|error| error.0)?;
        Ok(said::of(self, &answer))
    }

    /// Returns what is lost, which has to be confirmed.
    fn loss(
        self,
        context: &Context<'_>,
        commands: &dyn Commands,
        form: &Parameters<'_>,
    ) -> Option<&'static str> {
        match self {
            Self::HoldClock
            | Self::RunClock
            | Self::RotateShards
            | Self::SplitShards
            | Self::AddFault
            | Self::RemoveFault => None,
            Self::SetClock => Some("what is too old at the new time is removed"),
            Self::AdvanceClock => {
                let retention = context.pretender().retention().as_millis();
                let is_long = millis(form.get("duration").trim()).is_some_and(|millis| millis >= retention);
                is_long.then_some("the clock moves over the retention, and all stream records are trimmed")
            }
            Self::Trim => Some("trimmed stream records cannot be brought back"),
            Self::ClearFaults => Some("all faults and the log of their injections are removed"),
            Self::SaveSnapshot => {
                let (name, file) = (form.get("name"), form.get("file"));
                let replaced = if file.is_empty() { has_snapshot(commands, name) } else { true };
                replaced.then_some("a snapshot with this name is replaced")
            }
            Self::RestoreSnapshot => Some("the snapshot replaces the whole database"),
            Self::DeleteSnapshot => Some("a deleted snapshot cannot be brought back"),
            Self::Reset => Some("everything is removed that the reset applies to"),
        }
    }

    /// Returns the body of the command.
    fn body(self, form: &Parameters<'_>) -> Result<Value, String> {
        let mut fields = Fields { form, body: Map::new() };
        match self {
            Self::HoldClock | Self::ClearFaults => {}
            Self::RunClock => fields.number("speed")?,
            Self::SetClock => fields.text("time"),
            Self::AdvanceClock => fields.text("duration"),
            Self::RotateShards | Self::SplitShards => {
                fields.streams();
                fields.text("shard_id");
            }
            Self::Trim => {
                fields.streams();
                fields.text("before");
                if form.get("extent") == "before" && fields.body.get("before").is_none() {
                    return Err(
                        "Not done: enter the sequence number before which records are trimmed.".to_owned()
                    );
                }
                if form.get("extent") != "before" {
                    fields.body.remove("before");
                }
            }
            Self::AddFault => fields.fault()?,
            Self::RemoveFault => fields.integer("id")?,
            Self::SaveSnapshot | Self::DeleteSnapshot => {
                fields.text("name");
                fields.text("file");
            }
            Self::RestoreSnapshot => {
                fields.text("name");
                fields.text("file");
                if form.get("clock") == "yes" {
                    fields.body.insert("clock".to_owned(), true.into());
                }
            }
            Self::Reset => match (form.get("extent"), form.get("table")) {
                ("all", _) => {}
                ("table", "") => return Err("Not done: choose the table to reset.".to_owned()),
                ("table", _) => fields.text("table"),
                _ => return Err("Not done: choose what to reset.".to_owned()),
            },
        }
        Ok(Value::Object(fields.body))
    }
}

/// The fields of a form, and the body that is made from them. An empty field is left out.
struct Fields<'a> {
    form: &'a Parameters<'a>,
    body: Map<String, Value>,
}

impl Fields<'_> {
    fn entered(&self, name: &str) -> Option<&str> {
        Some(self.form.get(name).trim()).filter(|text| !text.is_empty())
    }

    fn text(&mut self, name: &str) {
        if let Some(text) = self.entered(name) {
            let text = Value::from(text);
            self.body.insert(name.to_owned(), text);
        }
    }

    fn number(&mut self, name: &str) -> Result<(), String> {
        let Some(text) = self.entered(name) else { return Ok(()) };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| format!("`{text}` is not a number ({name})"))?;
        self.body.insert(name.to_owned(), number.into());
        Ok(())
    }

    fn integer(&mut self, name: &str) -> Result<(), String> {
        let Some(text) = self.entered(name) else { return Ok(()) };
        let number = text.parse::<u64>().map_err(|_| format!("`{text}` is not a whole number ({name})"))?;
        self.body.insert(name.to_owned(), number.into());
        Ok(())
    }

    /// Takes the table whose latest stream is meant, or all streams.
    fn streams(&mut self) {
        match self.entered("table") {
            Some(table) => {
                let table = Value::from(table);
                self.body.insert("table".to_owned(), table);
            }
            None => {
                self.body.insert("all".to_owned(), true.into());
            }
        }
    }

    fn fault(&mut self) -> Result<(), String> {
        self.text("kind");
        let named = self.form.get("operations").split([',', ' ', '\n', '\t', '\r']);
        let operations: Vec<&str> = named.filter(|name| !name.is_empty()).collect();
        if !operations.is_empty() {
            self.body.insert("operations".to_owned(), json!(operations));
        }
        self.text("table");
        self.text("delay");
        self.number("probability")?;
        for name in ["times", "skip", "seed", "items"] {
            self.integer(name)?;
        }
        Ok(())
    }
}

fn has_snapshot(commands: &dyn Commands, name: &str) -> bool {
    let listed = commands.execute("snapshots", None).unwrap_or_default();
    // Some file systems ignore case.
    list(&listed, "snapshots").iter().any(|snapshot| {
        snapshot["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name.trim()))
    })
}

/// Returns the length of a duration, if it is one in the form of the command: `90s`, `24h`.
fn millis(text: &str) -> Option<u128> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let millis: u128 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok().map(|number| u128::from(number) * millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_form_of_the_command() {
        for (text, expected) in [
            ("1500ms", Some(1_500)),
            ("90s", Some(90_000)),
            ("15m", Some(900_000)),
            ("24h", Some(86_400_000)),
            ("1d", Some(86_400_000)),
            ("18446744073709551615d", Some(u128::from(u64::MAX) * 86_400_000)),
            ("", None),
            ("24", None),
            ("h", None),
            ("-1h", None),
            ("1.5h", None),
            ("24 h", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn every_action_has_the_name_of_its_command() {
        for action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(*action));
        }
        assert_eq!(Action::named("compact"), None);
    }
}
