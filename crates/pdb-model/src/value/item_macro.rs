//! The macro `item!`.

/// Creates an [`Item`](crate::Item) from names and values.
///
/// A value may have any type that converts into an [`AttributeValue`](crate::AttributeValue). Braces contain a map, written like the item
/// itself, and brackets a list.
///
/// # Examples
///
/// ```
/// use pdb_model::{AttributeValue, Number, item};
///
/// let customer = "c7";
/// let order = item! {
///     "pk" => "o1",
///     "customer" => customer,
///     "total" => "10.50".parse::<Number>()?,
///     "lines" => [{ "sku" => "pen", "amount" => 2 }, { "sku" => "ink", "amount" => 1 }],
///     "address" => { "city" => "Bern", "floor" => None::<i32> },
///     "tags" => AttributeValue::string_set(["gift", "new"]),
/// };
/// assert_eq!(
///     order.to_string(),
///     concat!(
///         r#"{"address":{"M":{"city":{"S":"Bern"},"floor":{"NULL":true}}},"customer":{"S":"c7"},"#,
///         r#""lines":{"L":[{"M":{"amount":{"N":"2"},"sku":{"S":"pen"}}},{"M":{"amount":{"N":"1"},"sku":{"S":"ink"}}}]},"#,
///         r#""pk":{"S":"o1"},"tags":{"SS":["gift","new"]},"total":{"N":"10.5"}}"#,
///     )
/// );
/// # Ok::<(), pdb_model::NumberError>(())
/// ```
#[macro_export]
macro_rules! item {
    // Collects attributes in brackets, one after the other. The arms for braces and brackets come before the one for expressions,
    // because Rust would read a map as a block.
    (@item [$($attribute:expr,)*]) => {
        <$crate::Item as ::core::iter::FromIterator<(::std::string::String, $crate::AttributeValue)>>::from_iter([
            $($attribute),*
        ])
    };
    (@item [$($done:expr,)*] $name:expr => { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::item!(@item [$($done,)* ($name.into(), $crate::item! { $($inner)* }.into()),] $($($rest)*)?)
    };
    (@item [$($done:expr,)*] $name:expr => [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::item!(@item [$($done,)* ($name.into(), $crate::item!(@list [] $($inner)*)),] $($($rest)*)?)
    };
    (@item [$($done:expr,)*] $name:expr => $value:expr $(, $($rest:tt)*)?) => {
        $crate::item!(@item [$($done,)* ($name.into(), $crate::AttributeValue::from($value)),] $($($rest)*)?)
    };
    (@list [$($element:expr,)*]) => {
        $crate::AttributeValue::L(::std::vec![$($element),*])
    };
    (@list [$($done:expr,)*] { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::item!(@list [$($done,)* $crate::item! { $($inner)* }.into(),] $($($rest)*)?)
    };
    (@list [$($done:expr,)*] [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::item!(@list [$($done,)* $crate::item!(@list [] $($inner)*),] $($($rest)*)?)
    };
    (@list [$($done:expr,)*] $value:expr $(, $($rest:tt)*)?) => {
        $crate::item!(@list [$($done,)* $crate::AttributeValue::from($value),] $($($rest)*)?)
    };
    ($($attributes:tt)*) => {
        $crate::item!(@item [] $($attributes)*)
    };
}

#[cfg(test)]
mod tests {
    use crate::{AttributeValue, Item};

    #[test]
    fn values_are_expressions_maps_or_lists() {
        let names = ["a".to_owned(), "b".to_owned()];
        let item = item! {
            "nothing" => {},
            "none" => [],
            names[0].clone() => [1].len() + 1,
            names[1].as_str() => [[1, -2,], { "c" => [{}] }, "x"],
            "in braces" => { "d" => if names.is_empty() { 1 } else { 2 } },
        };
        let list: Vec<AttributeValue> =
            vec![[1, -2].into(), item! { "c" => vec![Item::new()] }.into(), "x".into()];
        let expected = Item::new()
            .with("nothing", Item::new())
            .with("none", Vec::<AttributeValue>::new())
            .with("a", 2)
            .with("b", list)
            .with("in braces", Item::new().with("d", 2));
        assert_eq!(item, expected);
        assert_eq!(item! {}, Item::new());
    }
}
