//! `pretender-VERSION-ARCH.oci.tar`: a container image in the layout of the Open Container Initiative, written without a daemon.
//!
//! The image has one layer: the program, the shared libraries it needs from this machine, and a folder for data. `manifest.json` is there for
//! versions of Docker that do not read the layout (before 25).

use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::installed::{read, write};
use super::notices::NOTICES;
use super::tree::{Tree, gzip};
use super::{Parts, hex};
use crate::{Outcome, workspace};

/// The user of the program: an ID that no user of the host should have.
pub(crate) const USER: u64 = 65532;

/// The time of the image: the same as that of its files.
const TIME: &str = "1980-01-01T00:00:00Z";

pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    if OS != "linux" {
        println!("image    skipped: the program is not one for Linux");
        return Ok(Vec::new());
    }
    let layer = layer(parts)?.tar("")?;
    let packed = gzip(&layer)?;
    let mut image = Tree::default();
    let layer_digest = blob(&mut image, &packed);
    let architecture = architecture()?;
    let config = config(parts, architecture, &digest(&layer)).to_string().into_bytes();
    let config_digest = blob(&mut image, &config);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config_digest, config.len()),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer_digest, packed.len())],
    });
    let manifest = manifest.to_string().into_bytes();
    let manifest_digest = blob(&mut image, &manifest);
    let name = format!("docker.io/library/pretender:{}", parts.version);
    let mut listed =
        descriptor("application/vnd.oci.image.manifest.v1+json", &manifest_digest, manifest.len());
    listed["platform"] = json!({ "architecture": architecture, "os": "linux" });
    listed["annotations"] = json!({
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": parts.version,
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [listed],
    });
    image.file("index.json", 0o644, index.to_string());
    image.file("oci-layout", 0o644, json!({ "imageLayoutVersion": "1.0.0" }).to_string());
    let for_docker = json!([{
        "Config": blob_path(&config_digest),
        "RepoTags": [format!("pretender:{}", parts.version)],
        "Layers": [blob_path(&layer_digest)],
    }]);
    image.file("manifest.json", 0o644, for_docker.to_string());
    let path = path(&parts.folder)?;
    write(&path, &image.tar("")?)?;
    Ok(vec![path])
}

/// Returns where `cargo xtask dist` writes the image.
pub(crate) fn path(dist: &Path) -> Outcome<PathBuf> {
    Ok(dist.join(format!("pretender-{}-{}.oci.tar", env!("CARGO_PKG_VERSION"), architecture()?)))
}

/// Returns the name for the architecture of this machine in images, which is that of Go.
fn architecture() -> Outcome<&'static str> {
    match ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        "x86" => Ok("386"),
        "powerpc64" if cfg!(target_endian = "little") => Ok("ppc64le"),
        "riscv64" | "s390x" => Ok(ARCH),
        other => Err(format!("the name of the architecture {other} in images is not known here")),
    }
}

/// Adds a blob to the image, and returns its digest.
fn blob(image: &mut Tree, content: &[u8]) -> String {
    let digest = digest(content);
    image.file(blob_path(&digest), 0o644, content);
    digest
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(content)))
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> Value {
    json!({ "mediaType": media_type, "digest": digest, "size": size })
}

/// Returns how the image runs. `Healthcheck` is a member of Docker's: the format of OCI has none, and other programs ignore it.
fn config(parts: &Parts, architecture: &str, layer_digest: &str) -> Value {
    let second = 1_000_000_000_u64;
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": TIME,
        "config": {
            "User": format!("{USER}:{USER}"),
            "ExposedPorts": { "8000/tcp": {} },
            "Env": ["PATH=/usr/bin", "PRETENDER_HOST=0.0.0.0", "PRETENDER_DB=/data/pretender.db"],
            "Entrypoint": ["/usr/bin/pretender"],
            "Cmd": ["serve"],
            "Volumes": { "/data": {} },
            "WorkingDir": "/data",
            "StopSignal": "SIGTERM",
            "Healthcheck": {
                "Test": ["CMD", "/usr/bin/pretender", "ping"],
                "Interval": 10 * second,
                "Timeout": 5 * second,
                "StartPeriod": 10 * second,
                "Retries": 3,
            },
            "Labels": {
                "org.opencontainers.image.title": "pretender",
                "org.opencontainers.image.description": "DynamoDB and DynamoDB Streams for tests and development",
                "org.opencontainers.image.version": parts.version,
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [layer_digest] },
        "history": [{ "created": TIME, "created_by": "cargo xtask dist image" }],
    })
}

/// Returns the files of the image.
fn layer(parts: &Parts) -> Outcome<Tree> {
    let mut layer = Tree::default();
    layer.file("usr/bin/pretender", 0o755, read(&parts.binary)?);
    for library in libraries(&parts.binary)? {
        layer.file(library.trim_start_matches('/'), 0o755, read(Path::new(&library))?);
    }
    let user =
        format!("root:x:0:0:root:/:/sbin/nologin\npretender:x:{USER}:{USER}:pretender:/data:/sbin/nologin\n");
    layer.file("etc/passwd", 0o644, user);
    layer.file("etc/group", 0o644, format!("root:x:0:\npretender:x:{USER}:\n"));
    layer.folder("data", 0o700, USER);
    layer.folder("tmp", 0o1777, 0);
    let documents = "usr/share/doc";
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        layer.file(
            format!("{documents}/pretender/{licence}"),
            0o644,
            read(&workspace::root().join(licence))?,
        );
    }
    layer.file(format!("{documents}/pretender/{NOTICES}"), 0o644, read(&parts.notices)?);
    // The terms of the libraries, where Debian has them.
    for package in ["libc6", "libgcc-s1"] {
        let path = format!("{documents}/{package}/copyright");
        if let Ok(terms) = std::fs::read(format!("/{path}")) {
            layer.file(path, 0o644, terms);
        }
    }
    Ok(layer)
}

/// Returns the paths of the shared libraries that a program needs, and of the loader.
fn libraries(program: &Path) -> Outcome<Vec<String>> {
    let output = Command::new("ldd").arg(program).env("LC_ALL", "C").output();
    let output = output.map_err(|error| format!("`ldd` could not be started: {error}"))?;
    let (listed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return listed_libraries(&listed);
    }
    // A program that is linked statically is an error for `ldd`, and needs none.
    if listed.contains("not a dynamic executable") || errors.contains("not a dynamic executable") {
        return Ok(Vec::new());
    }
    Err(format!("`ldd` ended with {}: {errors}", output.status))
}

fn listed_libraries(listed: &str) -> Outcome<Vec<String>> {
    if let Some(missing) = listed.lines().find(|line| line.contains("not found")) {
        return Err(format!("a library of the program is missing: {}", missing.trim()));
    }
    // `libm.so.6 => /lib/libm.so.6 (0x...)`, `/lib64/ld-linux.so.2 (0x...)`, and one that the kernel provides.
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    Ok(listed.lines().filter_map(path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_those_with_a_path() {
        let listed =
            "\tlinux-vdso.so.1 (0x1)\n\tlibm.so.6 => /lib/libm.so.6 (0x2)\n\t/lib64/ld-linux.so.2 (0x3)\n";
        assert_eq!(listed_libraries(listed).unwrap(), ["/lib/libm.so.6", "/lib64/ld-linux.so.2"]);
        let error = listed_libraries("\tlibm.so.6 => not found\n").unwrap_err();
        assert_eq!(error, "a library of the program is missing: libm.so.6 => not found");
    }

    #[test]
    fn blobs_lie_under_their_digest() {
        let mut image = Tree::default();
        let digest = blob(&mut image, b"");
        let expected = "blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(image.files().collect::<Vec<_>>(), [(expected, &b""[..])]);
        assert_eq!(blob_path(&digest), expected);
    }
}
