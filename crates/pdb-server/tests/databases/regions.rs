//! Databases of two regions beside each other.

use pdb_testkit::Schema;
use pretender::Pretender;
use pretender::items::{PutItemInput, ScanInput};
use pretender::model::{Item, ScalarType};
use pretender::tables::CreateTableInput;

use crate::home::Home;

/// Creates `Orders` with one item whose key names the region.
fn fill(db: &Pretender) {
    let table = "Orders".parse().unwrap();
    db.create_table(CreateTableInput::new(table, ("pk", ScalarType::S), None)).unwrap();
    let item = Item::new().with("pk", db.account().region.as_str());
    db.put_item(PutItemInput::new("Orders".parse().unwrap(), item)).unwrap();
}

fn check(home: &Home) {
    let builder = home.builder().region("eu-west-1");
    let open = |region: &str| builder.clone().in_region(region).open().unwrap();
    let (here, west) = (open("eu-west-1"), open("us-west-2"));
    assert_eq!(west.account().region, "us-west-2");
    fill(&here);
    assert!(west.list_tables(&Default::default()).unwrap().table_names.is_empty());
    fill(&west);
    here.close();
    west.close();
    // Each is found where it was.
    for region in ["eu-west-1", "us-west-2"] {
        let db = open(region);
        let scanned = db.scan(ScanInput::new("Orders".parse().unwrap())).unwrap();
        let items: Vec<_> = scanned.items.iter().map(|item| item.json().to_owned()).collect();
        assert_eq!(items, [format!(r#"{{"pk":{{"S":"{region}"}}}}"#)]);
        db.close();
    }
}

#[test]
fn a_file_has_its_regions_beside_it() {
    check(&Home::file());
}

#[test]
fn a_server_has_a_schema_for_each_region() {
    let Some(schema) = Schema::new() else { return };
    let home = Home::Postgres(schema);
    check(&home);
    let Home::Postgres(schema) = &home else { return };
    let name = schema.sql("SELECT current_schema()");
    schema.sql(&format!("DROP SCHEMA {}_us_west_2 CASCADE", name.trim()));
}
