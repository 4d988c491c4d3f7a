//! The span of the caller, from the headers of W3C Trace Context.
//!
//! A header that does not have the form of the specification is ignored, as it demands, and the trace begins here.

use std::str::FromStr;

use hyper::header::HeaderMap;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, Context, StringValue, Value};
use pretender::model::TableName;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The length of a header of version 00, which also later versions begin with.
const LENGTH: usize = 55;

/// Makes a new span a child of the span that the headers name, if they do.
pub(super) fn adopt(span: &Span, headers: &HeaderMap) {
    let Some(caller) = caller(headers) else { return };
    // It fails if another subscriber than that of OpenTelemetry wants the span.
    let _ = span.set_parent(Context::new().with_remote_span_context(caller));
}

/// Notes the names of tables as a list.
pub(super) fn set_tables(span: &Span, tables: &[TableName]) {
    if tables.is_empty() {
        return;
    }
    let names = tables.iter().map(|table| StringValue::from(table.as_str().to_owned())).collect();
    span.set_attribute("aws.dynamodb.table_names", Value::Array(Array::String(names)));
}

/// Returns the span of the caller.
fn caller(headers: &HeaderMap) -> Option<SpanContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let (parent, None) = (parents.next()?, parents.next()) else { return None };
    let (trace, span, flags) = parse(parent.to_str().ok()?)?;
    Some(SpanContext::new(trace, span, flags, true, state(headers)))
}

/// Reads a `traceparent`: version, trace, span and flags.
fn parse(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    // Only ASCII from here on, so that a text can be cut anywhere.
    let is_known = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    let fields = text.as_bytes().get(..LENGTH)?;
    if !fields.iter().all(|byte| is_known(*byte)) || [2, 35, 52].iter().any(|at| fields[*at] != b'-') {
        return None;
    }
    let number = |from: usize, to: usize| u128::from_str_radix(text.get(from..to)?, 16).ok();
    let (version, rest) = (number(0, 2)?, &text.as_bytes()[LENGTH..]);
    // A later version may go on with another field.
    if version == 0xff || !(rest.is_empty() || version > 0 && rest[0] == b'-') {
        return None;
    }
    let trace = TraceId::from(number(3, 35)?);
    let span = SpanId::from(u64::try_from(number(36, 52)?).ok()?);
    let flags = u8::try_from(number(53, 55)?).ok()?;
    let is_valid = trace != TraceId::INVALID && span != SpanId::INVALID;
    is_valid.then(|| (trace, span, TraceFlags::new(flags) & TraceFlags::SAMPLED))
}

/// Reads `tracestate`, which may be in several headers; empty if it is not valid.
fn state(headers: &HeaderMap) -> TraceState {
    let headers: Result<Vec<&str>, _> =
        headers.get_all("tracestate").iter().map(|value| value.to_str()).collect();
    headers.ok().and_then(|headers| TraceState::from_str(&headers.join(",")).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_parent_has_the_form_of_the_specification() {
        let parsed = |text: &str| {
            caller(&headers(&[("traceparent", text)]))
                .map(|caller| format!("{} {} {}", caller.trace_id(), caller.span_id(), caller.is_sampled()))
        };
        let ids = "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331";
        assert_eq!(parsed(PARENT), Some(format!("{ids} true")));
        for (end, is_sampled) in [("00", false), ("03", true), ("fe", false), ("ff", true)] {
            let text = format!("{}{end}", &PARENT[..53]);
            assert_eq!(parsed(&text), Some(format!("{ids} {is_sampled}")), "{text}");
        }
        let later = format!("cc{}", &PARENT[2..]);
        for text in [later.clone(), format!("{later}-"), format!("{later}-what the future brings")] {
            assert_eq!(parsed(&text), Some(format!("{ids} true")), "{text}");
        }
        for text in [
            "",
            "00",
            &PARENT[..54],
            &format!("{PARENT}-"),
            &format!("{PARENT}-00"),
            &format!("{later}00"),
            &format!("ff{}", &PARENT[2..]),
            &PARENT.to_uppercase(),
            &PARENT.replace('0', "+"),
            &PARENT.replace('-', "_"),
            &PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &PARENT.replace("b7ad6b7169203331", &"0".repeat(16)),
            &PARENT.replace("b7ad6b7169203331", "b7ad6b71692033-1"),
            &PARENT.replace("b7ad6b7169203331", "b7ad6b7169203ä1"),
            "00-1-1-01-0000000000000000000000000000000000000000000000",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert!(caller(&headers(&[])).is_none());
        assert!(caller(&headers(&[("traceparent", PARENT), ("traceparent", PARENT)])).is_none());
    }

    #[test]
    fn a_state_that_is_not_valid_does_not_matter() {
        let state = |lines: &[&str]| {
            let lines = lines.iter().map(|line| ("tracestate", *line));
            let lines: Vec<_> = [("traceparent", PARENT)].into_iter().chain(lines).collect();
            caller(&headers(&lines)).unwrap().trace_state().header()
        };
        assert_eq!(state(&[]), "");
        assert_eq!(
            state(&["rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"]),
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
        );
        assert_eq!(state(&["a=1", "b=2"]), "a=1,b=2");
        assert_eq!(state(&["no state"]), "");
        assert_eq!(state(&["A=1"]), "");
    }
}
