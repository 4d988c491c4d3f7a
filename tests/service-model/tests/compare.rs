//! A model of our own, beside an engine: what is not known is found, and nothing else.

use std::path::Path;

use service_model::{Engine, Known, Model, Source, compare};

/// `GetItem` and `ListTables` as they are, with one difference of each kind, and an operation that does not exist.
const MODEL: &str = r#"{
  "metadata": {"targetPrefix": "DynamoDB_20120810", "uid": "a-model"},
  "operations": {
    "GetItem": {"input": {"shape": "GetItemInput"}, "output": {"shape": "GetItemOutput"}},
    "ListTables": {"input": {"shape": "ListTablesInput"}},
    "SummonItem": {"input": {"shape": "GetItemInput"}}
  },
  "shapes": {
    "GetItemInput": {"type": "structure", "members": {
      "TableName": {"shape": "Name"},
      "Key": {"shape": "Key"},
      "AttributesToGet": {"shape": "Names"},
      "ConsistentRead": {"shape": "Flag"},
      "Haste": {"shape": "Flag"},
      "ReturnConsumedCapacity": {"shape": "Capacity"}
    }},
    "GetItemOutput": {"type": "structure", "members": {
      "Item": {"shape": "Key"},
      "SummonedBy": {"shape": "Name"}
    }},
    "ListTablesInput": {"type": "structure", "members": {
      "Limit": {"shape": "Limit"}
    }},
    "Name": {"type": "string", "min": 1, "max": 300},
    "Names": {"type": "list", "member": {"shape": "Name"}, "min": 1},
    "Key": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Value"}},
    "Value": {"type": "structure", "members": {
      "S": {"shape": "Name"},
      "L": {"shape": "Values"},
      "Q": {"shape": "Name"}
    }},
    "Values": {"type": "list", "member": {"shape": "Value"}},
    "Capacity": {"type": "string", "enum": ["INDEXES", "TOTAL", "NONE", "GUESSED"]},
    "Flag": {"type": "boolean"},
    "Limit": {"type": "integer", "min": 1, "max": 50}
  }
}"#;

const DIFFERENCES: &[&str] = &[
    "answer GetItem Q",
    "answer GetItem SummonedBy",
    "limit GetItem.TableName most 300, here 255",
    "limit ListTables.Limit most 50, here 100",
    "member GetItem.Haste",
    "member GetItem.Key.*.Q",
    "operation SummonItem",
    "value GetItem.ReturnConsumedCapacity GUESSED",
];

fn report(known: &str) -> service_model::Report {
    let model = Model::parse(MODEL).expect("a model");
    let engine = Engine::open(model.target_prefix()).expect("an engine");
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/pdb-wire/src");
    compare(&model, &engine, &Source::read(&[&wire]).expect("the source of pdb-wire"), &Known::parse(known))
}

#[test]
fn each_kind_of_difference_is_found() {
    assert_eq!(report("").news, DIFFERENCES);
}

#[test]
fn what_is_known_is_not_news() {
    let known = "# why\nmember GetItem.*\nlimit ListTables.Limit most 50, here 100\nvalue Scan.Select ALL\n";
    let report = report(known);
    let news = DIFFERENCES.iter().filter(|it| !it.starts_with("member") && !it.contains("ListTables"));
    assert_eq!(report.news, news.copied().collect::<Vec<_>>());
    assert_eq!(report.unmatched, ["value Scan.Select ALL"]);
    assert!(report.to_string().ends_with("5 new, 3 known differences"), "{report}");
}

#[test]
fn what_is_no_model_is_refused() {
    for (text, reason) in [
        ("{", "not JSON"),
        ("{}", "no `metadata.targetPrefix`"),
        (r#"{"metadata": {"targetPrefix": "P"}}"#, "no `operations`"),
        (r#"{"metadata": {"targetPrefix": "P"}, "operations": {}}"#, "no `shapes`"),
    ] {
        let error = Model::parse(text).unwrap_err();
        assert!(error.starts_with(reason), "{text}: {error}");
    }
}
