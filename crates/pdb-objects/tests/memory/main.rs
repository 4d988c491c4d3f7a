//! An object of 100 MB passes through a few megabytes of memory.
//!
//! One test, in a program of its own, because the allocator counts for the whole process. The service is one that keeps nothing.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

use std::alloc::System;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use pdb_objects::{FolderObjects, ObjectStore, S3Credentials, S3Objects, S3Settings};
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait};

#[global_allocator]
static ALLOCATOR: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The size of the object.
const SIZE: u64 = 100 << 20;

/// What a reader or a writer may take.
const BUDGET: usize = 24 << 20;

/// Serves objects of `SIZE` zeros, and forgets what it is given.
fn serve(stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(found) = line.to_lowercase().strip_prefix("content-length: ") {
                length = found.trim().parse().ok()?;
            }
        }
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).ok()?;
        let mut out = stream;
        let answer = |body: &str| {
            format!("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        if first.starts_with("GET") {
            write!(out, "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {SIZE}\r\n\r\n").ok()?;
            let zeros = vec![0; 1 << 16];
            for _ in 0..SIZE >> 16 {
                out.write_all(&zeros).ok()?;
            }
        } else if first.contains("?uploads") {
            let body =
                "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
            out.write_all(answer(body).as_bytes()).ok()?;
        } else if first.starts_with("POST") {
            let body = "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>";
            out.write_all(answer(body).as_bytes()).ok()?;
        } else {
            out.write_all(answer("").as_bytes()).ok()?;
        }
    }
}

/// Writes and reads an object, and returns the most memory that each took.
fn measured(store: &dyn ObjectStore) -> [usize; 2] {
    let piece = vec![0; 100_000];
    ALLOCATOR.reset_peak_memory();
    let mut writer = store.create("b", "k").unwrap();
    let mut left = SIZE;
    while left > 0 {
        let next = piece.len().min(usize::try_from(left).unwrap());
        writer.write_all(&piece[..next]).unwrap();
        left -= next as u64;
    }
    writer.finish().unwrap();
    let written = ALLOCATOR.get_peak_memory();
    ALLOCATOR.reset_peak_memory();
    let read = std::io::copy(&mut store.open("b", "k").unwrap(), &mut std::io::sink()).unwrap();
    assert_eq!(read, SIZE);
    [written, ALLOCATOR.get_peak_memory()]
}

#[test]
fn a_large_object_takes_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(&stream));
        }
    });
    let s3 =
        S3Objects::new(S3Settings::new("us-east-1", S3Credentials::new("a", "b")).endpoint(url)).unwrap();
    let folder = FolderObjects::open(folder.path()).unwrap();
    for (name, store) in [("folder", &folder as &dyn ObjectStore), ("s3", &s3)] {
        let [written, read] = measured(store);
        println!("{name}: {written} bytes of memory to write an object of {SIZE}, {read} to read it");
        assert!(written < BUDGET && read < BUDGET, "{name}: {written} bytes to write, {read} to read");
    }
}
