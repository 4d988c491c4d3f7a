use proptest::prelude::*;

use super::*;

#[test]
fn plain_names_stay_readable() {
    assert_eq!(item_table("orders"), "pdb_item_orders");
    assert_eq!(record_table("order_lines2"), "pdb_stream_order_lines2");
    assert_eq!(index_table("orders", "by_customer"), "pdb_index_orders_by_customer");
    assert_eq!(vector_table("orders", "by_meaning"), "pdb_vector_orders_by_meaning");
}

#[test]
fn what_sql_would_confuse_is_told_apart() {
    let names = ["Orders", "orders", "ORDERS", "or-ders", "or.ders", "or_ders"].map(item_table);
    for (i, a) in names.iter().enumerate() {
        for b in &names[i + 1..] {
            assert_ne!(a.to_ascii_lowercase(), b.to_ascii_lowercase());
        }
    }
    assert_ne!(index_table("a_b", "c"), index_table("a", "b_c"));
    let disguised = item_table("Orders").trim_start_matches("pdb_item_").to_owned();
    assert_ne!(item_table(&disguised), item_table("Orders"));
}

#[test]
fn quotes_cannot_be_escaped_from() {
    assert_eq!(quoted("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
}

/// Few letters, so that near misses are common.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["[abA_.\\-]{1,6}", "[a-z_]{40,60}", "[a-zA-Z0-9_.-]{3,255}"]
}

proptest! {
    #[test]
    fn distinct_names_stay_distinct(a in any_name(), b in any_name(), i in any_name(), j in any_name()) {
        for table in [item_table, record_table, history_table, expiry_index] {
            let (x, y) = (table(&a), table(&b));
            prop_assert!(x.len() <= MAX_NAME && x.is_ascii());
            prop_assert_eq!(x.eq_ignore_ascii_case(&y), a == b);
        }
        let (x, y) = (index_table(&a, &i), index_table(&b, &j));
        prop_assert!(x.len() <= MAX_NAME && x.is_ascii());
        prop_assert_eq!(x.eq_ignore_ascii_case(&y), (a, i) == (b, j));
    }
}
