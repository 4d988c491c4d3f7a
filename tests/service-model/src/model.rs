//! AWS's model of a service, in the form in which botocore contains it.

use std::collections::BTreeMap;

use serde_json::Value;

/// A service: its operations and the shapes of what they take and answer.
#[derive(Debug)]
pub struct Model {
    pub(crate) target_prefix: String,
    pub(crate) version: String,
    pub(crate) operations: BTreeMap<String, Operation>,
    shapes: serde_json::Map<String, Value>,
}

/// The names of an operation's shapes; none where it takes, or answers, nothing.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
}

/// A shape, as far as requests can tell.
#[derive(Clone, Debug)]
pub(crate) enum Shape<'m> {
    /// Named members, each with the name of its shape.
    Structure(Vec<(&'m str, &'m str)>),
    /// The shape of the elements.
    List { element: &'m str, limits: Limits },
    /// The shape of the values.
    Map { value: &'m str, limits: Limits },
    /// A text; its values if they are enumerated.
    Text { values: Vec<&'m str>, limits: Limits },
    /// A whole number.
    Integer(Limits),
    /// Anything else: a fraction, a moment, bytes, a truth value.
    Other,
}

/// The least and the most: a length, a number of elements, or a value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) least: Option<i64>,
    pub(crate) most: Option<i64>,
}

impl Model {
    /// Reads a model.
    ///
    /// # Errors
    ///
    /// What of the text is not as in a `service-2.json`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut model: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        let prefix = model.pointer("/metadata/targetPrefix").and_then(Value::as_str);
        let target_prefix = prefix.ok_or("no `metadata.targetPrefix`: not a JSON service")?.to_owned();
        let version = model.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        let operations = model["operations"].as_object().ok_or("no `operations`")?;
        let shape_of = |operation: &Value, side: &str| {
            operation.get(side).and_then(|side| side["shape"].as_str()).map(str::to_owned)
        };
        let operations = operations
            .iter()
            .map(|(name, operation)| {
                let (input, output) = (shape_of(operation, "input"), shape_of(operation, "output"));
                (name.clone(), Operation { input, output })
            })
            .collect();
        let Value::Object(shapes) = model["shapes"].take() else { return Err("no `shapes`".to_owned()) };
        Ok(Self { target_prefix, version, operations, shapes })
    }

    /// Returns what stands before the name of an operation in `X-Amz-Target`.
    #[must_use]
    pub fn target_prefix(&self) -> &str {
        &self.target_prefix
    }

    /// Returns a shape by its name; one that the model does not define is [`Shape::Other`].
    pub(crate) fn shape(&self, name: &str) -> Shape<'_> {
        let Some(shape) = self.shapes.get(name) else { return Shape::Other };
        let limit = |side: &str| shape.get(side).and_then(Value::as_i64);
        let limits = Limits { least: limit("min"), most: limit("max") };
        let named = |member: &'_ str| shape[member]["shape"].as_str().unwrap_or_default();
        match shape["type"].as_str() {
            Some("structure") => {
                let members = shape["members"].as_object().into_iter().flatten();
                let members = members.map(|(name, member)| (name.as_str(), member["shape"].as_str()));
                Shape::Structure(members.map(|(name, shape)| (name, shape.unwrap_or_default())).collect())
            }
            Some("list") => Shape::List { element: named("member"), limits },
            Some("map") => Shape::Map { value: named("value"), limits },
            Some("string") => {
                let values = shape["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
                Shape::Text { values: values.collect(), limits }
            }
            Some("integer" | "long") => Shape::Integer(limits),
            _ => Shape::Other,
        }
    }
}
