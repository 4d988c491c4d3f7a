//! An ordered map whose copies share what they have in common.
//!
//! A definition changes a copy of the catalog, so that readers keep the one they began with. With ten thousand tables a copy of
//! a `BTreeMap` takes milliseconds; here it takes the pointers of some hundred chunks, and the change copies one chunk.

use std::{borrow::Borrow, sync::Arc};

/// The most entries of a chunk. A full one is halved.
const MOST: usize = 128;

/// An ordered map, cheap to clone: a clone shares all chunks, and a change copies the one it touches.
#[derive(Clone, Debug)]
pub(crate) struct SharedMap<K, V> {
    /// In order, none of them empty.
    chunks: Vec<Arc<Vec<(K, V)>>>,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let at = chunk.binary_search_by(|(known, _)| known.borrow().cmp(key)).ok()?;
        Some(&chunk[at].1)
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// All values, in the order of their keys.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(_, value)| value))
    }

    /// All entries from the first key on that is not `before`, which holds for a beginning of the keys.
    pub(crate) fn starting_at(&self, before: impl Fn(&K) -> bool) -> impl Iterator<Item = (&K, &V)> {
        let chunk = self.chunks.partition_point(|chunk| before(&chunk[0].0)).saturating_sub(1);
        let rest = &self.chunks[chunk..];
        let at = rest.first().map_or(0, |first| first.partition_point(|(key, _)| before(key)));
        rest.iter().flat_map(|chunk| chunk.iter()).skip(at).map(|(key, value)| (key, value))
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let at = self.chunk_of(&key);
        let Some(shared) = self.chunks.get_mut(at) else {
            self.chunks.push(Arc::new(vec![(key, value)]));
            return;
        };
        let chunk = Arc::make_mut(shared);
        match chunk.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(known) => chunk[known].1 = value,
            Err(place) => chunk.insert(place, (key, value)),
        }
        if chunk.len() > MOST {
            let upper = chunk.split_off(MOST / 2);
            self.chunks.insert(at + 1, Arc::new(upper));
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let at = self.chunk_of(key);
        let Some(shared) = self.chunks.get_mut(at) else { return };
        let Ok(known) = shared.binary_search_by(|(known, _)| known.borrow().cmp(key)) else { return };
        let chunk = Arc::make_mut(shared);
        chunk.remove(known);
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
    }

    /// The chunk that has this key, or would have it: the last one that does not begin behind it.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        self.chunks.partition_point(|chunk| chunk[0].0.borrow() <= key).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It is an ordered map, and a clone does not change with the original.
        #[test]
        fn it_is_an_ordered_map(changes in prop::collection::vec((0_u32..600, prop::option::weighted(0.7, 0..9)), 0..900)) {
            let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
            let half = changes.len() / 2;
            let mut kept = None;
            for (n, (key, value)) in changes.iter().enumerate() {
                if n == half {
                    kept = Some((map.clone(), model.clone()));
                }
                match value {
                    Some(value) => {
                        map.insert(*key, *value);
                        model.insert(*key, *value);
                    }
                    None => {
                        map.remove(key);
                        model.remove(key);
                    }
                }
            }
            for (map, model) in kept.into_iter().chain([(map, model)]) {
                prop_assert!(map.values().eq(model.values()));
                for key in (0..600).step_by(7) {
                    prop_assert_eq!(map.get(&key), model.get(&key));
                    prop_assert!(map.starting_at(|known| *known < key).eq(model.range(key..)));
                }
                prop_assert!(map.chunks.iter().all(|chunk| (1..=MOST).contains(&chunk.len())));
            }
        }
    }
}
