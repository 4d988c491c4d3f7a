//! Go: the tests of the module from its zip file, and the sample project with the module from a proxy.

use std::path::Path;
use std::process::Command;

use super::{Place, copy};
use crate::dist::go::{MODULE, PROXY};
use crate::{Outcome, run};

pub(super) fn test(place: &Place) -> Outcome {
    let program = place.dist.join("bin/pretender");
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let archive = place.dist.join(PROXY).join(MODULE).join("@v").join(format!("{version}.zip"));
    if !archive.exists() {
        return Err("there is no Go module: run `cargo xtask dist go`".to_owned());
    }
    // The cache of earlier downloads is laid out like a proxy, too.
    let known = run::output(run::program("go").args(["env", "GOMODCACHE", "GOPROXY"]))?;
    let (cache, others) = known.split_once('\n').unwrap_or_default();
    let proxies = format!(
        "file://{},file://{cache}/cache/download,{}",
        place.dist.join(PROXY).display(),
        others.trim()
    );
    let go = |folder: &Path, arguments: &[&str]| -> Command {
        let mut command = run::program("go");
        command.args(arguments).current_dir(folder).env("GOPROXY", &proxies).env("PRETENDER_BIN", &program);
        // The module of this version is in no checksum database, and one that an earlier run has cached may differ.
        command.env("GONOSUMDB", MODULE).env("GOMODCACHE", place.scratch.join("modules"));
        // Go keeps an index of the imports of each module, by its path and version, and this one changes under the same version.
        command.env("GODEBUG", "goindex=0");
        // Otherwise the cache is read-only, and cannot be deleted before the next run.
        command.env("GOFLAGS", "-mod=mod -modcacherw").env_remove("PRETENDER_ENDPOINT");
        command
    };
    // A download may fail for a moment.
    let twice = |folder: &Path, arguments: &[&str]| {
        run::run(&mut go(folder, arguments)).or_else(|_| run::run(&mut go(folder, arguments)))
    };

    let example = place.scratch.join("example");
    copy(&place.package.join("example"), &example)?;
    run::run(&mut go(&example, &["mod", "edit", "-dropreplace", MODULE]))?;
    twice(&example, &["mod", "download"])?;
    run::run(&mut go(&example, &["vet", "./..."]))?;
    run::run(&mut go(&example, &["test", "-count=1", "./..."]))?;

    // The tests of the package itself, as it lies in the module cache: what is not in the zip file is not there.
    let package = format!("{MODULE}/...");
    run::run(&mut go(&example, &["vet", &package]))?;
    run::run(&mut go(&example, &["test", "-count=1", &package]))
}
