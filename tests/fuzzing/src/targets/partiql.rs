//! PartiQL statements: parsing them, and what they say of a table.

use pdb_expr::partiql::Source as TableSource;
use pdb_expr::partiql::{Statement, access, has_other_conditions, primary_key};
use pdb_model::{KeyAttribute, KeySchema, ScalarType};

use crate::grammar::{self, PARTIQL_WORDS};
use crate::{Source, values};

/// How much longer than its statement a message may be.
const MAX_MESSAGE: usize = 4_096;

pub(crate) fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let kind = source.below(4);
    let parameters = source.up_to(3, |source| values::value(source, 1));
    let text = match kind {
        0 | 1 => grammar::statement(&mut source),
        2 => values::words(&mut source, &PARTIQL_WORDS, 24),
        _ => String::from_utf8_lossy(source.rest()).into_owned(),
    };
    let named = TableSource::named_in(&text);
    let parsed = Statement::parse(&text, &parameters);
    assert_eq!(Statement::parse(&text, &parameters), parsed, "{text:?}");
    let statement = match parsed {
        Ok(statement) => statement,
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= text.len() + MAX_MESSAGE, "{} bytes about {text:?}", message.len());
            return;
        }
    };
    assert_eq!(named.as_ref(), Some(statement.source()), "{text:?}");
    let attribute = |name: &str, scalar_type| KeyAttribute { name: name.to_owned(), scalar_type };
    for schema in [
        KeySchema::simple(attribute("pk", ScalarType::S), None),
        KeySchema::simple(attribute("pk", ScalarType::S), Some(attribute("sk", ScalarType::N))),
    ] {
        let found = access(statement.condition(), &schema);
        assert_eq!(access(statement.condition(), &schema), found, "{text:?}");
        let _: bool = has_other_conditions(statement.condition(), &schema);
        if let Some(key) = primary_key(statement.condition(), &schema) {
            assert_eq!(key.len(), schema.len(), "the key of {text:?}");
        }
    }
    if let Statement::Select(select) = &statement {
        let item = values::item(&mut Source::new(input));
        let projected = select.project(&item);
        assert!(select.projection.is_some() || projected == item, "{text:?}");
    }
}
