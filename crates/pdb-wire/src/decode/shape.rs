//! Structures of the service model, declared with a macro.

/// Declares structures of the service model: a struct of optional members, and how it is read and printed.
///
/// ```text
/// shape! {
///     /// What GetItem takes.
///     pub(crate) struct GetItemInput<'a> {
///         table_name: Text<'a> = "TableName",
///         key: AttributeMap = "Key",
///         consistent_read: bool = "ConsistentRead",
///     }
/// }
/// ```
///
/// gives `struct GetItemInput<'a> { table_name: Option<Text<'a>>, .. }` with `Default` and [`Decode`](crate::decode::Decode). The name of the
/// struct must be the model's name of the shape: AWS's type errors print it. Leave `<'a>` away when no member borrows.
macro_rules! shape {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? { $($body:tt)* })*) => {
        $($crate::decode::shape!(@one [$(#[$meta])*] [$vis] $name [$($life)?] { $($body)* });)*
    };
    (@one [$($meta:tt)*] [$vis:vis] $name:ident [$life:lifetime]
        { $($(#[$field_meta:meta])* $field:ident: $type:ty = $wire:literal),* $(,)? }) => {
        $($meta)*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name<$life> { $($(#[$field_meta])* pub(crate) $field: Option<$type>),* }
        impl<$life> $crate::decode::Decode<$life> for $name<$life> {
            $crate::decode::shape!(@decode $life $name { $($field: $type = $wire),* });
        }
        impl $crate::decode::Dump for $name<'_> {
            $crate::decode::shape!(@dump $name { $($field = $wire),* });
        }
    };
    (@one [$($meta:tt)*] [$vis:vis] $name:ident []
        { $($(#[$field_meta:meta])* $field:ident: $type:ty = $wire:literal),* $(,)? }) => {
        $($meta)*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name { $($(#[$field_meta])* pub(crate) $field: Option<$type>),* }
        impl<'de> $crate::decode::Decode<'de> for $name {
            $crate::decode::shape!(@decode 'de $name { $($field: $type = $wire),* });
        }
        impl $crate::decode::Dump for $name {
            $crate::decode::shape!(@dump $name { $($field = $wire),* });
        }
    };
    (@decode $life:lifetime $name:ident { $($field:ident: $type:ty = $wire:literal),* }) => {
        fn kind() -> $crate::decode::Kind {
            $crate::decode::Kind::Structure(stringify!($name))
        }

        fn from_map<A: serde::de::MapAccess<$life>>(
            place: $crate::decode::Place<'_>,
            mut members: A,
        ) -> Result<Self, A::Error> {
            let mut shape = Self::default();
            while let Some(name) = members.next_key_seed($crate::decode::NameSeed)? {
                match name.as_ref() {
                    $($wire => {
                        shape.$field = members.next_value_seed($crate::decode::Seed::<$type>::member(place))?;
                    })*
                    _ => $crate::decode::skip_value(&mut members)?,
                }
            }
            Ok(shape)
        }
    };
    (@dump $name:ident { $($field:ident = $wire:literal),* }) => {
        fn dump(&self, out: &mut String) {
            out.push_str(stringify!($name));
            out.push('(');
            let mut separator = "";
            $(
                out.push_str(separator);
                $crate::decode::dump_member($wire, self.$field.as_ref(), out);
                separator = ", ";
            )*
            let _ = separator;
            out.push(')');
        }
    };
}
pub(crate) use shape;
