//! The targets on inputs that proptest makes up, which reach the same generators as those of a fuzzer.

use fuzzing::Target;
use proptest::prelude::*;

/// Runs a target on random inputs.
fn check(target: Target, cases: u32) {
    let config = ProptestConfig {
        cases: pdb_testkit::rounds(cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let inputs = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..200),
        1 => prop::collection::vec(any::<u8>(), 0..2_000),
        1 => "\\PC{0,200}".prop_map(String::into_bytes),
    ];
    let result = runner.run(&inputs, |input| {
        target.run(&input);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{}: {failure}", target.name()));
}

/// Makes a test of each target: they are reported, and can be run, one by one.
macro_rules! targets {
    ($($name:ident: $target:ident, $cases:literal;)*) => {
        $(#[test]
        fn $name() {
            check(Target::$target, $cases);
        })*
    };
}

targets! {
    console: Console, 30;
    exchange_files: ExchangeFile, 1_000;
    expressions: Expression, 2_000;
    http: Http, 60;
    iterators: Iterator, 2_000;
    numbers: Number, 2_000;
    operations: Operation, 40;
    partiql: Partiql, 2_000;
    patterns: Pattern, 1_000;
    seed_files: SeedFile, 30;
    snapshot_files: SnapshotFile, 20;
    stream_files: StreamFile, 30;
    values: Value, 2_000;
}
