//! YAML as templates use it, with the short tags of CloudFormation, anchors and merges.

use std::collections::BTreeMap;

use pdb_exchange::json::is_number;
use pdb_exchange::node::{Budget, MAX_DEPTH, Node, SyntaxFault, repeated_name};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

const TOO_LARGE: &str = "the file is too large, or its aliases make it too large";

/// Parses a YAML text with one document.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxFault> {
    let mut reader = Reader { open: Vec::new(), anchors: BTreeMap::new(), root: None, budget: Budget::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| SyntaxFault::new(error.marker().line() as u64, error.info()))?;
        let line = span.start.line() as u64;
        reader.take(event, line).map_err(|reason| SyntaxFault::new(line, reason))?;
    }
    Ok(reader.root.unwrap_or(Node::Null))
}

/// A list or map whose end has not been read yet.
struct Open {
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// Members, and the name whose value follows.
    Map(Vec<(String, Node)>, Option<String>),
}

struct Reader {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    budget: Budget,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: u64) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                let node = scalar(&text, style, tag);
                self.close(node, anchor, tag.and_then(function))
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).ok_or("an alias comes before its anchor is complete")?;
                let (node, bytes) = (node.clone(), node.bytes());
                if self.budget.take(bytes) { self.put(node) } else { Err(TOO_LARGE.to_owned()) }
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(anchor, tag.as_deref(), Content::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let node = match open.content {
                    Content::List(elements) => Node::List(elements),
                    Content::Map(members, _) => Node::Map(merged(members)?),
                };
                self.close(node, open.anchor, open.tag)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(format!("line {line} begins a second document; a file must have only one"))
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), String> {
        // A tag becomes a map around its value, which is another level.
        if self.open.len() + self.open.iter().filter(|open| open.tag.is_some()).count() >= MAX_DEPTH - 2 {
            return Err(format!("lists and maps are nested deeper than {MAX_DEPTH} levels"));
        }
        self.open.push(Open { anchor, tag: tag.and_then(function), content });
        Ok(())
    }

    /// Adds a complete value to its list or map, and stores it under its anchor.
    fn close(&mut self, node: Node, anchor: usize, tag: Option<String>) -> Result<(), String> {
        let node = match tag {
            Some(name) => Node::Map(vec![(name.clone(), argument(&name, node))]),
            None => node,
        };
        if anchor != 0 {
            if !self.budget.take(node.bytes()) {
                return Err(TOO_LARGE.to_owned());
            }
            self.anchors.insert(anchor, node.clone());
        }
        // Its elements were counted when they were added.
        let own = 2 * size_of::<Node>() + node.scalar().map_or(0, str::len);
        if self.budget.take(own) { self.put(node) } else { Err(TOO_LARGE.to_owned()) }
    }

    fn put(&mut self, node: Node) -> Result<(), String> {
        // With aliases, a value can be deeper than the text.
        if node.depth() + self.open.len() > MAX_DEPTH {
            return Err(format!("lists and maps are nested deeper than {MAX_DEPTH} levels"));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(elements)) => elements.push(node),
            Some(Content::Map(members, name)) => match name.take() {
                Some(name) => members.push((name, node)),
                None => {
                    let scalar = node.scalar().map(str::to_owned);
                    let is_null = node == Node::Null;
                    *name = Some(
                        scalar
                            .or_else(|| is_null.then(|| "null".to_owned()))
                            .ok_or_else(|| format!("the name of a member is {}", node.kind()))?,
                    );
                }
            },
        }
        Ok(())
    }
}

/// Returns the function that a short tag stands for: `Fn::Sub` for `!Sub`.
fn function(tag: &Tag) -> Option<String> {
    if tag.handle != "!" || tag.suffix.is_empty() {
        return None;
    }
    Some(match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    })
}

/// Converts the argument of a short tag to the long form.
fn argument(name: &str, node: Node) -> Node {
    match (name, &node) {
        ("Fn::GetAtt", Node::Text(text)) => {
            let (resource, attribute) = text.split_once('.').unwrap_or((text, ""));
            Node::List(vec![Node::Text(resource.to_owned()), Node::Text(attribute.to_owned())])
        }
        _ => node,
    }
}

/// Converts a scalar. Without quotes it may be a number, a boolean or null.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Node {
    let is_text = tag.is_some_and(|tag| tag.suffix == "str" || tag.handle == "!");
    if style != ScalarStyle::Plain || is_text {
        return Node::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        number if is_number(number) => Node::Number(number.to_owned()),
        text => Node::Text(text.to_owned()),
    }
}

/// Applies merges: `<<` adds the members of other maps that the map does not have itself.
fn merged(members: Vec<(String, Node)>) -> Result<Vec<(String, Node)>, String> {
    if let Some(name) = repeated_name(&members) {
        return Err(format!("`{name}` appears twice in one map"));
    }
    let (merges, mut members): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| name == "<<");
    let sources = merges.into_iter().flat_map(|(_, node)| match node {
        Node::List(nodes) => nodes,
        other => vec![other],
    });
    for source in sources {
        let Node::Map(others) = source else { return Err("`<<` takes a map".to_owned()) };
        let names: std::collections::BTreeSet<String> =
            members.iter().map(|(name, _)| name.clone()).collect();
        members.extend(others.into_iter().filter(|(name, _)| !names.contains(name)));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every text is read or refused.
        #[test]
        fn no_text_is_too_odd(text in "[a-c&*!<>|?:,\\[\\]{}'\"#%@`~\\- \n\t0-9]{0,48}") {
            let _ = parse(&text);
        }
    }

    fn json(text: &str) -> String {
        parse(text).unwrap_or_else(|fault| panic!("{fault:?}: {text}")).to_json().to_string()
    }

    #[test]
    fn short_tags_become_functions() {
        for (yaml, expected) in [
            ("a: !Ref Stage", r#"{"a":{"Ref":"Stage"}}"#),
            ("a: !Sub '${AWS::StackName}-x'", r#"{"a":{"Fn::Sub":"${AWS::StackName}-x"}}"#),
            ("a: !GetAtt Key.Arn.X", r#"{"a":{"Fn::GetAtt":["Key","Arn.X"]}}"#),
            ("a: !Join ['-', [x, !Ref y]]", r#"{"a":{"Fn::Join":["-",["x",{"Ref":"y"}]]}}"#),
            (
                "a: !If\n  - C\n  - 1\n  - !Ref 'AWS::NoValue'",
                r#"{"a":{"Fn::If":["C",1,{"Ref":"AWS::NoValue"}]}}"#,
            ),
            ("a: !Not [!Condition B]", r#"{"a":{"Fn::Not":[{"Condition":"B"}]}}"#),
            ("a: !Sub 5", r#"{"a":{"Fn::Sub":"5"}}"#),
        ] {
            assert_eq!(json(yaml), expected);
        }
    }

    #[test]
    fn scalars_are_what_they_look_like() {
        assert_eq!(
            json("a: 5\nb: '5'\nc: 007\nd: yes\ne: True\nf: ~\ng: 1.5\nh: !!str 5\ni: |\n  x\n"),
            r#"{"a":5,"b":"5","c":"007","d":"yes","e":true,"f":null,"g":1.5,"h":"5","i":"x\n"}"#
        );
        assert_eq!(json(""), "null");
        assert_eq!(
            json("base: &b {x: 1, y: 2}\nall: {<<: *b, y: 3}"),
            r#"{"all":{"x":1,"y":3},"base":{"x":1,"y":2}}"#
        );
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line, reason) in [
            ("a: 1\nb: [", 2, ""),
            ("a: 1\na: 2", 2, "appears twice"),
            ("a: 1\n---\nb: 2", 2, "second document"),
            ("? [x]\n: 1", 1, "name of a member is a list"),
            ("a: &x [*x]", 1, "before its anchor"),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.reason.contains(reason), "{text}: {fault:?}");
            assert!(fault.line >= line && fault.line <= line + 1, "{text}: {fault:?}");
        }
    }

    #[test]
    fn bombs_are_refused_before_they_go_off() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let before = format!("*a{}, ", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", before.trim_end_matches(", ")));
        }
        assert_eq!(parse(&bomb).unwrap_err().reason, TOO_LARGE);
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(10_000)).is_err());
        assert!(
            parse(&format!("{}x{}", "[".repeat(90), "]".repeat(90))).unwrap_err().reason.contains("nested")
        );
        let mut tower = "a0: &a0 [[[[x]]]]\n".to_owned();
        for n in 1..30 {
            tower.push_str(&format!("a{n}: &a{n} [[[*a{}]]]\n", n - 1));
        }
        assert!(parse(&tower).unwrap_err().reason.contains("nested"));
    }
}
