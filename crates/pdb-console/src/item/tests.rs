use serde_json::{Value, json};

use crate::testing::{HOSTILE, context, get, location, page_of, put, send, show};
use crate::{Answer, Context, Request, call};

use super::Place;
use super::update::Update;

const KEY: &str = r#"{"customer":{"S":"c1"},"id":{"S":"o1"}}"#;
const PLACE: &[(&str, &str)] = &[("table", "orders"), ("key", KEY)];

fn item(more: &Value) -> Value {
    let mut item: Value = serde_json::from_str(KEY).unwrap();
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

fn stored(context: &Context<'_>) -> Value {
    get(context, "orders", &serde_json::from_str(KEY).unwrap())
}

/// Sends the form of an edit in DynamoDB JSON.
fn save(context: &Context<'_>, original: &Value, edited: &Value) -> Answer {
    let (original, edited) = (original.to_string(), edited.to_string());
    send(context, "item", PLACE, &[("original", &original), ("format", "dynamodb"), ("item", &edited)])
}

#[test]
fn an_item_is_shown_in_all_views() {
    let context = context();
    put(
        &context,
        "orders",
        &item(&json!({
            HOSTILE: { "S": HOSTILE }, "m": { "M": { "l": { "L": [{ "N": "12345678901234567890.123" }] } } }, "b": { "B": "AAE=" },
            "empty": { "S": "" }, "none": { "NULL": true }, "ss": { "SS": [HOSTILE] },
        })),
    );
    for view in ["", "plain", "dynamodb", "edit", "code", "other"] {
        let (status, html) = show(&context, "item", &[PLACE, &[("view", view)]].concat());
        assert_eq!(status, 200);
        assert!(html.contains("12345678901234567890.123"), "{view}: {html}");
        assert!(html.contains("&lt;script&gt;") && html.contains("AAE="), "{view}");
    }
    let (_, html) = show(&context, "item", PLACE);
    assert!(html.contains("<details open><summary><span class=\"name\">m</span>"), "{html}");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(PLACE)
        .append_pair("download", "plain")
        .finish();
    let Answer::Download { bytes, file_name, .. } = context.answer(&Request::get("item", &query)) else {
        panic!()
    };
    assert_eq!(file_name, "orders-item.plain.json");
    assert!(String::from_utf8(bytes).unwrap().contains(r#""l":[12345678901234567890.123]"#));
}

#[test]
fn what_is_not_there_is_said() {
    let context = context();
    for (parameters, status, text) in [
        (&[("table", "none"), ("key", KEY)][..], 404, "There is no table `none`."),
        (&[("table", "orders"), ("key", "{")][..], 400, "The key in the address is a JSON object"),
        (&[("table", "orders")][..], 400, "The key in the address is a JSON object"),
        (
            &[("table", "orders"), ("key", r#"{"id":{"S":"x"}}"#)][..],
            400,
            "The provided key element does not match the schema",
        ),
        (PLACE, 404, "has no item with the key"),
        (&[("table", ""), ("key", KEY)][..], 400, "ValidationException"),
    ] {
        let (found, html) = show(&context, "item", parameters);
        assert!(found == status && html.contains(text), "{found}: {html}");
    }
}

#[test]
fn an_edit_is_saved() {
    let context = context();
    let original = item(
        &json!({ "total": { "N": "42" }, "note": { "S": "x" }, "tags": { "SS": ["a", "b"] }, "size": { "NULL": true } }),
    );
    put(&context, "orders", &original);
    let edited = item(
        &json!({ "total": { "N": "43" }, "tags": { "SS": ["b", "a"] }, "size": { "M": {} }, "a.b": { "BOOL": true } }),
    );
    assert!(location(save(&context, &original, &edited)).ends_with("&done=saved"));
    assert_eq!(crate::difference::difference(&stored(&context), &edited), []);
    assert!(location(save(&context, &stored(&context), &edited)).ends_with("&done=unchanged"));
    // Plain JSON keeps the set, and all digits.
    let text = r#"{"customer": "c1", "id": "o1", "tags": ["a", "c"], "total": 0.1234567890123456789012345}"#;
    let original = stored(&context).to_string();
    let form = [("original", &*original), ("format", "plain"), ("item", text)];
    assert!(location(send(&context, "item", PLACE, &form)).ends_with("&done=saved"));
    assert_eq!(
        stored(&context),
        item(&json!({ "tags": { "SS": ["a", "c"] }, "total": { "N": "0.1234567890123456789012345" } }))
    );
    // An item of nothing but its key.
    assert!(location(save(&context, &stored(&context), &item(&json!({})))).ends_with("&done=saved"));
    assert_eq!(stored(&context), item(&json!({})));
}

#[test]
fn an_edit_with_an_error_stays_in_the_form() {
    let context = context();
    let original = item(&json!({ "total": { "N": "42" } }));
    put(&context, "orders", &original);
    let before = original.to_string();
    for (format, text, error) in [
        ("plain", "{\"customer\": \"c1\", ", "This is not an item: not JSON"),
        (
            "plain",
            r#"{"customer": "c2", "id": "o1"}"#,
            "The key of an item cannot be changed: `customer` is &quot;c1&quot;.",
        ),
        ("plain", r#"{"customer": "c1"}"#, "The key of an item cannot be changed: `id` is &quot;o1&quot;."),
        ("dynamodb", r#"{"customer":{"S":"c1"},"id":{"S":"o1"},"n":{"N":"x"}}"#, "ValidationException"),
        ("dynamodb", r#"{"customer":{"S":"c1"},"id":{"S":"o1"},"n":{"X":"x"}}"#, "role=\"alert\""),
        ("plain", r#"{"customer":"c1","id":"o1","total":"text"}"#, "ValidationException"),
    ] {
        let form = [("original", &*before), ("format", format), ("item", text)];
        let (status, html) = page_of(send(&context, "item", PLACE, &form));
        let kept = maud::html! { (text) }.into_string();
        assert!(status == 400 && html.contains(error) && html.contains(&kept), "{error}: {html}");
        assert_eq!(stored(&context), original);
    }
}

#[test]
fn a_conflict_is_shown_with_both_versions() {
    let context = context();
    let original = item(&json!({ "total": { "N": "42" }, "note": { "S": "x" } }));
    let edited = item(&json!({ "total": { "N": "43" }, "note": { "S": "x" } }));
    for (meanwhile, changes) in [
        (item(&json!({ "total": { "N": "50" }, "note": { "S": HOSTILE } })), &["note", "total"][..]),
        (item(&json!({ "total": { "N": "42" }, "note": { "S": "x" }, "new": { "S": "y" } })), &["new"]),
        (item(&json!({ "total": { "N": "42" } })), &["note"]),
    ] {
        put(&context, "orders", &meanwhile);
        let (status, html) = page_of(save(&context, &original, &edited));
        assert!(status == 409 && html.contains("The item has changed since you loaded it."), "{html}");
        for path in changes {
            assert!(html.contains(&format!("<code>{path}</code>")), "{html}");
        }
        assert_eq!(stored(&context), meanwhile);
        // The form of the page overwrites what it shows, and nothing else.
        let shown =
            maud::html! { input type="hidden" name="original" value=(meanwhile.to_string()); }.into_string();
        assert!(html.contains(&shown) && html.contains("Overwrite with my version"), "{html}");
        let overwritten = save(&context, &meanwhile, &edited);
        assert!(location(overwritten).ends_with("done=saved"));
        assert_eq!(stored(&context), edited);
    }
}

#[test]
fn changes_of_different_attributes_can_both_be_saved() {
    let context = context();
    let original = item(&json!({ "a": { "N": "1" }, "b": { "N": "1" }, "c": { "SS": ["x"] } }));
    let edited = item(&json!({ "a": { "N": "2" }, "c": { "SS": ["x"] }, "d": { "N": "1" } }));
    put(&context, "orders", &item(&json!({ "a": { "N": "1" }, "b": { "N": "1" }, "e": { "S": HOSTILE } })));
    let (_, html) = page_of(save(&context, &original, &edited));
    let field = |html: &str, name: &str| {
        let start = html.find(&format!("name=\"{name}\" value=\"")).unwrap() + name.len() + 15;
        html[start..]
            .split('"')
            .next()
            .unwrap()
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let form = ["original", "format", "item"].map(|name| field(&html, name));
    let form = [("original", &*form[0]), ("format", &*form[1]), ("item", &*form[2])];
    assert!(
        html.contains("Save both") && location(send(&context, "item", PLACE, &form)).ends_with("done=saved")
    );
    assert_eq!(
        stored(&context),
        item(&json!({ "a": { "N": "2" }, "d": { "N": "1" }, "e": { "S": HOSTILE } }))
    );
    // Both changed `a`.
    put(&context, "orders", &item(&json!({ "a": { "N": "3" } })));
    let (_, html) = page_of(save(&context, &original, &edited));
    assert!(!html.contains("Save both"), "{html}");
}

#[test]
fn a_set_that_was_removed_meanwhile_stays_a_set_in_plain_json() {
    let context = context();
    let original = item(&json!({ "tags": { "SS": ["x"] } }));
    put(&context, "orders", &item(&json!({})));
    let text = r#"{"customer": "c1", "id": "o1", "tags": ["x", "y"]}"#;
    let original = original.to_string();
    let form = [("original", &*original), ("format", "plain"), ("item", text)];
    let (status, html) = page_of(send(&context, "item", PLACE, &form));
    let expected = "&quot;tags&quot;: {&quot;SS&quot;: [&quot;x&quot;, &quot;y&quot;]}";
    assert!(status == 409 && html.contains(expected), "{html}");
}

#[test]
fn an_item_that_was_deleted_meanwhile_can_be_made_again() {
    let context = context();
    let (original, edited) = (item(&json!({ "a": { "S": "1" } })), item(&json!({ "a": { "S": "2" } })));
    let (status, html) = page_of(save(&context, &original, &edited));
    assert!(status == 409 && html.contains("The item was deleted while you were editing it."), "{html}");
    assert!(html.contains(r#"name="original" value="{}""#) && html.contains("Create the item again"));
    assert!(location(save(&context, &json!({}), &edited)).ends_with("done=saved"));
    assert_eq!(stored(&context), edited);
    let (status, html) = page_of(save(&context, &json!({}), &original));
    assert!(status == 409 && html.contains("The item was created while you were editing it."), "{html}");
}

/// What somebody else writes between the reading and the update of an edit cannot be lost.
#[test]
fn an_update_loses_no_write_that_comes_before_it() {
    let context = context();
    let schema = crate::schema::Schema::describe(&context, "orders").unwrap();
    let place = Place { schema, key: serde_json::from_str(KEY).unwrap() };
    let original = item(
        &json!({ "a": { "N": "1" }, "b": { "M": { "x": { "NULL": true } } }, "c": { "SS": ["x", "y"] } }),
    );
    let edited =
        item(&json!({ "a": { "N": "2" }, "b": { "M": { "x": { "NULL": true } } }, "d": { "L": [] } }));
    let input = Update::input(&place, &original, &edited).unwrap();
    let write = || call::dynamodb(context.wire(), "UpdateItem", &input).map_err(|error| error.code);
    let refused = Err("ConditionalCheckFailedException".to_owned());
    assert_eq!(write(), refused, "the item was deleted");
    for change in [
        json!({ "a": { "N": "3" } }),
        json!({ "b": { "M": { "x": { "BOOL": true } } } }),
        json!({ "c": { "SS": ["x"] } }),
        json!({ "d": { "S": "" } }),
    ] {
        let mut changed = original.clone();
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        put(&context, "orders", &changed);
        assert_eq!(write(), refused, "{change}");
        assert_eq!(stored(&context), changed);
    }
    let mut added = original.clone();
    added["e"] = json!({ "S": "new" });
    put(&context, "orders", &added);
    assert!(write().is_ok());
    let mut both = edited;
    both["e"] = json!({ "S": "new" });
    assert_eq!(stored(&context), both);
}

#[test]
fn a_wide_item_is_edited_in_steps() {
    let context = context();
    let wide = |value: &str, changed: usize| {
        let value = |number| if number < changed { value } else { "old" };
        let members =
            (0..300).map(|number| (format!("attribute-{number:03}"), json!({ "S": value(number) })));
        item(&members.collect::<serde_json::Map<_, _>>().into())
    };
    put(&context, "orders", &wide("old", 0));
    assert!(location(save(&context, &wide("old", 0), &wide("new", 138))).ends_with("done=saved"));
    assert_eq!(stored(&context), wide("new", 138));
    let (status, html) = page_of(save(&context, &wide("new", 138), &wide("newer", 300)));
    assert!(status == 400 && html.contains("Save it in several steps."), "{html}");
}

#[test]
fn only_a_ticked_form_deletes() {
    let context = context();
    put(&context, "orders", &item(&json!({})));
    let (status, html) = page_of(send(&context, "item", PLACE, &[("action", "delete")]));
    assert!(status == 400 && html.contains("Tick the box"), "{html}");
    assert_eq!(stored(&context), item(&json!({})));
    let ticked = [("action", "delete"), ("confirm", "yes")];
    assert_eq!(location(send(&context, "item", PLACE, &ticked)), "items?table=orders&done=deleted");
    assert_eq!(stored(&context), Value::Null);
    let (status, html) = page_of(send(&context, "item", PLACE, &ticked));
    assert!(status == 409 && html.contains("no longer exists"), "{html}");
}

#[test]
fn a_new_item_overwrites_nothing() {
    let context = context();
    let table = &[("table", "orders")];
    let (_, html) = show(&context, "new-item", table);
    assert!(html.contains("{&quot;customer&quot;: &quot;&quot;, &quot;id&quot;: &quot;&quot;}"), "{html}");
    let (_, html) = show(&context, "new-item", &[("table", "plain"), ("format", "dynamodb")]);
    assert!(html.contains("{&quot;n&quot;: {&quot;N&quot;: &quot;0&quot;}}"), "{html}");
    let text = json!({ "customer": "c1", "id": "o1", "note": HOSTILE }).to_string();
    let form = [("format", "plain"), ("item", &*text)];
    assert!(location(send(&context, "new-item", table, &form)).ends_with("done=created"));
    assert_eq!(stored(&context), item(&json!({ "note": { "S": HOSTILE } })));
    let (status, html) = page_of(send(&context, "new-item", table, &form));
    assert!(
        status == 400 && html.contains("There is an item with this key already.") && html.contains("Show it"),
        "{html}"
    );
    let (status, html) = page_of(send(&context, "new-item", table, &[("item", r#"{"customer":"c1"}"#)]));
    assert!(
        status == 400
            && html.contains("ValidationException")
            && html.contains("{&quot;customer&quot;:&quot;c1&quot;}"),
        "{html}"
    );
    // An item like another one.
    let (_, html) = show(&context, "new-item", &[("table", "orders"), ("from", KEY)]);
    assert!(html.contains("&quot;note&quot;: &quot;&lt;script&gt;"), "{html}");
    // The page of an item that does not exist offers to make it, with its key.
    let (_, html) = show(&context, "new-item", &[("table", "plain"), ("from", r#"{"n":{"N":"7"}}"#)]);
    assert!(html.contains("{&quot;n&quot;: 7}"), "{html}");
}

#[test]
fn the_largest_items_make_no_huge_pages() {
    let context = context();
    let many: Vec<_> = (0..100_000).map(|_| json!({ "N": "1" })).collect();
    for large in [json!({ "text": { "S": "<\"ä".repeat(99_000) } }), json!({ "list": { "L": many } })] {
        put(&context, "orders", &item(&large));
        for view in ["", "plain", "dynamodb", "edit", "code"] {
            let (status, html) = show(&context, "item", &[PLACE, &[("view", view)]].concat());
            let limit = if view == "edit" { 2_600_000 } else { 600_000 };
            assert!(status == 200 && html.len() < limit, "{view}: {}", html.len());
        }
        let (_, html) = show(&context, "items", &[("table", "orders")]);
        assert!(html.len() < 50_000, "{}", html.len());
        let edited = item(&json!({ "other": { "N": "1" } }));
        assert!(location(save(&context, &stored(&context), &edited)).ends_with("done=saved"));
        let (status, html) = page_of(save(&context, &item(&large), &edited));
        assert!(status == 409 && html.len() < 100_000);
    }
}
