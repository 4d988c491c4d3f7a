//! The expected form of errors.

use crate::check;
use crate::client::ApiFailure;
use crate::outcome::Outcome;

/// What is known of an error's text.
#[derive(Clone, Debug)]
pub enum Text {
    /// All of it, to the letter.
    Exact(String),
    /// Parts of it, in any order.
    Has(Vec<String>),
    /// Nothing.
    Any,
}

impl Text {
    /// The whole text.
    pub fn exact(text: impl Into<String>) -> Text {
        Text::Exact(text.into())
    }

    /// Parts of the text.
    pub fn has(parts: &[&str]) -> Text {
        Text::Has(parts.iter().map(|&part| part.to_owned()).collect())
    }
}

impl ApiFailure {
    /// Fails unless the error is of this kind, has its status, and a fitting text.
    pub fn check(&self, kind: &str, text: Text) -> Outcome {
        let status = if kind.starts_with("Internal") { 500 } else { 400 };
        check!(
            self.kind == kind && self.status == status,
            "expected {status} {kind}, got {} {}: {}",
            self.status,
            self.kind,
            self.message
        );
        match text {
            Text::Exact(text) => {
                check!(self.message == text, "{kind}: expected the text `{text}`, got `{}`", self.message);
            }
            Text::Has(parts) => {
                for part in parts {
                    check!(self.message.contains(&part), "{kind}: `{part}` is not in `{}`", self.message);
                }
            }
            Text::Any => {}
        }
        Ok(())
    }

    /// Fails unless the error is a ValidationException with a fitting text.
    pub fn check_validation(&self, text: Text) -> Outcome {
        self.check("ValidationException", text)
    }

    /// Fails unless the error is the one violated constraint of a member.
    pub fn check_constraint(&self, path: &str, constraint: &str) -> Outcome {
        self.check_validation(Text::has(&[
            "1 validation error detected: Value ",
            &format!("at '{path}' failed to satisfy constraint: {constraint}"),
        ]))
    }
}
