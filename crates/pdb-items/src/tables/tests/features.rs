//! Time to live, tags, policies, Kinesis, insights, and what is refused: `validation.md` 10.15 and 10.16, `dynamodb.md` 12 to 18.

use pdb_model::TimePrecision;

use super::*;

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl";
const MISSING: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/missing";

fn ttl(enabled: bool, attribute_name: &str) -> TimeToLiveSpecification {
    TimeToLiveSpecification { enabled, attribute_name: attribute_name.to_owned() }
}

#[test]
fn time_to_live_is_switched_once() {
    let tables = Tables::with_table();
    let name = table("Tbl");
    let update = |enabled, attribute| tables.update_time_to_live(&name, ttl(enabled, attribute));
    check_refused(update(false, "ttl"), "TimeToLive is already disabled");
    assert_eq!(tables.describe_time_to_live(&name).unwrap(), None);
    assert_eq!(update(true, "ttl").unwrap(), ttl(true, "ttl"));
    assert_eq!(tables.describe_time_to_live(&name).unwrap().as_deref(), Some("ttl"));
    check_refused(update(true, "ttl"), "TimeToLive is already enabled");
    let other = "TimeToLive is active on a different AttributeName: current AttributeName is ttl";
    check_refused(update(true, "x"), other);
    check_refused(update(false, "x"), other);
    update(false, "ttl").unwrap();
    check_refused(update(false, "ttl"), "TimeToLive is already disabled");
    let missing = "Requested resource not found: Table: missing not found";
    check_error(tables.update_time_to_live(&table("missing"), ttl(true, "ttl")), "ResourceNotFound", missing);
    check_error(tables.describe_time_to_live(&table("missing")), "ResourceNotFound", missing);
}

#[test]
fn items_that_are_there_learn_when_they_expire() {
    let tables = Tables::with_table();
    let item = |n: &str| Item::new().with("a", n).with("b", "x");
    tables.put("Tbl", item("1").with("ttl", 100).with("other", 500));
    tables.put("Tbl", item("2").with("ttl", "100"));
    tables.put("Tbl", item("3"));
    assert_eq!(tables.expired("Tbl", 1000).len(), 0);
    let name = table("Tbl");
    tables.update_time_to_live(&name, ttl(true, "ttl")).unwrap();
    assert_eq!((tables.expired("Tbl", 99).len(), tables.expired("Tbl", 100).len()), (0, 1));
    tables.update_time_to_live(&name, ttl(false, "ttl")).unwrap();
    assert_eq!(tables.expired("Tbl", 1000).len(), 0);
    tables.update_time_to_live(&name, ttl(true, "other")).unwrap();
    assert_eq!((tables.expired("Tbl", 100).len(), tables.expired("Tbl", 500).len()), (0, 1));
}

#[test]
fn tags_are_merged_by_key() {
    let tables = Tables::new();
    let tags = vec![Tag::new("b", "1"), Tag::new("a", "")];
    tables.create_table(CreateTableInput { tags: Some(tags), ..streaming() }).unwrap();
    let list = |arn: &str| {
        let tags = tables.list_tags_of_resource(arn).unwrap();
        tags.iter().map(|tag| format!("{}={}", tag.key, tag.value.as_deref().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(list(ARN), ["a=", "b=1"]);
    tables.tag_resource(ARN, vec![Tag::new("b", "2"), Tag::new("ü +-=._:/@", "x")]).unwrap();
    assert_eq!(list(ARN), ["a=", "b=2", "ü +-=._:/@=x"]);
    tables.untag_resource(ARN, vec!["a".to_owned(), "unknown".to_owned()]).unwrap();
    assert_eq!(list(ARN), ["b=2", "ü +-=._:/@=x"]);

    let stream = tables.describe("Tbl").latest_stream_arn.unwrap().to_string();
    tables.tag_resource(&stream, vec![Tag::new("s", "1")]).unwrap();
    assert_eq!((list(&stream), list(ARN).len()), (vec!["s=1".to_owned()], 2));
}

#[test]
fn tags_are_checked() {
    let tables = Tables::with_table();
    let check = |tags: Vec<Tag>, text: &str| check_refused(tables.tag_resource(ARN, tags), text);
    check(vec![], "Atleast one Tag needs to be provided as Input.");
    check(vec![Tag::new("", "x")], "The Tag Key provided is invalid, Key: ");
    let long = "k".repeat(129);
    check(vec![Tag::new(&long, "x")], &format!("The Tag Key provided is invalid, Key: {long}"));
    check(vec![Tag::new("a#", "x")], "The Tag Key provided is invalid, Key: a#");
    check(vec![Tag { key: "a".to_owned(), value: None }], "The Tag Value provided is invalid, Value: null");
    let long = "v".repeat(257);
    check(vec![Tag::new("a", &long)], &format!("The Tag Value provided is invalid, Value: {long}"));
    check(vec![Tag::new("aws:x", "x")], "Tag Key cannot be prefixed with aws:, Key: aws:x");
    check(
        vec![Tag::new("a", "1"), Tag::new("a", "2")],
        "Duplicate Tag Keys provided as input: Duplicate Tag Key found a",
    );
    let many = |range: std::ops::Range<u32>| range.map(|n| Tag::new(n.to_string(), "x")).collect::<Vec<_>>();
    let limit = "Number of Tags exceed the current limit for the provided ResourceArn";
    check(many(0..51), limit);
    tables.tag_resource(ARN, many(0..50)).unwrap();
    check(many(50..51), limit);
    tables.tag_resource(ARN, many(0..50)).unwrap();
    check_refused(tables.untag_resource(ARN, vec![]), "Atleast one Tag Key needs to be provided as Input.");
}

#[test]
fn resources_are_tables_and_streams_of_this_account() {
    let tables = Tables::with_table();
    let check = |arn: &str, text: &str| {
        check_refused(tables.list_tags_of_resource(arn), text);
        check_refused(tables.tag_resource(arn, vec![Tag::new("a", "b")]), text);
        check_refused(tables.untag_resource(arn, vec!["a".to_owned()]), text);
    };
    check("", "Invalid TableArn");
    check("Tbl", "P: ARNs must start with 'arn:': Tbl");
    check(
        "arn:aws:s3:us-east-1:000000000000:table/Tbl",
        "P: Provided Arn is not a DynamoDB resource arn: arn:aws:s3:us-east-1:000000000000:table/Tbl",
    );
    check(
        "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/index/idx",
        "P: Invalid resource arn provided, only table or stream is accepted. Provided resource arn: \
         arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/index/idx",
    );
    check(
        "arn:aws:dynamodb:eu-west-1:000000000000:table/Tbl",
        "Invalid TableArn: Invalid ResourceArn provided as input arn:aws:dynamodb:eu-west-1:000000000000:table/Tbl",
    );
    check_error(
        tables.tag_resource("arn:aws:dynamodb:us-east-1:111111111111:table/Tbl", vec![Tag::new("a", "b")]),
        "AccessDenied",
        "User: arn:aws:iam::000000000000:root is not authorized to perform: dynamodb:TagResource on resource: \
         arn:aws:dynamodb:us-east-1:111111111111:table/Tbl",
    );
    let missing = format!("Requested resource not found: ResourceArn: {MISSING} not found");
    check_error(tables.list_tags_of_resource(MISSING), "ResourceNotFound", &missing);
    check_error(tables.tag_resource(MISSING, vec![Tag::new("a", "b")]), "ResourceNotFound", &missing);
    check_error(tables.untag_resource(MISSING, vec!["a".to_owned()]), "ResourceNotFound", &missing);
}

#[test]
fn policies_are_kept_by_revision() {
    let tables = Tables::with_table();
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    check_error(
        tables.get_resource_policy(ARN),
        "PolicyNotFound",
        &format!("Resource-based policy not found for the provided ResourceArn: {ARN}"),
    );
    assert_eq!(tables.delete_resource_policy(ARN, None).unwrap(), None);
    let invalid = "P: Invalid policy document: This policy contains invalid Json";
    check_refused(tables.put_resource_policy(ARN, "{", None), invalid);
    check_refused(
        tables.put_resource_policy(ARN, &"x".repeat(20_481), None),
        "P: Maximum policy size of 20480 bytes exceeded",
    );
    let first = tables.put_resource_policy(ARN, policy, Some("NO_POLICY")).unwrap();
    assert_eq!(first, "1772356542017");
    let stored = tables.get_resource_policy(ARN).unwrap();
    assert_eq!((stored.text.as_str(), &stored.revision_id), (policy, &first));
    let other = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny"}}"#;
    let second = tables.put_resource_policy(ARN, other, Some(&first)).unwrap();
    assert_ne!(second, first);
    assert_eq!(tables.delete_resource_policy(ARN, Some(&second)).unwrap(), Some(second));
    check_error(
        tables.get_resource_policy(MISSING),
        "ResourceNotFound",
        "Requested resource not found: Table: missing not found",
    );
}

#[test]
fn an_unexpected_revision_is_told() {
    let tables = Tables::with_table();
    let check = |expected: &str, what: &str| {
        let text = format!("Resource-based policy not found for the provided ResourceArn: {what}");
        check_error(tables.put_resource_policy(ARN, "{}", Some(expected)), "PolicyNotFound", &text);
        check_error(tables.delete_resource_policy(ARN, Some(expected)), "PolicyNotFound", &text);
    };
    check("17", "Requested update for policy with revision id 17, but table Tbl has no associated policy.");
    let first = tables.put_resource_policy(ARN, r#"{"Version":"2012-10-17"}"#, None).unwrap();
    check(
        "NO_POLICY",
        &format!(
            "Requested policy update expecting none to be present for table Tbl, but a policy exists with revision id \
             {first}."
        ),
    );
    let second = tables.put_resource_policy(ARN, r#"{"Version":"2008-10-17"}"#, Some(&first)).unwrap();
    check(
        &first,
        &format!(
            "Requested update for policy with revision id {first}, but the policy associated to target table Tbl has \
             revision id {second}."
        ),
    );
    assert_eq!(tables.get_resource_policy(ARN).unwrap().revision_id, second);
}

#[test]
fn a_policy_that_means_the_same_keeps_its_revision() {
    let tables = Tables::with_table();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
        "Action":["dynamodb:GetItem"],"Resource":"*"}]}"#;
    let put = |policy: &str| tables.put_resource_policy(ARN, policy, None).unwrap();
    let first = put(policy);
    tables.advance(60);
    for same in [
        policy,
        r#"{"Statement": {"Resource": "*", "Action": "dynamodb:GetItem",
            "Principal": {"AWS": ["111122223333"]}, "Effect": "Allow"}, "Version": "2012-10-17"}"#,
    ] {
        assert_eq!(put(same), first, "{same}");
    }
    assert_eq!(tables.get_resource_policy(ARN).unwrap().text, policy);
    let other = put(&policy.replace("GetItem", "Query"));
    assert_ne!(other, first);
    assert_ne!(put(policy), first, "revisions are moments, not contents");
}

#[test]
fn kinesis_destinations_are_noted() {
    let tables = Tables::with_table();
    let name = table("Tbl");
    let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/events";
    let other = "arn:aws:kinesis:us-east-1:000000000000:stream/others";
    let state = "Table is not in a valid state to enable Kinesis Streaming Destination: ";
    let not_active =
        format!("{state}KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.");
    let not_disabled = format!(
        "{state}EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation."
    );
    let unknown = |stream: &str| {
        format!(
            "{state}No streaming destination with streamArn: {stream} found for table with tableName: Tbl"
        )
    };
    check_refused(tables.disable_kinesis_streaming_destination(&name, stream), &not_active);
    let update =
        |stream| tables.update_kinesis_streaming_destination(&name, stream, Some(TimePrecision::Millisecond));
    check_refused(update(stream), &unknown(stream));
    tables.enable_kinesis_streaming_destination(&name, stream, None).unwrap();
    // Only one stream can be a destination at a time.
    for second in [stream, other] {
        check_refused(tables.enable_kinesis_streaming_destination(&name, second, None), &not_disabled);
    }
    check_refused(update(other), &unknown(other));
    check_refused(tables.disable_kinesis_streaming_destination(&name, other), &not_active);
    check_refused(
        tables.update_kinesis_streaming_destination(&name, stream, None),
        "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be null or \
         contain only null values",
    );
    let micro = Some(TimePrecision::Microsecond);
    tables.update_kinesis_streaming_destination(&name, stream, micro).unwrap();
    let id = tables.describe("Tbl").table_id;
    check_refused(
        tables.update_kinesis_streaming_destination(&name, stream, micro),
        &format!(
            "Invalid Request: Precision is already set to the desired value of MICROSECOND for tableId: {id}, kdsArn: \
             {stream}"
        ),
    );
    tables.disable_kinesis_streaming_destination(&name, stream).unwrap();
    let listed = tables.describe_kinesis_streaming_destination(&name).unwrap();
    assert_eq!((listed.len(), listed[0].active, listed[0].precision), (1, false, micro));
    check_refused(tables.disable_kinesis_streaming_destination(&name, stream), &not_active);
    check_refused(
        update(stream),
        &format!(
            "{state}Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. TableName: Tbl, \
             kdsArn: {stream}"
        ),
    );
    tables.enable_kinesis_streaming_destination(&name, other, None).unwrap();
    check_refused(tables.enable_kinesis_streaming_destination(&name, stream, None), &not_disabled);
    tables.disable_kinesis_streaming_destination(&name, other).unwrap();
    tables.enable_kinesis_streaming_destination(&name, stream, None).unwrap();
    let listed = tables.describe_kinesis_streaming_destination(&name).unwrap();
    assert_eq!((listed.len(), listed[0].active, listed[0].precision), (2, true, None));
    check_error(
        tables.describe_kinesis_streaming_destination(&table("missing")),
        "ResourceNotFound",
        "Requested resource not found: Table: missing not found",
    );
}

#[test]
fn insights_are_noted() {
    let tables = Tables::provisioned();
    let name = table("Tbl");
    let index = index_name("idx");
    assert!(!tables.describe_contributor_insights(&name, None).unwrap().enabled);
    check_error(
        tables.describe_contributor_insights(&name, Some(&index_name("none"))),
        "ResourceNotFound",
        "Requested resource not found: Index: none not found for table: Tbl",
    );
    let update = |index_name: Option<&IndexName>, enable| {
        tables.update_contributor_insights(UpdateContributorInsightsInput {
            table_name: name.clone(),
            index_name: index_name.cloned(),
            enable,
            throttled_keys_only: None,
        })
    };
    update(None, true).unwrap();
    update(Some(&index), true).unwrap();
    assert_eq!(tables.list_contributor_insights(None).unwrap().len(), 2);
    update(Some(&index), false).unwrap();
    assert_eq!(tables.list_contributor_insights(Some(&name)).unwrap().len(), 1);
    let described = tables.describe_contributor_insights(&name, Some(&index)).unwrap();
    assert!(!described.enabled && described.last_update_date_time.is_some());
}

#[test]
fn what_is_not_here_is_refused_as_aws_refuses_it() {
    let tables = Tables::with_table();
    check_refused(
        tables.refuse_legacy_global_tables(),
        "P: DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables version \
         2019.11.21, instead of version 2017.11.29 (Legacy).",
    );
    check_error(
        tables.describe_table_replica_auto_scaling(&table("Tbl")),
        "ResourceNotFound",
        "Global table with name: 'Tbl' does not exist.",
    );
    assert!(matches!(tables.describe_global_table(&table("Tbl")), Err(ItemsError::GlobalTableNotFound(_))));
    let limits = tables.describe_limits().unwrap();
    assert_eq!(
        (limits.account_max_read_capacity_units, limits.table_max_write_capacity_units),
        (80_000, 40_000)
    );
}
