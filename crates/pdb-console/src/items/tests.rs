use serde_json::json;

use crate::Context;
use crate::testing::{HOSTILE, context, link, put, show};

fn orders(context: &Context<'_>) {
    for number in 0..10 {
        let total = (number * 10).to_string();
        put(
            context,
            "orders",
            &json!({
                "customer": { "S": if number % 2 == 0 { "even" } else { "odd" } }, "id": { "S": format!("o{number}") },
                "status": { "S": "open" }, "total": { "N": total }, "note": { "S": HOSTILE },
                "address": { "M": { "city": { "S": if number < 5 { "Bern" } else { "Rome" } } } },
                "lines": { "L": [{ "N": "1" }] }, "a.b": { "BOOL": number == 3 }, "size": { "NULL": true },
            }),
        );
    }
}

/// Returns the page of a search, and the identifiers of the orders on it.
fn search(context: &Context<'_>, query: &[(&str, &str)]) -> (u16, String, Vec<String>) {
    let (status, html) = show(context, "items", &[&[("table", "orders")], query].concat());
    let rows = html.split("<tr><th scope=\"row\">").skip(1);
    let id = |row: &str| {
        row.split("<span class=\"value\">").nth(2).and_then(|cell| cell.split('<').next()).unwrap().to_owned()
    };
    let ids = rows.map(id).collect();
    (status, html, ids)
}

#[test]
fn searches_find_items() {
    let context = context();
    orders(&context);
    let f = |a, o, t, v| [("fa", a), ("fo", o), ("ft", t), ("fv", v)];
    let k = |o, v, e| [("so", o), ("sk", v), ("end", e)];
    let odd = [("pk", "odd")];
    let by_status = [("index", "by-status"), ("pk", "open")];
    for (query, expected) in [
        (vec![&odd[..]], "o1 o3 o5 o7 o9"),
        (vec![&odd, &[("order", "desc"), ("limit", "2")]], "o9 o7"),
        (vec![&odd, &k("=", "o3", "")], "o3"),
        (vec![&odd, &k("<", "o5", "")], "o1 o3"),
        (vec![&odd, &k("<=", "o5", "")], "o1 o3 o5"),
        (vec![&odd, &k(">", "o5", "")], "o7 o9"),
        (vec![&odd, &k(">=", "o5", "")], "o5 o7 o9"),
        (vec![&odd, &k("between", "o3", "o7")], "o3 o5 o7"),
        (vec![&odd, &k("begins_with", "o", "")], "o1 o3 o5 o7 o9"),
        (vec![&by_status, &k("between", "20", "40.5")], "o2 o3 o4"),
        (
            vec![&by_status, &k("", "", ""), &[("order", "desc")], &f("address.city", "=", "S", "Bern")],
            "o4 o3 o2 o1 o0",
        ),
        (vec![&odd, &f("total", ">=", "N", "50"), &f("size", "exists", "S", "")], "o5 o7 o9"),
        (vec![&odd, &f(r#"["a.b"]"#, "=", "BOOL", "true")], "o3"),
        (
            vec![&odd, &f("size", "=", "NULL", ""), &f("lines[0]", "=", "JSON", "1.0"), &[("limit", "1")]],
            "o1",
        ),
        (
            vec![
                &odd,
                &f("note", "contains", "S", "'q'"),
                &f("note", "not contains", "S", "zz"),
                &f("total", "<>", "N", "10"),
            ],
            "o3 o5 o7 o9",
        ),
        (
            vec![
                &odd,
                &f("missing", "not exists", "", ""),
                &f("note", "begins_with", "S", "<script>"),
                &f("total", "<", "N", "30"),
            ],
            "o1",
        ),
        (
            vec![
                &odd,
                &[
                    ("filter", "#t > :low OR #t = :ten"),
                    ("names", r##"{"#t":"total"}"##),
                    ("values", r#"{":low":80,":ten":10}"#),
                ],
            ],
            "o1 o9",
        ),
        (
            vec![
                &odd,
                &[
                    ("filter", "#n0 = :v0 OR #n0 = :v1"),
                    ("names", r##"{"#n0":"total"}"##),
                    ("values", r#"{":v0":{"N":"10"},":v1":{"N":"90"}}"#),
                ],
                &f("address.city", "=", "S", "Bern"),
            ],
            "o1",
        ),
        (vec![&odd, &[("consistent", "yes")], &f("note", "=", "S", HOSTILE)], "o1 o3 o5 o7 o9"),
    ] {
        let (status, html, ids) = search(&context, &query.concat());
        assert_eq!((status, ids.join(" ")), (200, expected.to_owned()), "{html}");
        assert!(html.contains("Query of"));
    }
    let (_, html, ids) = search(&context, &[]);
    assert!(
        html.contains("Scan of orders") && html.contains("<strong>10 items</strong>") && ids.len() == 10,
        "{html}"
    );
    let (_, html, _) = search(&context, &f("total", ">", "N", "70"));
    assert!(
        html.contains("<strong>2 items</strong> of 10 read") && html.contains("scanned count 10"),
        "{html}"
    );
}

#[test]
fn pages_follow_each_other() {
    let context = context();
    orders(&context);
    let (mut query, mut found) = ("table=orders&limit=3&fa=total&fo=%3E%3D&ft=N&fv=0".to_owned(), Vec::new());
    for page in 0.. {
        let parameters = crate::Parameters::of(query.as_bytes());
        let parameters: Vec<_> = ["limit", "fa", "fo", "ft", "fv", "start"]
            .iter()
            .map(|name| (*name, parameters.get(name)))
            .collect();
        let (status, html, ids) = search(&context, &parameters);
        assert_eq!(status, 200, "{html}");
        assert_eq!(link(&html, "First page").is_some(), page > 0);
        found.extend(ids);
        match link(&html, "Next page") {
            Some(next) => query = next.strip_prefix("items?").unwrap().to_owned(),
            None => break,
        }
    }
    found.sort();
    assert_eq!(found.join(" "), "o0 o1 o2 o3 o4 o5 o6 o7 o8 o9");
}

#[test]
fn an_error_leaves_what_was_typed() {
    let context = context();
    orders(&context);
    for (query, error) in [
        (&[("filter", "total >")][..], "ValidationException: Invalid FilterExpression"),
        (&[("filter", "size > :v"), ("values", "{")], "The values of the filter expression: not JSON"),
        (&[("filter", "x"), ("names", "[1]")], "The names of the filter expression"),
        (&[("fa", "a..b"), ("fo", "="), ("ft", "S"), ("fv", "x")], "is not the path of an attribute"),
        (&[("fa", "a"), ("fo", "~"), ("ft", "S"), ("fv", "x")], "There is no condition `~`"),
        (&[("fa", "a"), ("fo", "="), ("ft", "BOOL"), ("fv", "x")], "is true or false"),
        (&[("fa", "a"), ("fo", "="), ("ft", "N"), ("fv", "1e999")], "ValidationException"),
        (&[("limit", "0")], "between 1 and 1000"),
        (&[("index", "none")], "The table has no index `none`"),
        (&[("start", "{")], "The start of the page is not JSON"),
        (&[("pk", "odd"), ("so", "begins_with"), ("sk", ""), ("index", "by-total")], "ValidationException"),
        (&[("so", "="), ("sk", "o3")], "A condition on the sort key needs a value of the partition key"),
    ] {
        let (status, html, _) = search(&context, query);
        assert!(status == 400 && html.contains("role=\"alert\"") && html.contains(error), "{error}: {html}");
        for (name, value) in
            query.iter().filter(|(name, _)| ["filter", "values", "names", "fa", "fv", "limit"].contains(name))
        {
            let field = maud::html! { input name=(name) value=(value); }.into_string();
            let kept = field.split_once(" value=").unwrap().1.trim_end_matches('>').to_owned();
            assert!(html.contains(&kept), "{name}: {html}");
        }
    }
}

#[test]
fn rows_show_keys_first_and_lead_to_items() {
    let context = context();
    let mut item = json!({ "customer": { "S": HOSTILE }, "id": { "S": "x" }, "b": { "B": "AAE=" }, "empty": { "S": "" } });
    for number in 0..20 {
        item[format!("<i>{number}")] = json!({ "S": "long ".repeat(50) });
    }
    put(&context, "orders", &item);
    let (_, html, _) = search(&context, &[]);
    let heads: Vec<_> = html.split("<th scope=\"col\">").skip(1).collect();
    assert!(heads[0].starts_with("customer") && heads[1].starts_with("id") && heads.len() == 14, "{html}");
    assert!(html.contains("10 more attributes are not shown"), "{html}");
    let start = html.find("<a href=\"item?").unwrap() + 9;
    let address = html[start..].split('"').next().unwrap().replace("&amp;", "&");
    let parameters = crate::Parameters::of(address.strip_prefix("item?").unwrap().as_bytes());
    let (status, _) =
        show(&context, "item", &[("table", parameters.get("table")), ("key", parameters.get("key"))]);
    assert_eq!(status, 200);
}

#[test]
fn nothing_teaches() {
    let context = context();
    let (_, html, _) = search(&context, &[]);
    assert!(html.contains("The table has no items.") && html.contains("aws dynamodb put-item"), "{html}");
    let (_, html, _) = search(&context, &[("index", "by-status")]);
    assert!(html.contains("No item has the keys of this index."), "{html}");
    orders(&context);
    let (_, html, _) = search(&context, &[("pk", "nobody")]);
    assert!(html.contains("No item matches."), "{html}");
    let filter = [("fa", "x"), ("fo", "exists"), ("ft", "S"), ("fv", ""), ("limit", "3")];
    let (_, html, _) = search(&context, &filter);
    assert!(html.contains("No item on this page passes the filter") && html.contains("Next page"), "{html}");
}

#[test]
fn a_table_shows_its_schema() {
    let context = context();
    let (status, html) = show(&context, "table", &[("name", "orders")]);
    assert_eq!(status, 200);
    for text in [
        "by-status",
        "global (GSI)",
        "local (LSI)",
        "<code>team</code> = a + b",
        "on demand",
        "NEW_AND_OLD_IMAGES",
        "items?table=orders&amp;index=by-status",
        "stream?table=orders",
        "partiql?table=orders",
        "new-item?table=orders",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    let (_, html) = show(&context, "table", &[("name", "plain")]);
    assert!(html.contains("aws dynamodb update-table") && !html.contains("stream?"), "{html}");
    let (status, html) = show(&context, "table", &[("name", "<b>")]);
    assert!(status == 400 && html.contains("ValidationException"), "{html}");
    assert_eq!(show(&context, "table", &[("name", "missing")]).0, 404);
}

#[test]
fn links_keep_the_region() {
    let context = context().with_region(Some("eu-west-1"));
    put(&context, "orders", &json!({ "customer": { "S": "c" }, "id": { "S": "x" } }));
    let (_, html) = show(&context, "items", &[("table", "orders")]);
    for part in html.split("href=\"").skip(1) {
        let address = part.split('"').next().unwrap();
        assert!(
            address.contains("region=eu-west-1")
                || address.starts_with('#')
                || address.starts_with("console."),
            "{address}"
        );
    }
    assert!(html.contains(r#"<input type="hidden" name="region" value="eu-west-1">"#));
}
