//! Enums of the service model.

/// An enum whose words a request may name.
pub(crate) trait WireEnum: Copy + 'static {
    /// The words with their meaning, in the order in which AWS prints the set: it is neither the alphabet's nor the model's.
    const WORDS: &'static [(&'static str, Self)];
}

/// Gives a type the words it has on the wire.
macro_rules! wire_enum {
    ($type:ty { $($word:literal => $meaning:expr),* $(,)? }) => {
        impl $crate::constraint::WireEnum for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $meaning)),*];
        }
    };
}
pub(crate) use wire_enum;
