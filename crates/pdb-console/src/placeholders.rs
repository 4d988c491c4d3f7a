//! Placeholders of expressions: names such as `#n0` and values such as `:v0`, so that no reserved word or dot of a name matters.

use serde_json::{Map, Value, json};

/// The placeholders of a call, numbered as they are needed.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: Map<String, Value>,
    values: Map<String, Value>,
}

impl Placeholders {
    /// Returns placeholders that do not collide with given ones.
    pub(crate) fn with(names: Map<String, Value>, values: Map<String, Value>) -> Self {
        Self { names, values }
    }

    /// Returns the placeholder of a name.
    pub(crate) fn name(&mut self, name: &str) -> String {
        let known = self.names.iter().find(|(_, known)| *known == name);
        if let Some((placeholder, _)) = known {
            return placeholder.clone();
        }
        let placeholder = unused(&self.names, "#n");
        self.names.insert(placeholder.clone(), Value::from(name));
        placeholder
    }

    /// Returns a new placeholder for a value in DynamoDB JSON.
    pub(crate) fn value(&mut self, value: Value) -> String {
        let placeholder = unused(&self.values, ":v");
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// Returns the names in a path such as `address.city`, `lines[2].price` and `["a.b"].c`, with placeholders.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(crate) fn path(&mut self, path: &str) -> Result<String, String> {
        let malformed = || {
            format!(
                "`{path}` is not the path of an attribute, such as address.city, lines[2].price or [\"a.b\"]"
            )
        };
        let mut out = String::new();
        let mut rest = path.trim();
        if rest.is_empty() {
            return Err(malformed());
        }
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (step, after) = self.bracket(inside, out.is_empty()).ok_or_else(malformed)?;
                out.push_str(&step);
                rest = after;
                continue;
            }
            if !out.is_empty() {
                rest = rest.strip_prefix('.').ok_or_else(malformed)?;
                out.push('.');
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return Err(malformed());
            }
            out.push_str(&self.name(name));
            rest = after;
        }
        Ok(out)
    }

    /// Reads what follows `[`: the number of an element, or a quoted name.
    fn bracket<'p>(&mut self, inside: &'p str, is_first: bool) -> Option<(String, &'p str)> {
        if inside.starts_with('"') {
            let mut names = serde_json::Deserializer::from_str(inside).into_iter::<String>();
            let name = names.next()?.ok()?;
            let after = inside[names.byte_offset()..].strip_prefix(']')?;
            let dot = if is_first { "" } else { "." };
            return Some((format!("{dot}{}", self.name(&name)), after));
        }
        let (number, after) = inside.split_once(']')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !is_first).then(|| (format!("[{number}]"), after))
    }

    /// Adds the placeholders to the input of a call.
    pub(crate) fn add_to(self, input: &mut Value) {
        for (member, placeholders) in
            [("ExpressionAttributeNames", self.names), ("ExpressionAttributeValues", self.values)]
        {
            if !placeholders.is_empty() {
                input[member] = json!(placeholders);
            }
        }
    }
}

fn unused(taken: &Map<String, Value>, prefix: &str) -> String {
    let mut number = taken.len();
    loop {
        let placeholder = format!("{prefix}{number}");
        if !taken.contains_key(&placeholder) {
            return placeholder;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_placeholders() {
        for (path, expression, names) in [
            ("name", "#n0", json!(["name"])),
            ("address.city", "#n0.#n1", json!(["address", "city"])),
            ("lines[2].price", "#n0[2].#n1", json!(["lines", "price"])),
            (r#"["a.b"].c"#, "#n0.#n1", json!(["a.b", "c"])),
            (r#"a["x]\"y"][0]"#, "#n0.#n1[0]", json!(["a", "x]\"y"])),
            ("a.a", "#n0.#n0", json!(["a"])),
        ] {
            let mut placeholders = Placeholders::default();
            assert_eq!(placeholders.path(path).as_deref(), Ok(expression));
            let mut input = json!({});
            placeholders.add_to(&mut input);
            let used: Vec<_> =
                input["ExpressionAttributeNames"].as_object().unwrap().values().cloned().collect();
            assert_eq!(Value::from(used), names);
        }
        for path in ["", " ", ".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "[0]", r#"["a"#, r#"["a"x"#, "a[0]b"]
        {
            assert!(Placeholders::default().path(path).is_err(), "{path}");
        }
    }

    #[test]
    fn given_placeholders_stay() {
        let given = |json: Value| json.as_object().unwrap().clone();
        let mut placeholders =
            Placeholders::with(given(json!({ "#n1": "x" })), given(json!({ ":v1": { "S": "x" } })));
        assert_eq!((placeholders.name("x"), placeholders.name("y")), ("#n1".to_owned(), "#n2".to_owned()));
        assert_eq!(placeholders.value(json!({ "S": "y" })), ":v2");
    }
}
