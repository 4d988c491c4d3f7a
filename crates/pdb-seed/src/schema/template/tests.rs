//! Functions of templates.

use std::collections::BTreeMap;

use pdb_model::Account;

use super::*;

const TEMPLATE: &str = "
Parameters:
  Stage: {Type: String, Default: dev}
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
  Needed: {Type: String}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /path}
Mappings:
  M: {dev: {units: 3, list: [x, y]}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsLive: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Condition IsLive]
  Either: !Or [!Condition IsDev, !Condition IsLive]
  Loop: !Not [!Condition Loop]
  Vague: !Equals [!Ref Needed, x]
Resources:
  Named: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: !Sub '${Stage}-orders'}}
  Nameless: {Type: 'AWS::DynamoDB::Table'}
  Self: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: !Sub '${Self}-x'}}
  Queue: {Type: 'AWS::SQS::Queue'}
";

fn resolved(value: &str) -> String {
    let document = crate::yaml::parse(TEMPLATE).unwrap();
    let account = Account::default();
    let variables = BTreeMap::from([("AWS::StackName".to_owned(), "shop".to_owned())]);
    let surroundings = Surroundings { account: &account, variables: &variables };
    let template = Template::new(&document, &surroundings);
    let value = crate::yaml::parse(value).unwrap_or_else(|fault| panic!("{value}: {fault:?}"));
    match template.resolve(&value, MAX_DEPTH) {
        None => "no value".to_owned(),
        Some(node) => match node.unknown() {
            Some(reason) => format!("unknown: {reason}"),
            None => node.to_json().to_string(),
        },
    }
}

#[test]
fn functions_are_carried_out() {
    for (value, expected) in [
        ("!Ref Stage", "\"dev\""),
        ("!Ref Names", "[\"a\",\"b\"]"),
        ("!Ref AWS::Region", "\"us-east-1\""),
        ("!Ref AWS::AccountId", "\"000000000000\""),
        ("!Ref AWS::StackName", "\"shop\""),
        ("!Ref AWS::NoValue", "no value"),
        ("[1, !Ref AWS::NoValue, 2]", "[1,2]"),
        ("{a: !Ref AWS::NoValue, b: 1}", "{\"b\":1}"),
        ("!Ref Named", "\"dev-orders\""),
        ("!Ref Nameless", "\"Nameless\""),
        ("!GetAtt Named.Arn", "\"arn:aws:dynamodb:us-east-1:000000000000:table/dev-orders\""),
        ("!Sub 'x-${Stage}-${!Stage}-${Named}'", "\"x-dev-${Stage}-dev-orders\""),
        ("!Sub ['${a}/${Stage}', {a: !Ref Named}]", "\"dev-orders/dev\""),
        ("!Sub '${Named.Arn}'", "\"arn:aws:dynamodb:us-east-1:000000000000:table/dev-orders\""),
        ("!Join ['-', [!Ref Stage, 5, true]]", "\"dev-5-true\""),
        ("!Join [',', !Ref Names]", "\"a,b\""),
        ("!Select [1, !Ref Names]", "\"b\""),
        ("!Select ['0', !Split ['-', a-b]]", "\"a\""),
        ("!FindInMap [M, !Ref Stage, units]", "3"),
        ("!FindInMap [M, live, units, {DefaultValue: 7}]", "7"),
        ("!If [IsDev, 1, 2]", "1"),
        ("!If [IsLive, 1, !Ref AWS::NoValue]", "no value"),
        ("!If [Both, 1, !If [Either, 2, 3]]", "2"),
        ("!Length [1, 2, 3]", "3"),
        ("Fn::ToJsonString: {a: !Ref Stage}", "\"{\\\"a\\\":\\\"dev\\\"}\""),
    ] {
        assert_eq!(resolved(value), expected, "{value}");
    }
}

#[test]
fn what_needs_aws_is_unknown_and_says_why() {
    for (value, reason) in [
        (
            "!Ref Needed",
            "the parameter `Needed` has no default; give it a value, as in `--schema-parameter Needed=...`",
        ),
        ("!Ref Stored", "the parameter `Stored` is stored at AWS"),
        ("!Ref Queue", "`Queue` gets its name from AWS"),
        ("!Ref Nobody", "there is no parameter or resource `Nobody`"),
        ("!Ref Self", "the name of `Self` refers to itself"),
        ("!Sub 'x-${Needed}'", "the parameter `Needed` has no default"),
        ("!Join ['-', [a, !ImportValue x]]", "`Fn::ImportValue` needs AWS"),
        ("!GetAtt Queue.Arn", "`Queue.Arn` is known only at AWS"),
        ("!If [Loop, 1, 2]", "conditions are nested too deeply or refer to themselves"),
        ("!If [Vague, 1, 2]", "the parameter `Needed` has no default"),
        ("!If [Nothing, 1, 2]", "there is no condition `Nothing`"),
        ("!FindInMap [M, live, units]", "there is no mapping `M.live.units`"),
        ("!Select [5, [a]]", "`Fn::Select` finds no element 5"),
        ("!Sub '${'", "a `${` in `Fn::Sub` has no end"),
    ] {
        let shown = resolved(value);
        assert!(shown.starts_with("unknown: ") && shown.contains(reason), "{value}: {shown}");
    }
}

/// Each level names the one below twice: carried out without a limit, this would not end.
#[test]
fn references_that_multiply_are_cut_off() {
    let mut template =
        "Resources:\n  T0: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: x}}\n".to_owned();
    for n in 1..60 {
        let below = format!("${{T{0}}}${{T{0}}}", n - 1);
        template.push_str(&format!(
            "  T{n}: {{Type: 'AWS::DynamoDB::Table', Properties: {{TableName: !Sub '{below}'}}}}\n"
        ));
    }
    let document = crate::yaml::parse(&template).unwrap();
    let (account, variables) = (Account::default(), BTreeMap::new());
    let surroundings = Surroundings { account: &account, variables: &variables };
    let name = Template::new(&document, &surroundings).name_of_table("T59", MAX_DEPTH).unwrap();
    assert!(name.unknown().is_some());
}
