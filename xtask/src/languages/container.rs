//! The container image: its digests are checked, and it is run in its own file system, without a container runtime.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Place;
use crate::dist::image::{self, USER};
use crate::{Outcome, run, workspace};

/// The table that the test creates.
const SCHEMA: &str = r#"{"TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}"#;

pub(super) fn test(place: &Place) -> Outcome {
    let name = concat!("pretender:", env!("CARGO_PKG_VERSION"));
    for file in ["Dockerfile", "compose.yaml"] {
        if !workspace::read(&place.package.join(file))?.contains(name) {
            return Err(format!("packages/container/{file} does not name {name}"));
        }
    }
    let archive = image::path(&place.dist)?;
    if !archive.exists() {
        return Err("there is no image: run `cargo xtask dist image`".to_owned());
    }
    let unpacked = place.scratch.join("image");
    create(&unpacked)?;
    run::run(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(&unpacked))?;
    let (config, layer) = check(&unpacked)?;
    let root = place.scratch.join("root");
    create(&root)?;
    run::run(Command::new("tar").arg("-xpzf").arg(&layer).arg("-C").arg(&root))?;
    let Some(system) = FileSystem::of(root)? else {
        return place.leave_out("the image is not run: that needs root, or user namespaces");
    };
    let program = place.dist.join("bin/pretender");

    // Without control, the database is that of the image, below /data.
    let schema = system.root.join("tmp/tables.json");
    std::fs::write(&schema, SCHEMA).map_err(|error| format!("cannot write {}: {error}", schema.display()))?;
    let server = Server::start(&system, &config, &["--schema", "/tmp/tables.json"])?;
    let client = |server: &Server, arguments: &[&str]| {
        let environment =
            [("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any"), ("AWS_REGION", "us-east-1")];
        let endpoint = ["--endpoint", &server.url];
        run::output(Command::new(&program).args(arguments).args(endpoint).envs(environment))
    };
    // The health check, with the address of this test.
    let health = words(&config["config"]["Healthcheck"]["Test"]);
    let ping = health.get(1..).ok_or("the image has no health check")?;
    run::run(system.command(&config, ping).args(["--endpoint", &server.url]))?;
    client(&server, &["put", "orders", r#"{"id": "1", "state": "kept"}"#])?;
    server.stop()?;

    let server = Server::start(&system, &config, &[])?;
    let item = client(&server, &["get", "orders", "1"])?;
    server.stop()?;
    if item.contains("kept") {
        Ok(())
    } else {
        Err(format!("the item is not in /data after a restart: {item}"))
    }
}

/// Checks all digests from the index to the layer, and returns the configuration and the path of the layer.
fn check(image: &Path) -> Outcome<(Value, PathBuf)> {
    let index = json(&bytes(&image.join("index.json"))?)?;
    let manifest = json(&blob(image, &index["manifests"][0])?)?;
    let config = json(&blob(image, &manifest["config"])?)?;
    let platform = &index["manifests"][0]["platform"];
    if platform["architecture"] != config["architecture"] || platform["os"] != config["os"] {
        return Err(format!("the index names another platform: {platform}"));
    }
    let packed = blob(image, &manifest["layers"][0])?;
    let mut layer = Vec::new();
    let unpacked = GzDecoder::new(packed.as_slice()).read_to_end(&mut layer);
    unpacked.map_err(|error| format!("the layer cannot be unpacked: {error}"))?;
    if config["rootfs"]["diff_ids"][0] != digest(&layer) {
        return Err("the configuration does not name the layer".to_owned());
    }
    let for_docker = json(&bytes(&image.join("manifest.json"))?)?;
    let path = path_of(&manifest["layers"][0])?;
    if for_docker[0]["Layers"][0] != path || for_docker[0]["Config"] != path_of(&manifest["config"])? {
        return Err("manifest.json differs from the index".to_owned());
    }
    Ok((config, image.join(path)))
}

/// Reads a blob, and compares it with its descriptor.
fn blob(image: &Path, descriptor: &Value) -> Outcome<Vec<u8>> {
    let content = bytes(&image.join(path_of(descriptor)?))?;
    if descriptor["digest"] != digest(&content) || descriptor["size"] != content.len() {
        return Err(format!("a blob is not what this says: {descriptor}"));
    }
    Ok(content)
}

fn path_of(descriptor: &Value) -> Outcome<String> {
    let digest = descriptor["digest"].as_str().ok_or_else(|| format!("no digest: {descriptor}"))?;
    Ok(format!("blobs/{}", digest.replace(':', "/")))
}

fn digest(content: &[u8]) -> String {
    let digits: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

fn bytes(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn json(content: &[u8]) -> Outcome<Value> {
    serde_json::from_slice(content).map_err(|error| format!("not JSON: {error}"))
}

/// Returns a list of texts.
fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn create(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))
}

/// The file system of the image.
struct FileSystem {
    root: PathBuf,
    /// Whether this process may run programs as the user of the image. Otherwise they run as a user who takes himself for root.
    is_root: bool,
}

impl FileSystem {
    /// Returns `None` if this process may not change the root folder of another.
    fn of(root: PathBuf) -> Outcome<Option<Self>> {
        let is_root = run::output(Command::new("id").arg("-u"))?.trim() == "0";
        let may = is_root || run::works("unshare", &["--map-root-user", "chroot", "/", "true"]);
        Ok(may.then_some(Self { root, is_root }))
    }

    /// Returns a command that runs inside, with the environment of the image.
    fn command(&self, config: &Value, arguments: &[&str]) -> Command {
        let mut command = if self.is_root {
            let mut command = Command::new("chroot");
            command.arg(format!("--userspec={USER}:{USER}"));
            command
        } else {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "chroot"]);
            command
        };
        command.arg(&self.root).args(arguments).env_clear();
        // To find `chroot`; the programs of the image are named by their paths.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(
            words(&config["config"]["Env"])
                .into_iter()
                .filter_map(|variable| variable.split_once('='))
                .filter(|(name, _)| *name != "PATH"),
        );
        command
    }
}

/// The server in the image. It ends when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts what the image starts, on a free port.
    fn start(system: &FileSystem, config: &Value, more: &[&str]) -> Outcome<Self> {
        let (entry, arguments) = (words(&config["config"]["Entrypoint"]), words(&config["config"]["Cmd"]));
        let mut command = system.command(config, &[entry, arguments, more.to_vec()].concat());
        command.args(["--port", "0", "--announce", "json"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("the image could not be started: {error}"))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
        let mut server = Self { child, url: String::new() };
        if !matches!(read, Some(Ok(1..))) {
            return Err("the server of the image did not start".to_owned());
        }
        server.url = json(line.as_bytes())?["url"].as_str().unwrap_or_default().to_owned();
        Ok(server)
    }

    /// Stops it as a container runtime does.
    fn stop(mut self) -> Outcome {
        run::run(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()))?;
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("the server of the image did not end well: {other:?}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
