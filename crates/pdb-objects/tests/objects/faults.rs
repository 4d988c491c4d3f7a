//! What a network and a service can do to S3's store.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use pdb_objects::{ObjectError, ObjectStore, S3Objects};
use pdb_testkit::MotoServer;

use super::broken::Proxy;
use super::stores::{s3, s3_within};
use super::unfaithful::{Answer, Service, answer, refusal};
use super::{keys, listed, noise};

/// Long enough for an answer on this machine, and short enough for a test.
const SHORT: Duration = Duration::from_millis(400);

fn moto() -> Option<MotoServer> {
    let moto = MotoServer::start()?;
    moto.create_bucket("bkt");
    Some(moto)
}

fn failed(error: ObjectError) -> io::Error {
    match error {
        ObjectError::Failed { source, .. } => source,
        error => panic!("{error:?}"),
    }
}

#[test]
fn an_object_is_read_on_where_its_connection_breaks() {
    let Some(moto) = moto() else { return };
    let content = noise(10 << 20);
    s3(&moto.url()).put("bkt", "k", &content).unwrap();
    for (breaks, after) in [(1, 5 << 20), (3, 3_000_001), (8, 200_000), (2, 0), (1, 100)] {
        let proxy = Proxy::to(moto.port());
        let store = s3(&proxy.url());
        proxy.break_next(breaks, after);
        let mut read = Vec::new();
        store.open("bkt", "k").unwrap().read_to_end(&mut read).unwrap();
        assert!(read == content, "{breaks} times after {after} bytes: {}", read.len());
        assert_eq!(proxy.broken(), breaks as u64);
    }
}

#[test]
fn an_object_that_is_replaced_meanwhile_is_an_error() {
    let Some(moto) = moto() else { return };
    let (direct, proxy) = (s3(&moto.url()), Proxy::to(moto.port()));
    let store = s3_within(&proxy.url(), Duration::from_secs(20), SHORT);
    direct.put("bkt", "k", &noise(8 << 20)).unwrap();
    // Of the same size, and of another one.
    for content in [vec![b'x'; 8 << 20], vec![b'y'; 100]] {
        proxy.break_next(1, 6 << 20);
        let mut reader = store.open("bkt", "k").unwrap();
        let mut read = vec![0; 1000];
        reader.read_exact(&mut read).unwrap();
        direct.put("bkt", "k", &content).unwrap();
        let error = reader.read_to_end(&mut read).unwrap_err();
        assert!(read.len() < 8 << 20);
        let error = failed(ObjectError::from_io("bkt", "k", error)).to_string();
        assert!(error.contains("replaced"), "{error}");
        direct.put("bkt", "k", &noise(8 << 20)).unwrap();
    }
}

#[test]
fn lists_and_writes_survive_connections_that_break() {
    let Some(moto) = moto() else { return };
    let proxy = Proxy::to(moto.port());
    let store = s3(&proxy.url());
    let content = noise(17 << 20);
    for after in [0, 40, 200] {
        // Each of the requests loses its answer, once or more often.
        proxy.break_next(6, after);
        store.put("bkt", "small", b"small").unwrap();
        assert_eq!(keys(&store, "bkt", ""), ["small"]);
        proxy.break_next(3, after);
        store.put("bkt", "large", &content).unwrap();
        assert!(store.get("bkt", "large", 17 << 20).unwrap().unwrap() == content, "{after}");
        assert_eq!(proxy.broken(), 3);
        proxy.break_next(1, after);
        store.delete("bkt", "large").unwrap();
        proxy.break_next(2, after);
        assert_eq!(keys(&store, "bkt", ""), ["small"]);
        store.delete("bkt", "small").unwrap();
    }
}

#[test]
fn the_last_answer_of_an_upload_may_be_lost() {
    let Some(moto) = moto() else { return };
    let proxy = Proxy::to(moto.port());
    let store = s3(&proxy.url());
    let mut writer = store.create("bkt", "k").unwrap();
    writer.write_all(&noise(9 << 20)).unwrap();
    writer.flush().unwrap();
    // What is left: the second part and the end of the upload. Both lose their answers, and have done their work.
    proxy.break_next(2, 0);
    let tag = writer.finish().unwrap().unwrap();
    assert!(tag.ends_with("-2"), "{tag}");
    assert_eq!(proxy.broken(), 2);
    assert_eq!(listed(&store, "bkt", "").unwrap(), [("k".to_owned(), 9 << 20)]);
}

#[test]
fn an_upload_that_the_service_has_forgotten_is_finished_if_the_object_is_ours() {
    // Some services do not know an upload that is finished. The tags of the parts are those of no bytes.
    let part = "d41d8cd98f00b204e9800998ecf8427e";
    let ours = "5873dd45edd01f09c1ef2e7819369e8e-2";
    for (found, is_ours) in [(ours, true), ("5873dd45edd01f09c1ef2e7819369e8e-3", false)] {
        let service = Service::start(move |_, request| {
            let (method, _) = request.line.split_once(' ').unwrap();
            match method {
                "POST" if request.line.contains("?uploads") => {
                    let body = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
                    answer("200 OK", "", body)
                }
                "POST" => refusal("404 Not Found", "NoSuchUpload"),
                "PUT" => answer("200 OK", &format!("ETag: \"{part}\"\r\n"), ""),
                "HEAD" => answer("200 OK", &format!("ETag: \"{found}\"\r\n"), ""),
                _ => answer("204 No Content", "", ""),
            }
        });
        let mut writer = s3(&service.url()).create("bkt", "k").unwrap();
        writer.write_all(&noise(9 << 20)).unwrap();
        match writer.finish() {
            Ok(tag) => assert!(is_ours && tag.as_deref() == Some(ours), "{tag:?}"),
            Err(error) => assert!(!is_ours && failed(error).to_string().starts_with("NoSuchUpload")),
        }
        assert!(service.requests().iter().any(|request| request.line == "HEAD /bkt/k"));
    }
}

#[test]
fn a_writer_that_is_dropped_aborts_its_upload() {
    let Some(moto) = moto() else { return };
    let store = s3(&moto.url());
    let mut writer = store.create("bkt", "k").unwrap();
    writer.write_all(&noise(9 << 20)).unwrap();
    let uploads = || moto.send("GET", "/bkt?uploads", "").matches("<UploadId>").count();
    assert_eq!(uploads(), 1);
    drop(writer);
    assert_eq!(uploads(), 0);
    assert_eq!(keys(&store, "bkt", ""), [""; 0]);
}

#[test]
fn a_service_that_was_killed_is_waited_for() {
    let Some(mut moto) = moto() else { return };
    let store = s3(&moto.url());
    store.put("bkt", "k", b"k").unwrap();
    moto.kill();
    let (sender, outcome) = std::sync::mpsc::channel();
    let waiting = store.clone();
    std::thread::spawn(move || sender.send(waiting.put("bkt", "k", b"new")).unwrap());
    assert!(outcome.recv_timeout(SHORT).is_err(), "it is still trying");
    moto.restart();
    // It has forgotten its buckets, and says so now.
    let error = outcome.recv_timeout(Duration::from_secs(30)).unwrap().unwrap_err();
    assert!(matches!(error, ObjectError::NoSuchBucket { .. }), "{error:?}");
    moto.create_bucket("bkt");
    store.put("bkt", "k", b"new").unwrap();
    assert_eq!(store.get("bkt", "k", 9).unwrap().unwrap(), b"new");
}

#[test]
fn a_service_that_is_killed_in_the_middle_is_an_error_in_the_end() {
    let Some(mut moto) = moto() else { return };
    let store = s3_within(&moto.url(), SHORT, SHORT);
    let content = noise(64 << 20);
    s3(&moto.url()).put("bkt", "k", &content).unwrap();
    let mut reader = store.open("bkt", "k").unwrap();
    let mut writer = store.create("bkt", "new").unwrap();
    writer.write_all(&noise(9 << 20)).unwrap();
    let mut read = vec![0; 1000];
    reader.read_exact(&mut read).unwrap();
    moto.kill();
    let error = reader.read_to_end(&mut read).unwrap_err();
    assert!(content.starts_with(&read) && read.len() < content.len());
    assert_eq!(failed(ObjectError::from_io("bkt", "k", error)).kind(), io::ErrorKind::ConnectionRefused);
    failed(listed(&store, "bkt", "").unwrap_err());
    failed(writer.finish().unwrap_err());
    moto.restart();
    moto.create_bucket("bkt");
    assert_eq!(keys(&store, "bkt", ""), [""; 0]);
}

#[test]
fn keys_that_the_service_does_not_know_are_denied() {
    let Some(moto) = moto() else { return };
    let store = s3(&moto.url());
    store.put("bkt", "k", b"k").unwrap();
    moto.check_keys();
    let refusals = [
        listed(&store, "bkt", "").unwrap_err(),
        store.open("bkt", "k").err().unwrap(),
        store.put("bkt", "k", b"").unwrap_err(),
        store.delete("bkt", "k").unwrap_err(),
    ];
    for refusal in refusals {
        let ObjectError::Denied { reason, .. } = refusal else { panic!("{refusal:?}") };
        assert!(reason.starts_with("InvalidAccessKeyId: "), "{reason}");
    }
}

/// The four calls, for a service that answers all of them alike.
fn all_calls(store: &S3Objects) -> [ObjectError; 4] {
    [
        listed(store, "bkt", "").unwrap_err(),
        store.open("bkt", "k").err().unwrap(),
        store.put("bkt", "k", b"").unwrap_err(),
        store.delete("bkt", "k").unwrap_err(),
    ]
}

#[test]
fn a_service_that_never_answers_is_given_up() {
    let service = Service::start(|_, _| Answer::Hang(String::new()));
    let store = s3_within(&service.url(), SHORT, SHORT);
    let began = Instant::now();
    for error in all_calls(&store) {
        let error = failed(error);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    }
    // Four calls, of some attempts that begin within the time for retries.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn an_object_that_stops_coming_is_given_up() {
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"e\"\r\n\r\nfive.";
    let service = Service::start(move |number, _| {
        match number {
        0 => Answer::Hang(start.to_owned()),
        _ => Answer::Hang("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-99/100\r\nContent-Length: 95\r\nETag: \"e\"\r\n\r\n".to_owned()),
    }
    });
    let store = s3_within(&service.url(), SHORT, SHORT);
    let mut read = Vec::new();
    let error = store.open("bkt", "k").unwrap().read_to_end(&mut read).unwrap_err();
    assert_eq!(read, b"five.");
    assert_eq!(failed(ObjectError::from_io("bkt", "k", error)).kind(), io::ErrorKind::TimedOut);
    let again = &service.requests()[1];
    assert!(
        again.headers.contains("range: bytes=5-") && again.headers.contains("if-match: \"e\""),
        "{again:?}"
    );
}

#[test]
fn a_service_that_is_busy_is_asked_again() {
    let service = Service::start(|number, _| match number {
        0..3 => refusal("503 Slow Down", "SlowDown"),
        3 => refusal("500 Internal Server Error", "InternalError"),
        _ => answer("200 OK", "ETag: \"e\"\r\n", "hello"),
    });
    let store = s3(&service.url());
    assert_eq!(store.get("bkt", "k", 9).unwrap().unwrap(), b"hello");
    assert_eq!(service.requests().len(), 5);
    // With a signature of its own for each attempt.
    assert!(
        service.requests().iter().all(|request| request.headers.contains("authorization: aws4-hmac-sha256 "))
    );
}

#[test]
fn a_service_that_stays_busy_is_given_up() {
    let service = Service::start(|_, _| refusal("503 Slow Down", "SlowDown"));
    for error in all_calls(&s3_within(&service.url(), SHORT, SHORT)) {
        let error = failed(error).to_string();
        assert_eq!(error, "SlowDown: It's no use.");
    }
}

#[test]
fn refusals_are_told_apart() {
    type Is = fn(&ObjectError) -> bool;
    let denied: Is = |error| matches!(error, ObjectError::Denied { .. });
    let no_bucket: Is = |error| matches!(error, ObjectError::NoSuchBucket { .. });
    let failed: Is = |error| matches!(error, ObjectError::Failed { .. });
    for (status, code, is) in [
        ("403 Forbidden", "AccessDenied", denied),
        ("403 Forbidden", "SignatureDoesNotMatch", denied),
        ("401 Unauthorized", "Unauthorized", denied),
        ("404 Not Found", "NoSuchBucket", no_bucket),
        ("400 Bad Request", "InvalidRequest", failed),
        ("409 Conflict", "OperationAborted", failed),
        ("301 Moved Permanently", "PermanentRedirect", failed),
    ] {
        let service = Service::start(move |_, _| refusal(status, code));
        for error in all_calls(&s3(&service.url())) {
            assert!(is(&error), "{status} {code}: {error:?}");
        }
    }
    let service = Service::start(|_, _| refusal("404 Not Found", "NoSuchKey"));
    let store = s3(&service.url());
    assert!(matches!(store.open("bkt", "k"), Err(ObjectError::NoSuchKey { .. })));
    store.delete("bkt", "k").unwrap();
}

#[test]
fn a_redirect_takes_no_signature_elsewhere() {
    let other = Service::start(|_, _| answer("200 OK", "ETag: \"e\"\r\n", "stolen"));
    let location = format!("Location: {}/b/k\r\n", other.url());
    let service = Service::start(move |_, _| answer("307 Temporary Redirect", &location, ""));
    for error in all_calls(&s3(&service.url())) {
        failed(error);
    }
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn an_object_that_is_cut_short_is_an_error() {
    // Fewer bytes than the service has promised, each time.
    let cut = |tag: &str| {
        let tag = tag.to_owned();
        Service::start(move |_, request| {
            let (status, range) = if request.headers.contains("range: bytes=") {
                ("206 Partial Content", "Content-Range: bytes 5-99/100\r\nContent-Length: 95\r\n")
            } else {
                ("200 OK", "Content-Length: 100\r\n")
            };
            let body = if range.contains("Range") { "" } else { "five." };
            Answer::Text(format!("HTTP/1.1 {status}\r\n{range}{tag}\r\n{body}"))
        })
    };
    for tag in ["", "ETag: \"e\"\r\n"] {
        let service = cut(tag);
        let store = s3_within(&service.url(), SHORT, SHORT);
        let mut read = Vec::new();
        let error = store.open("bkt", "k").unwrap().read_to_end(&mut read).unwrap_err();
        assert_eq!(read, b"five.");
        failed(ObjectError::from_io("bkt", "k", error));
        assert!(store.get("bkt", "k", 100).is_err());
    }
}

#[test]
fn nonsense_is_an_error() {
    let long = "x".repeat(100_000);
    for text in [
        "",
        "nonsense",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<xml>",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\u{1}\u{2}\u{3}\u{4}",
        &long,
    ] {
        let text = text.to_owned();
        let service = Service::start(move |_, _| Answer::Text(text.clone()));
        let store = s3_within(&service.url(), SHORT, SHORT);
        failed(listed(&store, "bkt", "").unwrap_err());
        failed(store.put("bkt", "k", &noise(9 << 20)).unwrap_err());
    }
}

#[test]
fn a_list_without_an_end_is_an_error() {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>\
        <Contents><Key>k</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>";
    let service = Service::start(move |_, _| answer("200 OK", "", page));
    failed(listed(&s3(&service.url()), "b", "").unwrap_err());
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn keys_and_prefixes_arrive_as_they_are() {
    let service = Service::start(|_, _| answer("200 OK", "ETag: \"e\"\r\n", ""));
    let store = s3(&format!("{}/s3/", service.url()));
    for key in ["a//b", "/a", "a/", "a b+c&d?e#f%2F", "é", "\n"] {
        store.put("bkt", key, b"").unwrap();
    }
    let lines: Vec<String> = service.requests().into_iter().map(|request| request.line).collect();
    let expected = ["a//b", "/a", "a/", "a%20b%2Bc%26d%3Fe%23f%252F", "%C3%A9", "%0A"];
    assert_eq!(lines, expected.map(|key| format!("PUT /s3/bkt/{key}")));
}

#[test]
fn it_can_be_used_and_dropped_within_a_runtime() {
    let Some(moto) = moto() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = s3(&moto.url());
        store.put("bkt", "k", &noise(9 << 20)).unwrap();
        let mut reader = store.open("bkt", "k").unwrap();
        let writer = store.create("bkt", "new").unwrap();
        drop(store);
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), 9 << 20);
        drop((reader, writer));
    });
}
