//! `serverless.yml`: variables, and the template in `resources`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdb_exchange::node::{Budget, MAX_DEPTH, Node};

use crate::error::Fault;

use super::plan::TablePlan;
use super::{Surroundings, template};

/// How many values may be read, and how long a text may become. Variables can multiply both.
const MAX_STEPS: usize = 200_000;
const MAX_TEXT: usize = 64 * 1024;

const TOO_DEEP: &str = "variables are nested too deeply or refer to themselves";

/// The sources of variables. Others, such as `${AWS::Region}`, are left to the template.
const SOURCES: &[&str] =
    &["self", "opt", "sls", "env", "param", "aws", "file", "strToBool", "cf", "ssm", "s3", "git", "output"];

/// Returns the tables of a `serverless.yml`, or `None` if the document is not one.
pub(crate) fn read(
    document: &Node,
    path: &Path,
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<Fault>,
) -> Result<Option<Vec<TablePlan>>, Fault> {
    if document.get("service").is_none() || document.get("provider").is_none() {
        return Ok(None);
    }
    let variables = Variables {
        document,
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        surroundings,
        steps: Cell::new(MAX_STEPS),
        budget: RefCell::new(Budget::new()),
        files: RefCell::default(),
    };
    let Some(resources) = document.get("resources") else {
        return Err(Fault::new("resources", "is missing: the file has no tables"));
    };
    let combined = combine(&variables.resolve(resources, MAX_DEPTH))?;
    check_extensions(&combined)?;
    template::read(&combined, surroundings, notes)?
        .map(Some)
        .ok_or_else(|| Fault::new("resources.Resources", "is missing: the file has no tables"))
}

/// Merges the parts in a list into one template.
fn combine(resources: &Node) -> Result<Node, Fault> {
    let parts = match resources {
        Node::List(parts) => parts.as_slice(),
        Node::Unknown(reason) => return Err(crate::fields::unresolved("resources", reason)),
        other => std::slice::from_ref(other),
    };
    let mut sections: Vec<(String, Node)> = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        if let Node::Unknown(reason) = part {
            return Err(crate::fields::unresolved(&format!("resources[{n}]"), reason));
        }
        for (name, section) in part.members() {
            match sections.iter_mut().find(|(known, _)| known == name) {
                Some((_, Node::Map(members))) => members.extend(section.members().iter().cloned()),
                Some(_) => {}
                None => sections.push((name.clone(), section.clone())),
            }
        }
    }
    Ok(Node::Map(sections))
}

/// Refuses extensions of tables. Extensions of other resources have no effect here.
fn check_extensions(template: &Node) -> Result<(), Fault> {
    let extensions = template.get("extensions").map_or(&[][..], Node::members);
    let is_table = |name: &str| {
        let resource = template.get("Resources").and_then(|resources| resources.get(name));
        let kind = resource.and_then(|resource| resource.get("Type")).and_then(Node::scalar);
        kind.is_some_and(|kind| kind.starts_with("AWS::DynamoDB::"))
    };
    match extensions.iter().find(|(name, _)| is_table(name)) {
        Some((name, _)) => Err(Fault::new(
            format!("resources.extensions.{name}"),
            format!("is not merged here: write it into resources.Resources.{name}"),
        )),
        None => Ok(()),
    }
}

struct Variables<'v> {
    document: &'v Node,
    folder: PathBuf,
    surroundings: &'v Surroundings<'v>,
    steps: Cell<usize>,
    budget: RefCell<Budget>,
    /// The files to which variables refer.
    files: RefCell<BTreeMap<PathBuf, Result<Node, String>>>,
}

/// A part of a text that contains variables.
enum Part<'t> {
    Text(&'t str),
    /// The text between `${` and `}`.
    Variable(&'t str),
}

impl Variables<'_> {
    /// Replaces all variables with their values.
    fn resolve(&self, node: &Node, levels: usize) -> Node {
        let Some(levels) = levels.checked_sub(1) else {
            return Node::Unknown(TOO_DEEP.to_owned());
        };
        let steps = self.steps.get();
        if steps == 0 {
            return Node::Unknown("the file has too many variables".to_owned());
        }
        self.steps.set(steps - 1);
        if node.scalar().is_some() && !self.budget.borrow_mut().take(node.bytes()) {
            return Node::Unknown("the values of the variables are too large".to_owned());
        }
        match node {
            Node::Text(text) if text.contains("${") => self.text(text, levels),
            Node::List(elements) => {
                Node::List(elements.iter().map(|node| self.resolve(node, levels)).collect())
            }
            Node::Map(members) => Node::Map(
                members
                    .iter()
                    .map(|(name, node)| {
                        let name = match name.contains("${").then(|| self.text(name, levels)) {
                            Some(resolved) => resolved.scalar().unwrap_or(name).to_owned(),
                            None => name.clone(),
                        };
                        (name, self.resolve(node, levels))
                    })
                    .collect(),
            ),
            scalar => scalar.clone(),
        }
    }

    /// Replaces the variables in a text. A text that is a single variable may become a value of any type.
    fn text(&self, text: &str, levels: usize) -> Node {
        let parts = match parts(text) {
            Ok(parts) => parts,
            Err(reason) => return Node::Unknown(reason),
        };
        let mut result = String::new();
        for part in &parts {
            let variable = match part {
                Part::Text(text) => {
                    result.push_str(text);
                    continue;
                }
                Part::Variable(variable) => variable,
            };
            let value = match self.variable(variable, levels) {
                None => Node::Text(format!("${{{variable}}}")),
                Some(value) => value,
            };
            if parts.len() == 1 {
                return value;
            }
            match (&value, value.scalar()) {
                (_, Some(text)) => result.push_str(text),
                (Node::Unknown(_), _) => return value,
                _ => return Node::Unknown(format!("`${{{variable}}}` is {} within a text", value.kind())),
            }
            if result.len() > MAX_TEXT {
                return Node::Unknown(format!("a text is longer than {MAX_TEXT} bytes"));
            }
        }
        Node::Text(result)
    }

    /// Returns the value of a variable, or `None` if the variable belongs to the template.
    fn variable(&self, variable: &str, levels: usize) -> Option<Node> {
        let source = variable.trim_start().split([':', '(', ',']).next().unwrap_or_default().trim();
        let source = source.strip_suffix("}").unwrap_or(source);
        if !SOURCES.iter().any(|known| source == *known || source.starts_with(&format!("{known}."))) {
            return None;
        }
        // Variables within this one are replaced first.
        let inner = if variable.contains("${") {
            match self.text(variable, levels) {
                Node::Text(inner) => inner,
                Node::Unknown(reason) => return Some(Node::Unknown(reason)),
                other => return Some(other),
            }
        } else {
            variable.to_owned()
        };
        let mut reasons = Vec::new();
        for candidate in alternatives(&inner) {
            match self.value(candidate.trim(), levels) {
                Ok(Some(value)) => return Some(value),
                Ok(None) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        let reason = reasons.into_iter().next().unwrap_or_else(|| format!("`${{{inner}}}` has no value"));
        Some(Node::Unknown(reason))
    }

    /// Returns the value of one alternative of a variable, if it has one.
    fn value(&self, expression: &str, levels: usize) -> Result<Option<Node>, String> {
        if let Some(literal) = literal(expression) {
            return Ok(Some(literal));
        }
        if let Some(rest) = expression.strip_prefix("file(") {
            return self.file(rest, levels).map(Some);
        }
        if let Some(inner) = expression.strip_prefix("strToBool(").and_then(|rest| rest.strip_suffix(')')) {
            let inner = inner.trim().trim_matches(['\'', '"']);
            return Ok(Some(Node::Bool(matches!(inner.to_ascii_lowercase().as_str(), "true" | "1" | "yes"))));
        }
        let (source, address) = expression.split_once(':').unwrap_or((expression, ""));
        let given = |name: &str| self.surroundings.variable(name).map(|value| Node::Text(value.to_owned()));
        match (source, address) {
            ("self", "") => Err("`${self:}` is the file itself".to_owned()),
            ("self", address) => Ok(self.own(address, levels)),
            ("opt", name) => Ok(given(&format!("opt:{name}")).or_else(|| given(name))),
            ("sls", "stage") => Ok(Some(self.stage(levels))),
            ("env", name) => match given(&format!("env:{name}")) {
                Some(value) => Ok(Some(value)),
                None => Err(format!("the environment variable `{name}` is not set")),
            },
            ("param", name) => Ok(given(&format!("param:{name}")).or_else(|| self.parameter(name, levels))),
            ("aws", "region") => Ok(Some(Node::Text(self.surroundings.account.region.clone()))),
            ("aws", "accountId") => Ok(Some(Node::Text(self.surroundings.account.id.clone()))),
            _ => Err(format!("`${{{expression}}}` is not known here")),
        }
    }

    /// Looks up a value in the file itself.
    fn own(&self, address: &str, levels: usize) -> Option<Node> {
        if let Some(found) = self.look_up(self.document, address, levels) {
            return Some(found);
        }
        // Some values have defaults.
        match address {
            "provider.stage" => Some(self.stage_without_file()),
            "provider.region" => Some(Node::Text(self.surroundings.account.region.clone())),
            _ => None,
        }
    }

    /// Finds a value by its path. Each member on the path may be a variable itself.
    fn look_up(&self, from: &Node, address: &str, levels: usize) -> Option<Node> {
        let Some(levels) = levels.checked_sub(1) else {
            return Some(Node::Unknown(TOO_DEEP.to_owned()));
        };
        let (name, rest) = match address.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (address, None),
        };
        let next = match from {
            Node::List(elements) => elements.get(name.parse::<usize>().ok()?)?,
            node => node.get(name)?,
        };
        let Some(rest) = rest else {
            return Some(self.resolve(next, levels)).filter(|node| *node != Node::Null);
        };
        match next {
            Node::Text(text) if text.contains("${") => match self.text(text, levels) {
                unknown @ Node::Unknown(_) => Some(unknown),
                resolved => self.look_up(&resolved, rest, levels),
            },
            next => self.look_up(next, rest, levels),
        }
    }

    fn stage(&self, levels: usize) -> Node {
        match self.surroundings.variable("opt:stage").or(self.surroundings.variable("stage")) {
            Some(given) => Node::Text(given.to_owned()),
            None => self
                .look_up(self.document, "provider.stage", levels)
                .unwrap_or_else(|| Node::Text("dev".to_owned())),
        }
    }

    fn stage_without_file(&self) -> Node {
        let given = self.surroundings.variable("opt:stage").or(self.surroundings.variable("stage"));
        Node::Text(given.unwrap_or("dev").to_owned())
    }

    /// Looks up a parameter of the stage, or else of the defaults.
    fn parameter(&self, name: &str, levels: usize) -> Option<Node> {
        let stage = self.stage(levels);
        let sections = [stage.scalar().unwrap_or_default(), "default"];
        sections.iter().find_map(|section| {
            let own = ["params", "stages"].iter().find_map(|key| {
                let section = self.document.get(key)?.get(section)?;
                if *key == "stages" { section.get("params")?.get(name) } else { section.get(name) }
            });
            own.map(|node| self.resolve(node, levels))
        })
    }

    /// Reads another file: `PATH)`, or `PATH):ADDRESS`.
    fn file(&self, rest: &str, levels: usize) -> Result<Node, String> {
        let (path, after) = rest.split_once(')').ok_or("a `file(` in a variable has no end")?;
        let path = self.folder.join(path.trim());
        let known = self.files.borrow().get(&path).cloned();
        let file = match known {
            Some(file) => file,
            None => {
                let read = super::read_document(&path).map_err(|error| error.to_string());
                self.files.borrow_mut().insert(path.clone(), read.clone());
                read
            }
        }?;
        if !self.budget.borrow_mut().take(file.bytes()) {
            return Err("the values of the variables are too large".to_owned());
        }
        match after.trim().strip_prefix(':').map(str::trim) {
            None | Some("") => Ok(self.resolve(&file, levels)),
            Some(address) => self
                .look_up(&file, address, levels)
                .ok_or_else(|| format!("`{}` has no `{address}`", path.display())),
        }
    }
}

/// Splits a text into parts. Variables may contain variables.
fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            parts.push(Part::Text(&rest[..start]));
        }
        let inner = &rest[start + 2..];
        let mut depth = 1;
        let mut end = None;
        let bytes = inner.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = Some(at);
                break;
            }
        }
        let end = end.ok_or_else(|| format!("a `${{` in `{text}` has no end"))?;
        parts.push(Part::Variable(&inner[..end]));
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

/// Splits a variable into its alternatives at commas.
fn alternatives(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut quote, mut depth) = (Vec::new(), 0, None, 0);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ',') if depth <= 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

/// Parses a literal: a text in quotes, a number, a boolean or null.
fn literal(text: &str) -> Option<Node> {
    for quote in ['\'', '"'] {
        if text.len() >= 2
            && let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
        {
            return Some(Node::Text(inner.to_owned()));
        }
    }
    match text {
        "true" => Some(Node::Bool(true)),
        "false" => Some(Node::Bool(false)),
        "null" => Some(Node::Null),
        number if pdb_exchange::json::is_number(number) => Some(Node::Number(number.to_owned())),
        _ => None,
    }
}
