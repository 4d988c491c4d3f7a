use proptest::prelude::*;

use super::*;
use crate::testing::{any_item, any_path, any_text, item, placeholders};

const ITEM: &str = r#"{"p":{"S":"k"},"a":{"L":[{"N":"0"},{"M":{"x":{"N":"1"},"y":{"N":"2"}}},{"N":"2"}]},
    "m":{"M":{"b":{"N":"1"},"c":{"M":{"d":{"NULL":true}}}}},"x.y":{"N":"7"}}"#;

fn check(expression: &str, names: &str, expected: &str) {
    let placeholders = placeholders(names);
    let projection = ProjectionExpression::parse(expression, &placeholders).unwrap();
    assert_eq!(projection.apply(item(ITEM)).to_string(), expected, "{expression}");
    assert_eq!(placeholders.check_all_used(), Ok(()), "{expression}");
    let printed = projection.printed();
    assert_eq!(ProjectionExpression::parse(&printed.text, &printed.placeholders()), Ok(projection));
}

fn refuse(expression: &str, names: &str, expected: &str) {
    let error = ProjectionExpression::parse(expression, &placeholders(names)).unwrap_err();
    assert_eq!(error.to_string(), expected, "{expression}");
}

#[test]
fn parts_keep_their_hierarchy() {
    check("p", "", r#"{"p":{"S":"k"}}"#);
    check("q", "", "{}");
    check("p, q, m.b", "", r#"{"m":{"M":{"b":{"N":"1"}}},"p":{"S":"k"}}"#);
    check("m.c.d, m.b, m.q", "", r#"{"m":{"M":{"b":{"N":"1"},"c":{"M":{"d":{"NULL":true}}}}}}"#);
    check("a[2], a[0]", "", r#"{"a":{"L":[{"N":"0"},{"N":"2"}]}}"#);
    check("a[9], a[1].y", "", r#"{"a":{"L":[{"M":{"y":{"N":"2"}}}]}}"#);
    check("a[9], a[0].y, p.a, m.b.c", "", "{}");
    check("#a, #m.#b", "#a=x.y #m=m #b=b", r#"{"m":{"M":{"b":{"N":"1"}}},"x.y":{"N":"7"}}"#);
}

#[test]
fn static_errors_come_in_order() {
    let undefined =
        "An expression attribute name used in the document path is not defined; attribute name: #x";
    refuse("a,", "", "Syntax error; token: \"<EOF>\", near: \",\"");
    refuse("a b", "", "Syntax error; token: \"b\", near: \"a b\"");
    refuse(":a", "", "Syntax error; token: \":a\", near: \":a\"");
    refuse("a, size(b)", "", "Syntax error; token: \"(\", near: \"size(b\"");
    refuse("(a)", "", "Syntax error; token: \"(\", near: \"(a\"");
    refuse("", "", "The expression can not be empty;");
    refuse("#x, a, a, abort", "", "Attribute name is a reserved keyword; reserved keyword: abort");
    refuse("a, a, #x", "", undefined);
    let overlap = |one: &str, two: &str| {
        format!(
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {one}, path \
             two: {two}"
        )
    };
    refuse("b.c, b[0], a, a.b", "", &overlap("[a]", "[a, b]"));
    refuse("a.b[1].c, #a.b", "#a=a", &overlap("[a, b, [1], c]", "[a, b]"));
    refuse("x, a, x", "", &overlap("[x]", "[x]"));
    refuse(
        "a.b, a[1], a.c",
        "",
        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path \
         two: [a, [1]]",
    );
    let levels = |count: usize| format!("a{}", "[0]".repeat(count - 1));
    assert!(ProjectionExpression::parse(&levels(32), &Placeholders::default()).is_ok());
    for count in [33, 40] {
        refuse(
            &levels(count),
            "",
            &format!("The document path has too many nesting levels; nesting levels: {count}"),
        );
    }
    refuse(&"a,".repeat(2050), "", "Expression size has exceeded the maximum allowed size;");
}

#[test]
fn whole_attributes_need_no_parsing() {
    let flat = ProjectionExpression::attributes(["p", "x.y", "p"]);
    assert_eq!(flat.apply(item(ITEM)).to_string(), r#"{"p":{"S":"k"},"x.y":{"N":"7"}}"#);
    assert!(flat.is_flat());
    let nested = ProjectionExpression::parse("m.b, a[0], p", &Placeholders::default()).unwrap();
    assert!(!nested.is_flat());
    assert_eq!(nested.attribute_names().collect::<Vec<_>>(), ["a", "m", "p"]);
    assert_eq!(nested.to_string(), "m.b, a[0], p");
}

proptest! {
    /// A projection holds just what its paths lead to, and projecting again by names alone changes nothing.
    #[test]
    fn each_path_is_kept(paths in prop::collection::vec(any_path(), 1..6), item in any_item()) {
        if let Ok(projection) = ProjectionExpression::new(paths) {
            let projected = projection.apply(item.clone());
            for path in projection.paths() {
                let found = path.resolve(&item);
                if path.elements.iter().all(|element| matches!(element, PathElement::Name(_))) {
                    prop_assert_eq!(path.resolve(&projected), found);
                }
                prop_assert_eq!(found.is_some() && !projected.contains_key(&*path.attribute), false);
            }
            let printed = projection.printed();
            prop_assert_eq!(ProjectionExpression::parse(&printed.text, &printed.placeholders()), Ok(projection));
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any_text(), item in any_item()) {
        let placeholders = Placeholders::new([("#n".to_owned(), "a".to_owned())], []);
        if let Ok(projection) = ProjectionExpression::parse(&text, &placeholders) {
            let _projected = projection.apply(item);
        }
    }
}
