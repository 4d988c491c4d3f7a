//! No circle of imports among more than two files of a crate: in a circle, no file can be understood, tested or moved by itself.
//!
//! Two files that name each other are common where one holds a part of the other's `impl`. Tests do not count, and neither does what a file
//! takes from the modules that it declares. `crate::Name` leads to the file that defines the name.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Complaints;
use crate::workspace::{self, Package};
use crate::{Outcome, workspace::shown};
use source::Source;

/// A module by its path below the crate, such as `["tables", "manager"]`.
type Module = Vec<String>;
/// Which modules each module imports from.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// How many files may import each other.
const MAX_CIRCLE: usize = 2;
/// How many exports are followed from one name to its definition: more than there are folders above each other.
const MAX_EXPORTS: usize = 16;

/// Checks every crate.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    for package in packages.iter().filter(|package| package.is_crate()) {
        let root = package.folder().join("src");
        let mut files = BTreeMap::new();
        for path in workspace::files(&root, ".rs")? {
            if let Some(module) = module_of(path.strip_prefix(&root).unwrap_or(&path)) {
                let source = Source::parse(&workspace::read(&path)?);
                // The program of a package is a crate of its own, which shares the folder: its names are found as well.
                files.entry(module).or_insert_with(Source::default).add(source);
            }
        }
        for circle in circles(&graph(&files)) {
            let names: Vec<_> = circle.iter().map(|module| module.join("::")).collect();
            complaints.push(format!(
                "{} has a circle of imports among {} files: {}",
                shown(package.folder()),
                names.len(),
                names.join(", ")
            ));
        }
    }
    Ok(complaints)
}

/// Returns the module of a file below `src`; `None` for a module of tests.
fn module_of(path: &Path) -> Option<Module> {
    let stem = path.with_extension("");
    let module: Module = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.iter().any(|part| part == "tests") {
        return None;
    }
    let is_root = matches!(module.as_slice(), [only] if only == "lib" || only == "main");
    Some(if is_root { Module::new() } else { module })
}

fn graph(files: &BTreeMap<Module, Source>) -> Graph {
    let mut graph = Graph::new();
    for (module, source) in files {
        let imports = source.paths.iter().filter_map(|path| resolve(files, module, path, MAX_EXPORTS));
        graph.insert(module.clone(), imports.filter(|target| !target.starts_with(module)).collect());
    }
    graph
}

/// Returns the module that defines what `path` names in `module`.
fn resolve(
    files: &BTreeMap<Module, Source>,
    module: &Module,
    path: &[String],
    exports: usize,
) -> Option<Module> {
    let (first, mut rest) = path.split_first()?;
    let mut target = match first.as_str() {
        "crate" => Module::new(),
        "self" => module.clone(),
        "super" => module.split_last()?.1.to_vec(),
        // A path that begins with another name is one of ours if that is a module declared here.
        child => {
            let below = [module.as_slice(), &[child.to_owned()]].concat();
            if !files.contains_key(&below) {
                return None;
            }
            below
        }
    };
    while let Some((next, behind)) = rest.split_first() {
        if next == "super" {
            target.pop()?;
        } else {
            target.push(next.clone());
            if !files.contains_key(&target) {
                target.pop();
                break;
            }
        }
        rest = behind;
    }
    let source = files.get(&target)?;
    let exported = rest.first().and_then(|name| {
        let named = source.exports.iter().find(|export| export.name == *name);
        named.map(|export| export.path.clone()).or_else(|| {
            let globs = source.exports.iter().filter(|export| export.name == "*");
            let mut globs = globs
                .map(|export| [&export.path[..export.path.len() - 1], std::slice::from_ref(name)].concat());
            globs.find(|path| {
                resolve(files, &target, path, 0)
                    .is_some_and(|of| files.get(&of).is_some_and(|source| source.definitions.contains(name)))
            })
        })
    });
    match exported {
        // What comes from another crate leads nowhere.
        Some(path) if exports > 0 => resolve(files, &target, &path, exports - 1),
        _ => Some(target),
    }
}

/// Returns the sets of more than two modules that reach each other.
fn circles(graph: &Graph) -> Vec<Vec<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        graph.keys().map(|module| (module, reachable(graph, module))).collect();
    let mut found: Vec<Vec<Module>> = Vec::new();
    for (module, reaches) in &reached {
        if found.iter().any(|circle| circle.contains(module)) {
            continue;
        }
        let back = |other: &&&Module| reached.get(**other).is_some_and(|others| others.contains(*module));
        let circle: Vec<Module> = reaches.iter().filter(back).map(|module| (*module).clone()).collect();
        if circle.len() > MAX_CIRCLE {
            found.push(circle);
        }
    }
    found
}

fn reachable<'g>(graph: &'g Graph, from: &Module) -> BTreeSet<&'g Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = files
            .iter()
            .map(|(path, text)| (module_of(Path::new(path)).unwrap(), Source::parse(text)))
            .collect();
        circles(&graph(&files))
            .iter()
            .map(|circle| circle.iter().map(|m| m.join("::")).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn circles_of_three_are_found_through_every_kind_of_path() {
        let lib = ("lib.rs", "mod a; mod b; mod c; pub use b::B; pub use c::*;");
        let c = ("c.rs", "pub struct C; fn f(a: super::a::A) {}");
        for (a, b) in [
            ("use crate::b::B;", "use super::c::C;"),
            ("use crate::B;", "use crate::C;"),
            ("use crate::{x::Y, b::{self, B as D}};", "fn f() { crate::c::g() }"),
            ("type A = crate::B;", "use super::{C, Z};"),
        ] {
            assert_eq!(found(&[lib, ("a.rs", a), ("b.rs", b), c]), ["a b c"], "{a} {b}");
        }
    }

    #[test]
    fn pairs_tests_comments_and_children_make_no_circles() {
        let lib = ("lib.rs", "mod a; mod b; mod c; pub use a::A; pub(crate) use b::B; pub use c::C;");
        for [a, b, c] in [
            ["use crate::b::B;", "use crate::a::A;", "use crate::{A, B};"],
            ["use crate::B;", "use crate::C;", "#[cfg(test)]\nmod tests { use crate::A; }"],
            [
                "use crate::B;",
                "use crate::C;",
                "// use crate::A;\nconst X: &str = \"use crate::A;\"; /* crate::A */",
            ],
            ["use crate::B;", "use crate::C;", "#[cfg(test)]\nimpl C { fn f<X, Y>() { crate::a::g() } }"],
            ["use crate::B;", "use other::C;", "use crate::A;"],
        ] {
            let circles = found(&[lib, ("a.rs", a), ("b.rs", b), ("c.rs", c)]);
            assert!(circles.is_empty(), "{a} {b} {c}: {circles:?}");
        }
        let children = [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; mod c; use b::B;"),
            ("a/b.rs", "use super::c::C;"),
            ("a/c.rs", "use crate::a::A;"),
        ];
        assert!(found(&children).is_empty());
        assert_eq!(module_of(Path::new("tail/tests/cases.rs")), None);
        assert_eq!(module_of(Path::new("tail/tests.rs")), None);
    }
}
