//! Expressions that are right more often than not.

use crate::Source;

/// Words and signs of expressions, and some that are wrong everywhere.
pub(crate) const WORDS: [&str; 60] = [
    "a",
    "b",
    "#n",
    "#m",
    ":v",
    ":w",
    "pk",
    "sk",
    "size",
    "SET",
    "REMOVE",
    "ADD",
    "DELETE",
    "AND",
    "OR",
    "NOT",
    "BETWEEN",
    "IN",
    "attribute_exists(",
    "attribute_not_exists(",
    "attribute_type(",
    "begins_with(",
    "contains(",
    "size(",
    "if_not_exists(",
    "list_append(",
    "f(",
    "(",
    ")",
    "((",
    "))",
    "[",
    "]",
    "[0]",
    "[99999999999]",
    ".",
    ",",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "1",
    "_",
    "é",
    "\"",
    "\n",
    "#",
    ":",
    "#x.y",
    "and",
    "between",
    "set",
    "a.b[1].c",
    "x",
    "*",
    "'",
];

/// The names that `name` makes up.
pub(crate) const PLACEHOLDER_NAMES: [&str; 2] = ["#n", "#m"];
/// The values that [`value`] makes up.
pub(crate) const PLACEHOLDER_VALUES: [&str; 3] = [":v", ":w", ":p"];

const COMPARATORS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

/// Returns a path.
pub(crate) fn path(source: &mut Source<'_>) -> String {
    let mut path = source.pick(&["a", "b", "#n", "#m", "c", "v", "pk", "sk", "n"]).to_owned();
    for _ in 0..source.pick(&[0, 0, 0, 1, 2, 40]) {
        path.push_str(source.pick(&[".a", ".#n", "[0]", "[1]", ".b", "[4294967295]"]));
    }
    path
}

fn value(source: &mut Source<'_>) -> &'static str {
    source.pick(&PLACEHOLDER_VALUES)
}

fn operand(source: &mut Source<'_>) -> String {
    match source.below(5) {
        0 | 1 => path(source),
        2 | 3 => value(source).to_owned(),
        _ => format!("size({})", path(source)),
    }
}

/// Returns a condition or a filter, up to `depth` levels deep.
pub(crate) fn condition(source: &mut Source<'_>, depth: usize) -> String {
    match source.below(if depth == 0 { 8 } else { 12 }) {
        0 | 1 => format!("{} {} {}", operand(source), source.pick(&COMPARATORS), operand(source)),
        2 => format!("attribute_exists({})", path(source)),
        3 => format!("attribute_not_exists({})", path(source)),
        4 => format!("begins_with({}, {})", path(source), operand(source)),
        5 => format!("contains({}, {})", path(source), operand(source)),
        6 => format!("{} BETWEEN {} AND {}", operand(source), operand(source), operand(source)),
        7 => {
            let list = source.up_to(4, operand);
            format!(
                "{} IN ({}{})",
                operand(source),
                value(source),
                list.iter().map(|operand| format!(", {operand}")).collect::<String>()
            )
        }
        8 => format!("NOT {}", condition(source, depth - 1)),
        9 => format!("({})", condition(source, depth - 1)),
        10 => format!("{} AND {}", condition(source, depth - 1), condition(source, depth - 1)),
        _ => format!("{} OR {}", condition(source, depth - 1), condition(source, depth - 1)),
    }
}

/// Returns an update.
pub(crate) fn update(source: &mut Source<'_>) -> String {
    let mut clauses = Vec::new();
    for name in ["SET", "REMOVE", "ADD", "DELETE"] {
        let actions = source.up_to(3, |source| action(source, name));
        if !actions.is_empty() {
            clauses.push(format!("{name} {}", actions.join(", ")));
        }
    }
    clauses.join(" ")
}

fn action(source: &mut Source<'_>, clause: &str) -> String {
    let path = path(source);
    match clause {
        "SET" => {
            let mut action = format!("{path} = {}", set_operand(source, 2));
            if source.once_in(3) {
                action.push_str(source.pick(&[" + ", " - "]));
                action.push_str(&set_operand(source, 2));
            }
            action
        }
        "REMOVE" => path,
        _ => format!("{path} {}", value(source)),
    }
}

fn set_operand(source: &mut Source<'_>, depth: usize) -> String {
    match source.below(if depth == 0 { 2 } else { 4 }) {
        0 => value(source).to_owned(),
        1 => path(source),
        2 => format!("if_not_exists({}, {})", path(source), set_operand(source, depth - 1)),
        _ => format!("list_append({}, {})", set_operand(source, depth - 1), set_operand(source, depth - 1)),
    }
}

/// Returns a projection.
pub(crate) fn projection(source: &mut Source<'_>) -> String {
    let mut paths = vec![path(source)];
    paths.extend(source.up_to(3, path));
    paths.join(", ")
}

/// Returns a key condition for the keys `pk` and `sk`.
pub(crate) fn key_condition(source: &mut Source<'_>) -> String {
    let hash = format!("pk = {}", source.pick(&[":p", ":v"]));
    match source.below(5) {
        0 => hash,
        1 => format!("{hash} AND sk {} {}", source.pick(&COMPARATORS), value(source)),
        2 => format!("{hash} AND sk BETWEEN {} AND {}", value(source), value(source)),
        3 => format!("{hash} AND begins_with(sk, {})", value(source)),
        _ => format!("{hash} AND {}", condition(source, 1)),
    }
}

/// Words and signs of PartiQL.
pub(crate) const PARTIQL_WORDS: [&str; 58] = [
    "SELECT",
    "*",
    "FROM",
    "WHERE",
    "INSERT",
    "INTO",
    "VALUE",
    "UPDATE",
    "SET",
    "REMOVE",
    "DELETE",
    "EXISTS(",
    "ORDER",
    "BY",
    "DESC",
    "RETURNING",
    "ALL OLD *",
    "MODIFIED NEW *",
    "AND",
    "OR",
    "NOT",
    "BETWEEN",
    "IN",
    "IS",
    "MISSING",
    "NULL",
    "TRUE",
    "?",
    "'a'",
    "1",
    "-1.5e3",
    "\"Orders\"",
    "Orders",
    "Orders.global",
    "\"Orders\".\"global\"",
    "pk",
    "sk",
    "a",
    "v[0]",
    "v.x",
    "=",
    "<>",
    "<",
    ">=",
    "+",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<<",
    ">>",
    ":",
    ",",
    "'pk'",
    "size(",
    "contains(",
];

/// Returns a PartiQL statement.
pub(crate) fn statement(source: &mut Source<'_>) -> String {
    let table = source.pick(&[
        "\"Orders\"",
        "Orders",
        "\"Plain\"",
        "\"Orders\".\"global\"",
        "Orders.local",
        "Nowhere",
    ]);
    match source.below(6) {
        0 => {
            let order = source.pick(&["", "", " ORDER BY sk", " ORDER BY sk DESC", " ORDER BY pk, sk"]);
            format!(
                "SELECT {} FROM {table}{}{order}",
                source.pick(&["*", "pk", "v[0], sk", "a.b", "COUNT(*)"]),
                where_clause(source)
            )
        }
        1 => format!(
            "INSERT INTO {table} VALUE {{'pk': {}, 'sk': {}, 'v': {}}}",
            literal(source, 0),
            literal(source, 0),
            literal(source, 2)
        ),
        2 => format!(
            "UPDATE {table} SET {} = {}{}{}",
            partiql_path(source),
            term(source),
            where_clause(source),
            returning(source)
        ),
        3 => format!(
            "UPDATE {table} REMOVE {}{}{}",
            partiql_path(source),
            where_clause(source),
            returning(source)
        ),
        4 => format!("DELETE FROM {table}{}{}", where_clause(source), returning(source)),
        _ => format!("EXISTS(SELECT * FROM {table}{})", where_clause(source)),
    }
}

fn returning(source: &mut Source<'_>) -> &'static str {
    source.pick(&["", "", " RETURNING ALL OLD *", " RETURNING MODIFIED NEW *", " RETURNING ALL NEW *"])
}

fn where_clause(source: &mut Source<'_>) -> String {
    match source.below(4) {
        0 => format!(" WHERE pk = {} AND sk = {}", literal(source, 0), literal(source, 0)),
        1 => format!(" WHERE pk IN [{}, {}]", literal(source, 0), literal(source, 0)),
        2 => format!(" WHERE {}", partiql_condition(source, 2)),
        _ => String::new(),
    }
}

fn partiql_path(source: &mut Source<'_>) -> String {
    source.pick(&["v", "a", "pk", "sk", "v[0]", "a.b", "\"n\"", "v[1].x"]).to_owned()
}

fn term(source: &mut Source<'_>) -> String {
    match source.below(6) {
        0 | 1 => literal(source, 1),
        2 => partiql_path(source),
        3 => format!("{} {} {}", partiql_path(source), source.pick(&["+", "-"]), literal(source, 0)),
        4 => format!("list_append({}, {})", partiql_path(source), literal(source, 1)),
        _ => format!(
            "{}({}, {})",
            source.pick(&["set_add", "set_delete"]),
            partiql_path(source),
            literal(source, 1)
        ),
    }
}

fn partiql_condition(source: &mut Source<'_>, depth: usize) -> String {
    match source.below(if depth == 0 { 6 } else { 9 }) {
        0 | 1 => format!("{} {} {}", partiql_path(source), source.pick(&COMPARATORS), literal(source, 0)),
        2 => format!("{} BETWEEN {} AND {}", partiql_path(source), literal(source, 0), literal(source, 0)),
        3 => format!(
            "{} IS {}",
            partiql_path(source),
            source.pick(&["MISSING", "NOT MISSING", "NULL", "NOT NULL"])
        ),
        4 => format!("begins_with({}, {})", partiql_path(source), literal(source, 0)),
        5 => format!("attribute_type({}, 'S')", partiql_path(source)),
        6 => format!("NOT ({})", partiql_condition(source, depth - 1)),
        7 => format!("{} AND {}", partiql_condition(source, depth - 1), partiql_condition(source, depth - 1)),
        _ => format!("{} OR {}", partiql_condition(source, depth - 1), partiql_condition(source, depth - 1)),
    }
}

fn literal(source: &mut Source<'_>, depth: usize) -> String {
    match source.below(if depth == 0 { 6 } else { 9 }) {
        0 => format!("'{}'", source.pick(&["a", "b", "c", "", "it''s"])),
        1 => source.pick(&["1", "2", "0", "-1", "1e3", "0.5"]).to_owned(),
        2 => "?".to_owned(),
        3 => source.pick(&["TRUE", "FALSE", "NULL", "MISSING"]).to_owned(),
        4 => "'a'".to_owned(),
        5 => "1".to_owned(),
        6 => format!("[{}]", source.up_to(3, |source| literal(source, depth - 1)).join(", ")),
        7 => format!("<<{}>>", source.up_to(3, |source| literal(source, 0)).join(", ")),
        _ => {
            let members = source.up_to(3, |source| {
                format!("'{}': {}", source.pick(&["a", "x", "pk"]), literal(source, depth - 1))
            });
            format!("{{{}}}", members.join(", "))
        }
    }
}
