//! The requests of AWS's own test suite for signature version 4.
//!
//! `vectors.txt` has them as they are sent. Left out are those that are not normalised, as only S3 takes them, the one with a folded
//! header, which HTTP does not have any more, and the one whose session token is not signed, which DynamoDB's signers never send.

use super::Sample;

fn sample(text: &str) -> Sample {
    let mut lines = text.lines();
    let line = lines.next().unwrap();
    let (method, target) = line.trim_end_matches(" HTTP/1.1").split_once(' ').unwrap();
    let mut sample = Sample {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for line in lines {
        if let Some(body) = line.strip_prefix("= ") {
            sample.body = body.as_bytes().to_vec();
            continue;
        }
        let (name, value) = line.split_once(':').unwrap();
        sample.headers.push((name.to_owned(), value.trim().as_bytes().to_vec()));
    }
    sample
}

#[test]
fn the_signatures_of_the_suite_are_right() {
    let mut number = 0;
    for block in include_str!("vectors.txt").split("\n\n") {
        let (name, text) = block.strip_prefix("# ").unwrap().split_once('\n').unwrap();
        let sample = sample(text);
        assert_eq!(sample.verify(), Ok(()), "{name}");
        let mut other = sample.clone();
        other.body.push(b'!');
        assert!(other.verify().is_err(), "{name}");
        number += 1;
    }
    assert_eq!(number, 58);
}
