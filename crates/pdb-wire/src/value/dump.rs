//! Attribute values inside `Value '...' at ...`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pdb_model::AttributeValue;

use super::{AttributeMap, Value};
use crate::decode::{Dump, cut, is_long};

const MEMBERS: [(&str, &str); 10] = [
    ("S", "s"),
    ("N", "n"),
    ("B", "b"),
    ("SS", "sS"),
    ("NS", "nS"),
    ("BS", "bS"),
    ("M", "m"),
    ("L", "l"),
    ("NULL", "nULL"),
    ("BOOL", "bOOL"),
];

impl Dump for Value {
    fn dump(&self, out: &mut String) {
        dump_value(&self.value, out);
    }
}

impl Dump for AttributeMap {
    fn dump(&self, out: &mut String) {
        dump_map(self.item.iter().map(|(name, value)| (name.as_str(), value)), out);
    }
}

fn dump_value(value: &AttributeValue, out: &mut String) {
    out.push_str("AttributeValue(");
    for (index, (name, member)) in MEMBERS.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(member);
        out.push('=');
        if *name == value.type_name() { dump_content(value, out) } else { out.push_str("null") }
    }
    out.push(')');
}

fn dump_content(value: &AttributeValue, out: &mut String) {
    match value {
        AttributeValue::S(text) => out.push_str(cut(text)),
        AttributeValue::N(number) => out.push_str(&number.to_string()),
        AttributeValue::B(bytes) => out.push_str(&STANDARD.encode(bytes)),
        AttributeValue::Bool(flag) => out.push_str(&flag.to_string()),
        AttributeValue::Null => out.push_str("true"),
        AttributeValue::Ss(set) => dump_list(set, |text, out| out.push_str(cut(text)), out),
        AttributeValue::Ns(set) => dump_list(set, |number, out| out.push_str(&number.to_string()), out),
        AttributeValue::Bs(set) => dump_list(set, |bytes, out| out.push_str(&STANDARD.encode(bytes)), out),
        AttributeValue::L(list) => dump_list(list, dump_value, out),
        AttributeValue::M(map) => dump_map(map.iter().map(|(name, value)| (name.as_str(), value)), out),
    }
}

fn dump_list<T>(list: impl IntoIterator<Item = T>, print: impl Fn(T, &mut String), out: &mut String) {
    out.push('[');
    for (index, element) in list.into_iter().enumerate() {
        if is_long(out) {
            break;
        }
        if index > 0 {
            out.push_str(", ");
        }
        print(element, out);
    }
    out.push(']');
}

fn dump_map<'v>(map: impl Iterator<Item = (&'v str, &'v AttributeValue)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in map.enumerate() {
        if is_long(out) {
            break;
        }
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        dump_value(value, out);
    }
    out.push('}');
}
