//! Random histories: a search finds what a plain model of the table has, and the database fits together.

use std::collections::BTreeMap;

use pretender::items::{DeleteItemInput, SearchVectorsInput, UpdateItemInput};
use pretender::model::{AttributeValue, Item};
use pretender::tables::{
    DistanceFunction, ProjectionInput, ProjectionType, UpdateTableInput, VectorIndexInput, VectorIndexUpdate,
};
use proptest::prelude::*;

use super::way::{TABLE, Way, change, index, search, search_if, table, with_schema};
use crate::driver::World;

type Vector = [i8; 3];

/// What an attribute with a vector has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Content {
    Vector(Vector),
    /// No vector, which only an attribute without an index may have.
    Text,
}

/// An item of the model. `second` is the vector of the index that comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Entry {
    first: Option<Vector>,
    second: Option<Content>,
    tenant: Option<u8>,
    category: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Put(Entry),
    Delete,
    /// Sets or removes one attribute.
    First(Option<Vector>),
    Second(Option<Content>),
    Tenant(Option<u8>),
    Category(Option<u8>),
}

fn any_vector() -> impl Strategy<Value = Vector> {
    prop::array::uniform3(-3..4_i8)
}

fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![4 => any_vector().prop_map(Content::Vector), 1 => Just(Content::Text)]
}

fn any_step() -> impl Strategy<Value = (u8, Step)> {
    let first = || prop::option::weighted(0.8, any_vector());
    let second = || prop::option::weighted(0.8, any_content());
    let number = || prop::option::weighted(0.8, 0..2_u8);
    let entry = (first(), second(), number(), number()).prop_map(|(first, second, tenant, category)| Entry {
        first,
        second,
        tenant,
        category,
    });
    let step = prop_oneof![
        5 => entry.prop_map(Step::Put),
        1 => Just(Step::Delete),
        1 => first().prop_map(Step::First),
        1 => second().prop_map(Step::Second),
        1 => number().prop_map(Step::Tenant),
        1 => number().prop_map(Step::Category),
    ];
    (0..12_u8, step)
}

fn list(vector: Vector) -> AttributeValue {
    AttributeValue::L(vector.into_iter().map(|element| i64::from(element).into()).collect())
}

fn content(content: Content) -> AttributeValue {
    match content {
        Content::Vector(vector) => list(vector),
        Content::Text => "no vector".into(),
    }
}

fn item(key: Item, entry: Entry) -> Item {
    let attributes = [
        ("embedding", entry.first.map(list)),
        ("picture", entry.second.map(content)),
        ("tenant", entry.tenant.map(|tenant| tenant.to_string().into())),
        ("category", entry.category.map(|category| category.to_string().into())),
        ("note", Some("x".into())),
    ];
    attributes.into_iter().fold(key, |item, (name, value)| match value {
        Some(value) => item.with(name, value),
        None => item,
    })
}

/// Carries a step out; returns whether it was accepted.
fn apply(world: &World, way: &Way, pk: u8, step: Step) -> bool {
    let key = Item::new().with("pk", format!("{pk:02}"));
    let update = |attribute: &str, value: Option<AttributeValue>| {
        let expression =
            if value.is_some() { format!("SET {attribute} = :v") } else { format!("REMOVE {attribute}") };
        let result = world.db.update_item(UpdateItemInput {
            update_expression: Some(expression),
            expression_attribute_values: value.map(|value| (":v".to_owned(), value)).into_iter().collect(),
            ..UpdateItemInput::new(TABLE.parse().unwrap(), key.clone())
        });
        result.is_ok()
    };
    match step {
        Step::Put(entry) => way.put(item(key, entry)).is_ok(),
        Step::Delete => world.db.delete_item(DeleteItemInput::new(TABLE.parse().unwrap(), key)).is_ok(),
        Step::First(vector) => update("embedding", vector.map(list)),
        Step::Second(value) => update("picture", value.map(content)),
        Step::Tenant(tenant) => update("tenant", tenant.map(|tenant| tenant.to_string().into())),
        Step::Category(category) => update("category", category.map(|category| category.to_string().into())),
    }
}

/// Does the same to the model, unless the step is to be refused. Returns whether it is accepted.
fn expect(model: &mut BTreeMap<u8, Entry>, pk: u8, step: Step, is_late: bool) -> bool {
    let bad = Some(Content::Text);
    let is_refused = match step {
        Step::Put(entry) => entry.second == bad,
        Step::Second(value) => value == bad,
        _ => false,
    };
    if is_late && is_refused {
        return false;
    }
    match step {
        Step::Put(entry) => {
            model.insert(pk, entry);
        }
        Step::Delete => {
            model.remove(&pk);
        }
        Step::First(vector) => model.entry(pk).or_default().first = vector,
        Step::Second(value) => model.entry(pk).or_default().second = value,
        Step::Tenant(tenant) => model.entry(pk).or_default().tenant = tenant,
        Step::Category(category) => model.entry(pk).or_default().category = category,
    }
    true
}

/// What a search must find in the model: the keys of the nearest, by distance and key.
fn nearest(
    model: &BTreeMap<u8, Entry>,
    target: Vector,
    vector: impl Fn(&Entry) -> Option<Vector>,
) -> Vec<(String, i64)> {
    let mut found: Vec<(i64, String)> = model
        .iter()
        .filter_map(|(pk, entry)| {
            let square = |(a, b): (i8, &i8)| (i64::from(a) - i64::from(*b)).pow(2);
            let distance = vector(entry)?.into_iter().zip(&target).map(square).sum();
            Some((distance, format!("{pk:02}")))
        })
        .collect();
    found.sort();
    found.into_iter().take(5).map(|(square, key)| (key, square)).collect()
}

fn found(way: &Way, input: SearchVectorsInput) -> Vec<(String, i64)> {
    let found = way.search(input).unwrap();
    found.into_iter().map(|(key, score)| (key, (score * score).round() as i64)).collect()
}

fn straight(index: VectorIndexInput, projection: ProjectionInput) -> VectorIndexInput {
    VectorIndexInput { distance_function: DistanceFunction::Euclidean, projection, ..index }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(48)))]

    #[test]
    fn searches_find_what_the_table_has(
        steps in prop::collection::vec(any_step(), 1..60),
        late in 0..60_usize,
        target in any_vector(),
    ) {
        let world = World::new();
        let way = Way::Library(world.db.clone());
        let by_tenant = straight(with_schema(), ProjectionInput::of(ProjectionType::KeysOnly));
        way.create(table(&["tenant", "category"], vec![by_tenant])).unwrap();
        let mut model = BTreeMap::new();
        for (at, (pk, step)) in steps.iter().enumerate() {
            if at == late {
                let second = VectorIndexInput {
                    vector_attribute: "picture".to_owned(),
                    ..straight(index("late", DistanceFunction::Euclidean), ProjectionInput::include(["note"]))
                };
                let create = VectorIndexUpdate::create(second);
                way.update(UpdateTableInput { vector_index_updates: Some(vec![create]), ..change() }).unwrap();
            }
            let accepted = apply(&world, &way, *pk, *step);
            prop_assert_eq!(accepted, expect(&mut model, *pk, *step, at >= late), "{:?}", step);
        }
        let target_texts = target.map(|element| element.to_string());
        let target_texts: Vec<&str> = target_texts.iter().map(String::as_str).collect();
        if late < steps.len() {
            let second = |entry: &Entry| match entry.second {
                Some(Content::Vector(vector)) => Some(vector),
                Some(Content::Text) | None => None,
            };
            prop_assert_eq!(found(&way, search("late", &target_texts, 5)), nearest(&model, target, second));
        }
        let of_tenant = |condition: &str, values: &[(&str, &str)]| SearchVectorsInput {
            search_vector: search("schema", &target_texts, 5).search_vector,
            top_k: 5,
            ..search_if(condition, values)
        };
        prop_assert_eq!(
            found(&way, of_tenant("tenant = :t", &[(":t", "1")])),
            nearest(&model, target, |entry| entry.first.filter(|_| entry.tenant == Some(1)))
        );
        let both = |entry: &Entry| (entry.tenant, entry.category) == (Some(0), Some(1));
        prop_assert_eq!(
            found(&way, of_tenant("tenant = :t AND category = :c", &[(":t", "0"), (":c", "1")])),
            nearest(&model, target, |entry| entry.first.filter(|_| both(entry)))
        );
        let report = world.db.check(&mut |event| println!("{event:?}")).unwrap();
        prop_assert_eq!(report.findings, 0);
    }
}
