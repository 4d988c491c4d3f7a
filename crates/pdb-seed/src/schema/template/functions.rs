//! The functions of templates, as far as they can be evaluated without AWS. The result of others is [`Node::Unknown`], which is an error only if
//! the value is needed.

use pdb_exchange::node::Node;

use super::Template;

/// The pseudo parameter that removes a property.
const NO_VALUE: &str = "AWS::NoValue";

impl Template<'_> {
    /// Evaluates the functions in a value. Returns `None` if the value removes itself.
    pub(super) fn resolve(&self, node: &Node, levels: usize) -> Option<Node> {
        let steps = self.steps.get();
        if steps == 0 {
            return unknown("the template has too many references");
        }
        self.steps.set(steps - 1);
        let Some(levels) = levels.checked_sub(1) else {
            return unknown("references are nested too deeply or refer to themselves");
        };
        if let Some((name, argument)) = node.only_member()
            && (name == "Ref" || name.starts_with("Fn::"))
        {
            return self.function(name, argument, levels).map(|value| self.charge(value));
        }
        Some(match node {
            Node::List(elements) => {
                Node::List(elements.iter().filter_map(|node| self.resolve(node, levels)).collect())
            }
            Node::Map(members) => Node::Map(
                members
                    .iter()
                    .filter_map(|(name, node)| Some((name.clone(), self.resolve(node, levels)?)))
                    .collect(),
            ),
            scalar => self.charge(scalar.clone()),
        })
    }

    /// Counts the memory of a value, because references can multiply a large one.
    fn charge(&self, value: Node) -> Node {
        if self.budget.borrow_mut().take(value.bytes()) {
            value
        } else {
            Node::Unknown("the values of the template are too large".to_owned())
        }
    }

    fn function(&self, name: &str, argument: &Node, levels: usize) -> Option<Node> {
        let resolved = || self.resolve(argument, levels).unwrap_or(Node::Null);
        let result = match name {
            "Ref" => return self.reference(argument.scalar().unwrap_or_default(), levels),
            "Fn::If" => return self.if_else(argument, levels),
            "Fn::Sub" => self.substitute(argument, levels),
            "Fn::Join" => join(&resolved()),
            "Fn::Split" => split(&resolved()),
            "Fn::Select" => select(&resolved()),
            "Fn::FindInMap" => self.find_in_map(&resolved()),
            "Fn::GetAtt" => self.attribute(&resolved(), levels),
            "Fn::Length" => match resolved() {
                Node::List(elements) => Ok(Node::Number(elements.len().to_string())),
                other => Err(wrong(name, &other)),
            },
            "Fn::ToJsonString" => {
                let value = resolved();
                match value.unknown() {
                    Some(reason) => Err(reason.to_owned()),
                    None => Ok(Node::Text(value.to_json().to_string())),
                }
            }
            other => Err(format!("`{other}` needs AWS")),
        };
        Some(result.unwrap_or_else(Node::Unknown))
    }

    /// Evaluates `Ref`.
    fn reference(&self, name: &str, levels: usize) -> Option<Node> {
        if name == NO_VALUE {
            return None;
        }
        let value = self.pseudo_parameter(name).or_else(|| self.parameter(name));
        Some(value.or_else(|| self.name_of_table(name, levels)).unwrap_or_else(|| {
            Node::Unknown(if self.resources().iter().any(|(id, _)| id == name) {
                format!("`{name}` gets its name from AWS")
            } else {
                format!("there is no parameter or resource `{name}`")
            })
        }))
    }

    fn pseudo_parameter(&self, name: &str) -> Option<Node> {
        if let Some(given) = self.surroundings.variable(name)
            && name.starts_with("AWS::")
        {
            return Some(Node::Text(given.to_owned()));
        }
        let text = match name {
            "AWS::Region" => &self.surroundings.account.region,
            "AWS::AccountId" => &self.surroundings.account.id,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            "AWS::StackName" | "AWS::StackId" | "AWS::NotificationARNs" => {
                return Some(Node::Unknown(format!("`{name}` is not known here; {}", give(name))));
            }
            _ => return None,
        };
        Some(Node::Text(text.to_owned()))
    }

    fn parameter(&self, name: &str) -> Option<Node> {
        let parameter = self.document.get("Parameters")?.get(name)?;
        let kind = parameter.get("Type").and_then(Node::scalar).unwrap_or("String");
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        let as_value = |text: &str| {
            if is_list {
                Node::List(text.split(',').map(|part| Node::Text(part.trim().to_owned())).collect())
            } else {
                Node::Text(text.to_owned())
            }
        };
        if let Some(given) = self.surroundings.variable(name) {
            return Some(as_value(given));
        }
        let is_stored = kind.starts_with("AWS::SSM::Parameter::Value");
        Some(match parameter.get("Default").and_then(Node::scalar) {
            Some(default) if !is_stored => as_value(default),
            _ if is_stored => {
                Node::Unknown(format!("the parameter `{name}` is stored at AWS; {}", give(name)))
            }
            _ => Node::Unknown(format!("the parameter `{name}` has no default; {}", give(name))),
        })
    }

    fn if_else(&self, argument: &Node, levels: usize) -> Option<Node> {
        let [condition, yes, no] = argument.elements() else { return unknown("`Fn::If` takes three values") };
        match self.condition(condition.scalar().unwrap_or_default(), levels) {
            Ok(holds) => self.resolve(if holds { yes } else { no }, levels),
            Err(reason) => unknown(&reason),
        }
    }

    /// Evaluates a condition of the template.
    pub(super) fn condition(&self, name: &str, levels: usize) -> Result<bool, String> {
        if let Some(decided) = self.conditions.borrow().get(name) {
            return decided.clone();
        }
        let expression = self.document.get("Conditions").and_then(|conditions| conditions.get(name));
        let expression = expression.ok_or_else(|| format!("there is no condition `{name}`"))?;
        let decided = self.decide(expression, levels);
        self.conditions.borrow_mut().insert(name.to_owned(), decided.clone());
        decided
    }

    fn decide(&self, expression: &Node, levels: usize) -> Result<bool, String> {
        let levels =
            levels.checked_sub(1).ok_or("conditions are nested too deeply or refer to themselves")?;
        let Some((name, argument)) = expression.only_member() else {
            return Err("a condition is not a function".to_owned());
        };
        let parts = argument.elements();
        match name {
            "Condition" => self.condition(argument.scalar().unwrap_or_default(), levels),
            "Fn::Equals" => {
                let values: Vec<Node> =
                    parts.iter().map(|node| self.resolve(node, levels).unwrap_or(Node::Null)).collect();
                let [left, right] = &values[..] else {
                    return Err("`Fn::Equals` takes two values".to_owned());
                };
                match left.unknown().or(right.unknown()) {
                    Some(reason) => Err(reason.to_owned()),
                    None => Ok(match (left.scalar(), right.scalar()) {
                        (Some(left), Some(right)) => left == right,
                        _ => left == right,
                    }),
                }
            }
            "Fn::Not" => match parts {
                [only] => self.decide(only, levels).map(|holds| !holds),
                _ => Err("`Fn::Not` takes one condition".to_owned()),
            },
            "Fn::And" => parts.iter().try_fold(true, |all, part| Ok(self.decide(part, levels)? && all)),
            "Fn::Or" => parts.iter().try_fold(false, |any, part| Ok(self.decide(part, levels)? || any)),
            other => Err(format!("`{other}` is not a condition")),
        }
    }

    fn substitute(&self, argument: &Node, levels: usize) -> Result<Node, String> {
        let (text, values) = match argument.elements() {
            [text, values] => (text, Some(values)),
            _ => (argument, None),
        };
        let mut rest = text.scalar().ok_or_else(|| wrong("Fn::Sub", text))?;
        let mut result = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, after) = after.split_once('}').ok_or("a `${` in `Fn::Sub` has no end")?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let given = values.and_then(|values| values.get(name)).map(|node| self.resolve(node, levels));
            let value = match (given, name.split_once('.')) {
                (Some(value), _) => value.unwrap_or(Node::Null),
                (None, Some((resource, attribute))) => {
                    let parts = [resource, attribute].map(|part| Node::Text(part.to_owned()));
                    self.attribute(&Node::List(parts.to_vec()), levels)?
                }
                (None, None) => self.reference(name, levels).unwrap_or(Node::Null),
            };
            match value.unknown() {
                Some(reason) => return Err(reason.to_owned()),
                None => result.push_str(value.scalar().ok_or_else(|| wrong("Fn::Sub", &value))?),
            }
            self.check_length(&result)?;
        }
        result.push_str(rest);
        Ok(Node::Text(result))
    }

    /// Limits the length of a text. Texts that contain other texts several times would become very long.
    fn check_length(&self, text: &str) -> Result<(), String> {
        const MAX_TEXT: usize = 64 * 1024;
        if text.len() > MAX_TEXT { Err(format!("a text is longer than {MAX_TEXT} bytes")) } else { Ok(()) }
    }

    fn find_in_map(&self, argument: &Node) -> Result<Node, String> {
        if let Some(reason) = argument.unknown() {
            return Err(reason.to_owned());
        }
        let (keys, default) = match argument.elements() {
            [map, first, second] => ([map, first, second], None),
            [map, first, second, options] => ([map, first, second], options.get("DefaultValue")),
            _ => return Err("`Fn::FindInMap` takes three values".to_owned()),
        };
        let mut found = self.document.get("Mappings");
        for key in keys {
            found = found.and_then(|map| map.get(key.scalar()?));
        }
        found.or(default).cloned().ok_or_else(|| {
            let keys: Vec<&str> = keys.iter().filter_map(|key| key.scalar()).collect();
            format!("there is no mapping `{}`", keys.join("."))
        })
    }

    /// Evaluates `Fn::GetAtt`, which is known for the ARN of a table.
    fn attribute(&self, argument: &Node, levels: usize) -> Result<Node, String> {
        let parts: Vec<&str> = argument.elements().iter().filter_map(Node::scalar).collect();
        let [id, attribute] = parts[..] else { return Err("`Fn::GetAtt` takes two names".to_owned()) };
        match (attribute, self.name_of_table(id, levels)) {
            ("Arn", Some(Node::Text(name))) => {
                let account = &self.surroundings.account;
                Ok(Node::Text(format!("arn:aws:dynamodb:{}:{}:table/{name}", account.region, account.id)))
            }
            _ => Err(format!("`{id}.{attribute}` is known only at AWS")),
        }
    }
}

fn unknown(reason: &str) -> Option<Node> {
    Some(Node::Unknown(reason.to_owned()))
}

fn give(name: &str) -> String {
    format!("give it a value, as in `--schema-parameter {name}=...`")
}

fn wrong(function: &str, node: &Node) -> String {
    match node.unknown() {
        Some(reason) => reason.to_owned(),
        None => format!("`{function}` cannot use {}", node.kind()),
    }
}

fn join(argument: &Node) -> Result<Node, String> {
    let [separator, parts] = argument.elements() else {
        return Err(argument.unknown().unwrap_or("`Fn::Join` takes a separator and a list").to_owned());
    };
    if let Node::Unknown(reason) = parts {
        return Err(reason.clone());
    }
    let texts: Result<Vec<&str>, String> =
        parts.elements().iter().map(|part| part.scalar().ok_or_else(|| wrong("Fn::Join", part))).collect();
    Ok(Node::Text(texts?.join(separator.scalar().unwrap_or_default())))
}

fn split(argument: &Node) -> Result<Node, String> {
    let [separator, text] = argument.elements() else {
        return Err("`Fn::Split` takes two values".to_owned());
    };
    let separator = separator.scalar().filter(|separator| !separator.is_empty());
    let separator = separator.ok_or("`Fn::Split` needs a separator")?;
    let text = text.scalar().ok_or_else(|| wrong("Fn::Split", text))?;
    Ok(Node::List(text.split(separator).map(|part| Node::Text(part.to_owned())).collect()))
}

fn select(argument: &Node) -> Result<Node, String> {
    let [at, list] = argument.elements() else { return Err("`Fn::Select` takes two values".to_owned()) };
    if let Node::Unknown(reason) = list {
        return Err(reason.clone());
    }
    let at: usize = at.scalar().and_then(|at| at.parse().ok()).ok_or_else(|| wrong("Fn::Select", at))?;
    list.elements().get(at).cloned().ok_or_else(|| format!("`Fn::Select` finds no element {at}"))
}
