//! Templates of CloudFormation and SAM, including those of CDK: parameters, conditions, functions, and the tables among the resources.

mod functions;
mod global_table;
mod simple_table;
mod table;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use pdb_exchange::node::{Budget, MAX_DEPTH, Node};

use crate::error::Fault;
use crate::fields::{Fields, unresolved};

use super::Surroundings;
use super::plan::TablePlan;

/// How many functions may be evaluated for one template. A chain of values that each use the one before twice doubles the work with every link.
const MAX_STEPS: usize = 200_000;

const TABLE: &str = "AWS::DynamoDB::Table";
const GLOBAL_TABLE: &str = "AWS::DynamoDB::GlobalTable";
const SIMPLE_TABLE: &str = "AWS::Serverless::SimpleTable";

/// A template that is being read.
pub(crate) struct Template<'t> {
    document: &'t Node,
    surroundings: &'t Surroundings<'t>,
    steps: Cell<usize>,
    budget: RefCell<Budget>,
    /// Conditions that have been evaluated.
    conditions: RefCell<BTreeMap<String, Result<bool, String>>>,
    /// Resources whose names are being resolved, to detect cycles.
    naming: RefCell<BTreeSet<String>>,
}

/// Returns the tables of a template, or `None` if the document is not a template.
pub(crate) fn read(
    document: &Node,
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<Fault>,
) -> Result<Option<Vec<TablePlan>>, Fault> {
    let is_template =
        document.get("AWSTemplateFormatVersion").is_some() || document.get("Transform").is_some();
    match document.get("Resources") {
        Some(Node::Map(_)) => {}
        _ if is_template => return Err(Fault::new("Resources", "is missing")),
        _ => return Ok(None),
    }
    Template::new(document, surroundings).tables(notes).map(Some)
}

impl<'t> Template<'t> {
    fn new(document: &'t Node, surroundings: &'t Surroundings<'t>) -> Self {
        Self {
            document,
            surroundings,
            steps: Cell::new(MAX_STEPS),
            budget: RefCell::new(Budget::new()),
            conditions: RefCell::default(),
            naming: RefCell::default(),
        }
    }

    fn tables(&self, notes: &mut Vec<Fault>) -> Result<Vec<TablePlan>, Fault> {
        let mut tables = Vec::new();
        for (id, resource) in self.resources() {
            if id.starts_with("Fn::ForEach") {
                return Err(Fault::new(id, "cannot be expanded: give the template as AWS processes it"));
            }
            let kind = resource.get("Type").and_then(Node::scalar).unwrap_or_default();
            match kind {
                TABLE | GLOBAL_TABLE | SIMPLE_TABLE => {}
                "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
                    notes.push(Fault::new(id, "is a separate stack: pass its template too if it has tables"));
                    continue;
                }
                other if other.starts_with("AWS::DynamoDB::") => {
                    notes.push(Fault::new(id, format!("is ignored: `{other}` is not a table")));
                    continue;
                }
                _ => continue,
            }
            if !self.exists(id, resource)? {
                continue;
            }
            let properties = self.properties(resource);
            let fields = Fields::of(&properties, format!("{id}.Properties"))?;
            tables.push(match kind {
                GLOBAL_TABLE => global_table::read(self, id, fields)?,
                SIMPLE_TABLE => simple_table::read(self, id, fields)?,
                _ => table::read(self, id, fields)?,
            });
        }
        Ok(tables)
    }

    fn resources(&self) -> &'t [(String, Node)] {
        self.document.get("Resources").map_or(&[], Node::members)
    }

    /// Returns whether the condition of a resource holds.
    fn exists(&self, id: &str, resource: &Node) -> Result<bool, Fault> {
        match resource.get("Condition").and_then(Node::scalar) {
            None => Ok(true),
            Some(name) => self
                .condition(name, MAX_DEPTH)
                .map_err(|reason| unresolved(&format!("{id}.Condition"), &reason)),
        }
    }

    /// Returns the properties of a resource, with all functions evaluated.
    fn properties(&self, resource: &Node) -> Node {
        let empty = Node::Map(Vec::new());
        let given = self.with_globals(resource);
        let resolved = self.resolve(given.as_ref().unwrap_or(&empty), MAX_DEPTH);
        resolved.unwrap_or(empty)
    }

    /// Adds the properties in SAM's `Globals` for resources of this type.
    fn with_globals(&self, resource: &Node) -> Option<Node> {
        let properties = resource.get("Properties").cloned();
        let kind = resource.get("Type").and_then(Node::scalar)?;
        let globals =
            kind.strip_prefix("AWS::Serverless::").and_then(|kind| self.document.get("Globals")?.get(kind));
        match (properties, globals) {
            (properties, None) => properties,
            (None, globals) => globals.cloned(),
            (Some(properties), Some(globals)) => Some(overlaid(globals, &properties)),
        }
    }

    /// Returns the name of a table: the given one, or else its logical id.
    fn table_name(&self, id: &str, given: Option<&str>) -> String {
        given.unwrap_or(id).to_owned()
    }

    /// Returns the name of a table for values that refer to its resource.
    fn name_of_table(&self, id: &str, levels: usize) -> Option<Node> {
        let (_, resource) = self.resources().iter().find(|(name, _)| name == id)?;
        let kind = resource.get("Type").and_then(Node::scalar)?;
        if ![TABLE, GLOBAL_TABLE, SIMPLE_TABLE].contains(&kind) {
            return None;
        }
        let given = resource.get("Properties").and_then(|properties| properties.get("TableName"));
        let Some(given) = given else { return Some(Node::Text(id.to_owned())) };
        if !self.naming.borrow_mut().insert(id.to_owned()) {
            return Some(Node::Unknown(format!("the name of `{id}` refers to itself")));
        }
        let name = self.resolve(given, levels);
        self.naming.borrow_mut().remove(id);
        Some(name.unwrap_or_else(|| Node::Text(id.to_owned())))
    }
}

/// Merges members into a map recursively. They replace members with the same names.
fn overlaid(base: &Node, over: &Node) -> Node {
    let (Node::Map(base), Node::Map(over)) = (base, over) else { return over.clone() };
    let mut members = base.clone();
    for (name, node) in over {
        match members.iter_mut().find(|(member, _)| member == name) {
            Some((_, below)) => *below = overlaid(below, node),
            None => members.push((name.clone(), node.clone())),
        }
    }
    Node::Map(members)
}

#[cfg(test)]
mod tests;
