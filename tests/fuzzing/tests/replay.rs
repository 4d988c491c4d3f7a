//! Repeats the inputs in `fuzz/corpus`: those that reach code which no other input reaches, and all that once made a target fail.

use std::fs;
use std::path::Path;

use fuzzing::Target;

#[test]
fn no_input_that_was_kept_makes_its_target_fail() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut failures = Vec::new();
    for target in Target::ALL {
        let folder = corpus.join(target.name());
        let inputs = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = inputs.map(|input| input.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{} has no inputs", folder.display());
        for path in paths {
            let input = fs::read(&path).unwrap();
            if std::panic::catch_unwind(|| target.run(&input)).is_err() {
                failures.push(path.display().to_string());
            }
        }
    }
    assert!(failures.is_empty(), "these inputs make their targets fail:\n{}", failures.join("\n"));
}
