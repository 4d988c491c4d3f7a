//! `DescribeContributorInsights`, `UpdateContributorInsights`, `ListContributorInsights`.

use pdb_model::{ApiError, IndexName};
use pretender::tables::{ContributorInsightsDescription, UpdateContributorInsightsInput};

use super::describe::write_timestamp;
use super::input;
use crate::Wire;
use crate::constraint::{Constraints, at, wire_enum};
use crate::decode::{Text, decode_body};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What DescribeContributorInsights takes.
        pub(crate) struct DescribeContributorInsightsInput<'a> {
            table_name: Text<'a> = "TableName",
            index_name: Text<'a> = "IndexName",
        }

        /// What UpdateContributorInsights takes.
        pub(crate) struct UpdateContributorInsightsInput<'a> {
            table_name: Text<'a> = "TableName",
            index_name: Text<'a> = "IndexName",
            action: Text<'a> = "ContributorInsightsAction",
            mode: Text<'a> = "ContributorInsightsMode",
        }

        /// What ListContributorInsights takes.
        pub(crate) struct ListContributorInsightsInput<'a> {
            table_name: Text<'a> = "TableName",
            next_token: Text<'a> = "NextToken",
            max_results: i32 = "MaxResults",
        }
    }
}

/// Entries on a page of ListContributorInsights.
const MOST_LISTED: usize = 100;

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Enable,
    Disable,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    AccessedAndThrottled,
    Throttled,
}

wire_enum!(Action { "ENABLE" => Action::Enable, "DISABLE" => Action::Disable });
wire_enum!(Mode {
    "ACCESSED_AND_THROTTLED_KEYS" => Mode::AccessedAndThrottled,
    "THROTTLED_KEYS" => Mode::Throttled,
});

/// Runs `DescribeContributorInsights`.
pub(crate) fn describe_contributor_insights(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeContributorInsightsInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let index_name = index_name(&mut check, given.index_name.as_ref());
    check.finish()?;
    let insights = wire.pretender.describe_contributor_insights(&table_name, index_name.as_ref())?;
    let status = if insights.enabled { "ENABLED" } else { "DISABLED" };
    Ok(JsonWriter::object_of(|json| {
        write_names(json, &insights);
        if insights.last_update_date_time.is_some() {
            json.name("ContributorInsightsRuleList").list([(); 0], |_, ()| ());
        }
        json.name("ContributorInsightsStatus").text(status);
        write_timestamp(json, "LastUpdateDateTime", insights.last_update_date_time);
        if insights.last_update_date_time.is_some() {
            json.name("ContributorInsightsMode").text(mode(&insights));
        }
    }))
}

/// Runs `UpdateContributorInsights`.
pub(crate) fn update_contributor_insights(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::UpdateContributorInsightsInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let index_name = index_name(&mut check, given.index_name.as_ref());
    let path = at("ContributorInsightsAction");
    check.required(&path, given.action.as_ref());
    let action = check.one_of::<Action>(&path, given.action.as_ref());
    let new_mode = check.one_of::<Mode>(&at("ContributorInsightsMode"), given.mode.as_ref());
    check.finish()?;
    let insights = wire.pretender.update_contributor_insights(UpdateContributorInsightsInput {
        table_name,
        index_name,
        enable: action == Some(Action::Enable),
        throttled_keys_only: new_mode.map(|mode| mode == Mode::Throttled),
    })?;
    Ok(JsonWriter::object_of(|json| {
        write_names(json, &insights);
        json.name("ContributorInsightsStatus").text(if insights.enabled { "ENABLING" } else { "DISABLING" });
        json.name("ContributorInsightsMode").text(mode(&insights));
    }))
}

/// Runs `ListContributorInsights`.
pub(crate) fn list_contributor_insights(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListContributorInsightsInput<'_> = decode_body(body)?;
    let table_name = match &given.table_name {
        Some(_) => Some(input::table_name(wire, given.table_name.as_ref())?),
        None => None,
    };
    let mut check = Constraints::new(Texts::CLASSIC);
    check.range(&at("MaxResults"), given.max_results, 0..=100);
    check.finish()?;
    let listed = wire.pretender.list_contributor_insights(table_name.as_ref())?;
    let start: usize = match &given.next_token {
        Some(token) => token.parse().map_err(|_| ApiError::validation("Invalid NextToken"))?,
        None => 0,
    };
    let most = given.max_results.and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
    let end = start.saturating_add(most.unwrap_or(MOST_LISTED)).min(listed.len());
    let page = listed.get(start..end).unwrap_or_default();
    Ok(JsonWriter::object_of(|json| {
        json.name("ContributorInsightsSummaries").list(page, |json, insights| {
            json.object(|json| {
                write_names(json, insights);
                json.name("ContributorInsightsStatus").text("ENABLED");
                json.name("ContributorInsightsMode").text(mode(insights));
            });
        });
        if end < listed.len() {
            json.name("NextToken").text(&end.to_string());
        }
    }))
}

fn index_name(check: &mut Constraints, given: Option<&Text<'_>>) -> Option<IndexName> {
    input::name_constraints(check, &at("IndexName"), given);
    IndexName::new(given?).ok()
}

fn write_names(json: &mut JsonWriter, insights: &ContributorInsightsDescription) {
    json.name("TableName").text(insights.table_name.as_str());
    if let Some(index_name) = &insights.index_name {
        json.name("IndexName").text(index_name.as_str());
    }
}

fn mode(insights: &ContributorInsightsDescription) -> &'static str {
    if insights.throttled_keys_only { "THROTTLED_KEYS" } else { "ACCESSED_AND_THROTTLED_KEYS" }
}
