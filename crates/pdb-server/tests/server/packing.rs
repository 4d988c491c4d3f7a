//! Packed bodies, of requests and of answers.

use std::io::{Read, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use pdb_server::{RunningServer, ServerOptions};

use crate::harness::{Answer, Connection, SIGNED, request, server, server_with};

const PUT: &str = "DynamoDB_20120810.PutItem";
const SCAN: &str = "DynamoDB_20120810.Scan";
const LIST: &str = "DynamoDBStreams_20120810.ListStreams";
const LIMIT: usize = 16 * 1024 * 1024;
const SCAN_T: &str = r#"{"TableName":"Orders"}"#;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn unpacked(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

/// Sends one request with further headers.
fn send(server: &RunningServer, headers: &str, target: &str, body: &[u8]) -> Answer {
    let mut connection = Connection::to(server.address());
    connection.send(format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\n{SIGNED}\
         {headers}Content-Length: {}\r\n\r\n",
        body.len()
    ));
    connection.send(body);
    connection.answer()
}

/// A server with a table.
fn with_table() -> RunningServer {
    let server = server();
    let table = concat!(
        r#"{"TableName":"Orders","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"#,
        r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#
    );
    assert_eq!(send(&server, "", "DynamoDB_20120810.CreateTable", table.as_bytes()).status, 200);
    server
}

/// A body of so many bytes that is JSON.
fn body_of(bytes: usize) -> Vec<u8> {
    let mut body = vec![b' '; bytes];
    body[bytes - 2..].copy_from_slice(b"{}");
    body
}

/// A write of an item whose text has so many letters.
fn put(id: &str, letters: usize) -> Vec<u8> {
    let text = "abcdefgh".repeat(letters / 8);
    format!(r#"{{"TableName":"Orders","Item":{{"id":{{"S":"{id}"}},"text":{{"S":"{text}"}}}}}}"#).into_bytes()
}

#[test]
fn packed_requests_are_carried_out() {
    let server = with_table();
    let mut two_members = gzip(&put("members", 80)[..20]);
    two_members.extend(gzip(&put("members", 80)[20..]));
    for (encoding, body) in [
        ("gzip", gzip(&put("gzip", 80))),
        ("GZIP", gzip(&put("large", 300_000))),
        ("gzip", two_members),
        ("deflate", zlib(&put("zlib", 80))),
        ("Deflate", zlib(&put("other", 300_000))),
        ("identity", put("plain", 80)),
        ("amz-1.0", put("amz", 80)),
    ] {
        let answer = send(&server, &format!("Content-Encoding: {encoding}\r\n"), PUT, &body);
        assert_eq!((answer.status, answer.text()), (200, "{}"), "{encoding}");
    }
    let count = send(&server, "", SCAN, br#"{"TableName":"Orders","Select":"COUNT"}"#);
    assert_eq!(count.text(), r#"{"Count":7,"ScannedCount":7}"#);
}

#[test]
fn packed_bodies_are_unpacked_within_limits() {
    let server = server();
    for (encoding, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", zlib)] {
        let header = format!("Content-Encoding: {encoding}\r\n");
        let send = |body: &[u8]| send(&server, &header, LIST, body);
        assert_eq!(send(&pack(&body_of(LIMIT))).status, 200, "{encoding}");
        assert_eq!(send(&pack(&body_of(LIMIT + 1))).status, 413, "{encoding}");
    }
    // What would fill the memory of the machine: a GiB in many members.
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(1024);
    assert!(bomb.len() < LIMIT);
    assert_eq!(send(&server, "Content-Encoding: gzip\r\n", LIST, &bomb).status, 413);
}

#[test]
fn bodies_that_do_not_match_their_encoding_have_no_effect() {
    let server = with_table();
    let plain = put("never", 80);
    let (as_gzip, as_zlib) = (gzip(&plain), zlib(&plain));
    let with_more = |packed: &[u8]| [packed, b"x"].concat();
    let damaged = |packed: &[u8]| {
        let mut packed = packed.to_vec();
        // In the checksum at the end.
        let at = packed.len() - 6;
        packed[at] ^= 1;
        packed
    };
    let damaged_zlib = {
        let mut packed = as_zlib.clone();
        *packed.last_mut().unwrap() ^= 1;
        packed
    };
    for (encoding, body) in [
        ("gzip", plain.clone()),
        ("gzip", as_zlib.clone()),
        ("gzip", Vec::new()),
        ("gzip", with_more(&as_gzip)),
        ("gzip", as_gzip[..as_gzip.len() - 1].to_vec()),
        ("gzip", as_gzip[..as_gzip.len() / 2].to_vec()),
        ("gzip", damaged(&as_gzip)),
        ("deflate", plain.clone()),
        ("deflate", as_gzip.clone()),
        ("deflate", Vec::new()),
        ("deflate", raw_deflate(&plain)),
        ("deflate", with_more(&as_zlib)),
        ("deflate", as_zlib[..as_zlib.len() - 1].to_vec()),
        ("deflate", as_zlib[..as_zlib.len() / 2].to_vec()),
        ("deflate", damaged_zlib),
        ("br", plain.clone()),
        ("br", as_gzip.clone()),
        ("gzip, gzip", gzip(&as_gzip)),
        ("deflate, gzip", plain.clone()),
        ("x-gzip", as_gzip.clone()),
        ("nonsense", plain.clone()),
    ] {
        let answer = send(&server, &format!("Content-Encoding: {encoding}\r\n"), PUT, &body);
        assert_eq!(answer.status, 500, "{encoding}");
        let expected = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"#;
        assert!(answer.text().starts_with(expected), "{}", answer.text());
        assert!(answer.text().contains(encoding), "{}", answer.text());
    }
    let twice = "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n";
    assert_eq!(send(&server, twice, PUT, &plain).status, 500);
    let count = send(&server, "", SCAN, br#"{"TableName":"Orders","Select":"COUNT"}"#);
    assert_eq!(count.text(), r#"{"Count":0,"ScannedCount":0}"#);
}

#[test]
fn a_bomb_takes_no_more_room_than_there_is_and_nothing_else_waits_for_it() {
    let options = ServerOptions {
        bytes_in_flight: 1 << 20,
        body_timeout: Duration::from_secs(20),
        ..ServerOptions::default()
    };
    let server = server_with(options);
    let bomb = zlib(&body_of(LIMIT));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                // One after the other, as there is room for.
                let answer = send(&server, "Content-Encoding: deflate\r\n", LIST, &bomb);
                assert_eq!(answer.status, 200);
            });
        }
        for _ in 0..20 {
            assert_eq!(send(&server, "", LIST, b"{}").status, 200);
        }
    });
}

#[test]
fn long_answers_are_compressed_on_request() {
    let server = with_table();
    let checked = |headers: &str| {
        let answer = send(&server, headers, SCAN, SCAN_T.as_bytes());
        assert_eq!(answer.status, 200);
        // Of the bytes that are sent, packed or not.
        let crc = crc32fast::hash(&answer.body).to_string();
        assert_eq!(answer.header("x-amz-crc32"), Some(crc.as_str()), "{headers}");
        answer
    };
    // The answer is not longer than 4 KiB.
    assert_eq!(send(&server, "", PUT, &put("a", 4000)).status, 200);
    let short = checked("Accept-Encoding: gzip\r\n");
    assert!(short.body.len() < 4096 && short.header("content-encoding").is_none());
    for letters in [4100, 300_000] {
        // Packed at once, and on a thread of its own.
        assert_eq!(send(&server, "", PUT, &put("a", letters)).status, 200);
        let plain = checked("");
        assert!(plain.body.len() > letters - 8 && plain.header("content-encoding").is_none());
        for (headers, encoding) in [
            ("Accept-Encoding: identity\r\n", None),
            ("Accept-Encoding: br;q=1.0, *;q=0.1\r\n", None),
            ("Accept-Encoding: gzip;q=0\r\n", None),
            ("Accept-Encoding: gzip\r\n", Some("gzip")),
            ("Accept-Encoding: gzip, deflate\r\n", Some("gzip")),
            ("Accept-Encoding: deflate\r\n", Some("deflate")),
            ("accept-encoding: gzip;q=0.5\r\nAccept-Encoding: deflate;q=0.8\r\n", Some("deflate")),
        ] {
            let answer = checked(headers);
            assert_eq!(answer.header("content-encoding"), encoding, "{headers}");
            let text = match encoding {
                Some("gzip") => unpacked(MultiGzDecoder::new(answer.body.as_slice())),
                Some(_) => unpacked(ZlibDecoder::new(answer.body.as_slice())),
                None => answer.text().to_owned(),
            };
            assert_eq!(text, plain.text(), "{headers}");
            assert!(encoding.is_none() || answer.body.len() < plain.body.len() / 10, "{headers}");
        }
    }
}

#[test]
fn errors_are_never_packed() {
    let server = with_table();
    assert_eq!(send(&server, "", PUT, &put("a", 8000)).status, 200);
    let failing = concat!(
        r#"{"TableName":"Orders","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)","#,
        r#""ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#
    );
    let answer = send(&server, "Accept-Encoding: gzip, deflate\r\n", PUT, failing.as_bytes());
    assert_eq!((answer.status, answer.header("content-encoding")), (400, None));
    assert!(answer.text().len() > 8000);
}

#[test]
fn accepted_encodings_apply_to_one_request() {
    let server = with_table();
    assert_eq!(send(&server, "", PUT, &put("a", 8000)).status, 200);
    let mut connection = Connection::to(server.address());
    for wants_gzip in [true, false, true] {
        let plain = request(SCAN, SCAN_T);
        let headers = if wants_gzip { "Accept-Encoding: gzip\r\nContent-Length" } else { "Content-Length" };
        connection.send(plain.replace("Content-Length", headers));
        let answer = connection.answer();
        assert_eq!(answer.header("content-encoding").is_some(), wants_gzip);
    }
}
