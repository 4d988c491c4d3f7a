//! The order of DynamoDB's scans, computed from JSON without using the workspace.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use serde_json::Value;

/// Returns the items in the order in which a scan of a table, or of an index of it, has to give them. `described` is what
/// `DescribeTable` answers.
///
/// # Panics
///
/// If that describes no such index, or an item lacks an attribute of a key.
#[must_use]
pub fn in_order(described: &Value, index: Option<&str>, items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    items.sort_by_cached_key(|item| rank(described, index, item));
    items
}

/// What orders an item: hash, sort key, and among equal ones what comes then.
fn rank(described: &Value, index: Option<&str>, item: &Value) -> (u128, Vec<Vec<u8>>, Vec<u8>) {
    let table = &described["Table"];
    let [hash, range] = key(table, item);
    let Some(name) = index else { return (token(&hash), range, Vec::new()) };
    let find = |kind: &str| {
        table[kind].as_array().into_iter().flatten().find(|index| index["IndexName"] == name).cloned()
    };
    if let Some(local) = find("LocalSecondaryIndexes") {
        let [index_hash, index_range] = key(&local, item);
        return (token(&index_hash), index_range, range.concat());
    }
    let [index_hash, index_range] = key(&find("GlobalSecondaryIndexes").unwrap(), item);
    let whole = [hash, range].concat();
    (token(&index_hash), index_range, token(&whole).to_be_bytes().to_vec())
}

/// The bytes of the values of hash and range key.
fn key(described: &Value, item: &Value) -> [Vec<Vec<u8>>; 2] {
    ["HASH", "RANGE"].map(|kind| {
        let elements = described["KeySchema"].as_array().unwrap().iter();
        let names = elements.filter(|element| element["KeyType"] == kind);
        names.map(|element| bytes_of(&item[element["AttributeName"].as_str().unwrap()])).collect()
    })
}

/// Returns the hash of a key's values as a number.
#[must_use]
pub fn token(values: &[Vec<u8>]) -> u128 {
    u128::from_be_bytes(Md5::digest([b"Outliers".to_vec(), values.concat()].concat()).into())
}

/// Returns the bytes of a key attribute that are hashed; their order is that of sort keys.
///
/// # Panics
///
/// If it is none.
#[must_use]
pub fn bytes_of(value: &Value) -> Vec<u8> {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = value.as_str().unwrap();
    match kind.as_str() {
        "S" => text.as_bytes().to_vec(),
        "B" => STANDARD.decode(text).unwrap(),
        _ => number_bytes(text),
    }
}

/// Of plain digits: without an exponent, and without superfluous zeros.
fn number_bytes(text: &str) -> Vec<u8> {
    if text == "0" {
        return vec![0x80];
    }
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = if whole.len() % 2 == 1 { format!("0{whole}") } else { whole.to_owned() };
    let fraction = if fraction.len() % 2 == 1 { format!("{fraction}0") } else { fraction.to_owned() };
    let mut exponent = (whole.len() / 2) as i32;
    let joined = whole + &fraction;
    let pair = |at: usize| joined[at..at + 2].parse::<u8>().unwrap();
    let pairs: Vec<u8> = (0..joined.len()).step_by(2).map(pair).collect();
    let zeros = pairs.iter().take_while(|pair| **pair == 0).count();
    exponent -= zeros as i32;
    let end = pairs.iter().rposition(|pair| *pair != 0).unwrap() + 1;
    let pairs = &pairs[zeros..end];
    let first = (0xc0 + exponent) as u8;
    if !is_negative {
        return std::iter::once(first).chain(pairs.iter().map(|pair| pair + 1)).collect();
    }
    let mut bytes: Vec<u8> = std::iter::once(!first).chain(pairs.iter().map(|pair| 101 - pair)).collect();
    if pairs.len() < 20 {
        bytes.push(102);
    }
    bytes
}
