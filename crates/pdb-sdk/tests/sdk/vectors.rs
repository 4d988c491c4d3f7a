//! Vector search.

use aws_sdk_dynamodb::types::{
    AttributeValue, CreateVectorIndexAction, Projection, ProjectionType, VectorAttributeDefinition,
    VectorDistanceFunction, VectorIndexUpdate,
};

use crate::harness::Db;

fn vector(elements: &[&str]) -> Vec<AttributeValue> {
    elements.iter().map(|element| AttributeValue::N((*element).to_owned())).collect()
}

#[tokio::test]
async fn an_index_is_added_and_searched() {
    let db = Db::in_memory();
    db.create_orders().await;
    let create = CreateVectorIndexAction::builder()
        .index_name("by-meaning")
        .vector_attribute(VectorAttributeDefinition::builder().attribute_name("embedding").build().unwrap())
        .dimensions(2)
        .distance_function(VectorDistanceFunction::Euclidean)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    let update = VectorIndexUpdate::builder().create(create).build();
    db.items.update_table().table_name("orders").vector_index_updates(update).send().await.unwrap();
    for (sk, elements) in [("near", ["1", "1"]), ("far", ["4", "5"])] {
        let put = db.items.put_item().table_name("orders").item("pk", AttributeValue::S("o1".to_owned()));
        let put = put.item("sk", AttributeValue::S(sk.to_owned()));
        put.item("embedding", AttributeValue::L(vector(&elements))).send().await.unwrap();
    }
    let search = db.items.search_vectors().table_name("orders").index_name("by-meaning").top_k(5);
    let search = search.set_search_vector(Some(vector(&["1", "1"])));
    let found = search.clone().send().await.unwrap();
    let found: Vec<_> = found
        .search_results()
        .iter()
        .map(|found| (found.item().unwrap()["sk"].as_s().unwrap().as_str(), found.score()))
        .collect();
    assert_eq!(found, [("near", 0.0), ("far", 5.0)]);
    let refused =
        search.set_search_vector(Some(vector(&["1"]))).send().await.unwrap_err().into_service_error();
    let text = "Input search vector dimension 1 does not match vector index dimension 2";
    assert_eq!(refused.meta().message(), Some(text));
}
