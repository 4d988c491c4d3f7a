//! Distances of vectors: of 32-bit floats, with sums of 64 bits, four elements at a time.

use pdb_model::{DistanceFunction, Vector};
use wide::f64x4;

/// Elements in a step, and bytes that they take.
const STEP: usize = 8;
const STEP_BYTES: usize = 4 * STEP;

/// A vector that others are compared with.
pub(crate) struct Target {
    elements: Vec<f32>,
    function: DistanceFunction,
    /// The sum of its squares.
    square: f64,
}

impl Target {
    pub(crate) fn new(function: DistanceFunction, vector: &Vector) -> Self {
        let target = Self { elements: vector.floats().collect(), function, square: 0.0 };
        // In the order of `rank`, so that an equal vector has the same sum, to the last bit.
        let [square] = target.sums(vector.as_bytes(), |_, element, [square]| [element * element + square]);
        Self { square, ..target }
    }

    /// Returns a number that is lower the nearer a packed vector is. It has as many elements as the target.
    pub(crate) fn rank(&self, packed: &[u8]) -> f64 {
        match self.function {
            DistanceFunction::Cosine => {
                let [product, square] = self.sums(packed, |target, other, [product, square]| {
                    [target * other + product, other * other + square]
                });
                let squares = self.square * square;
                // A vector without a direction is as far from all others as one at a right angle.
                if squares == 0.0 { 1.0 } else { (1.0 - product / squares.sqrt()).clamp(0.0, 2.0) }
            }
            DistanceFunction::DotProduct => {
                let [product] = self.sums(packed, |target, other, [product]| [target * other + product]);
                // Not `-product`, which may be a negative zero.
                0.0 - product
            }
            DistanceFunction::Euclidean => {
                let [square] = self.sums(packed, |target, other, [square]| {
                    let difference = target - other;
                    [difference * difference + square]
                });
                square
            }
        }
    }

    /// Returns the score that a search shows for a rank: in the range of 32-bit floats.
    pub(crate) fn score(&self, rank: f64) -> f64 {
        let score = match self.function {
            DistanceFunction::Cosine => rank,
            // As above.
            DistanceFunction::DotProduct => 0.0 - rank,
            DistanceFunction::Euclidean => rank.sqrt(),
        };
        score.clamp(f32::MIN.into(), f32::MAX.into())
    }

    /// Adds up over all elements.
    fn sums<const N: usize>(
        &self,
        packed: &[u8],
        add: impl Fn(f64x4, f64x4, [f64x4; N]) -> [f64x4; N],
    ) -> [f64; N] {
        let mut sums = [[f64x4::ZERO; N]; 2];
        let mut add_step = |target: &[f32; STEP], other: &[u8; STEP_BYTES]| {
            for (half, sums) in sums.iter_mut().enumerate() {
                let at = [0, 1, 2, 3].map(|at| 4 * half + at);
                let target = f64x4::from(at.map(|at| f64::from(target[at])));
                let other = f64x4::from(at.map(|at| f64::from(float(other, at))));
                *sums = add(target, other, *sums);
            }
        };
        let (steps, rest) = self.elements.as_chunks();
        let (packed_steps, packed_rest) = packed.as_chunks();
        steps.iter().zip(packed_steps).for_each(|(target, other)| add_step(target, other));
        // Zeros behind the last elements add nothing.
        let (mut target, mut other) = ([0.0; STEP], [0; STEP_BYTES]);
        target[..rest.len()].copy_from_slice(rest);
        let length = packed_rest.len().min(4 * rest.len());
        other[..length].copy_from_slice(&packed_rest[..length]);
        add_step(&target, &other);
        let [low, high] = sums;
        std::array::from_fn(|at| (low[at] + high[at]).reduce_add())
    }
}

/// Returns an element of a step.
fn float(step: &[u8; STEP_BYTES], at: usize) -> f32 {
    f32::from_le_bytes([step[4 * at], step[4 * at + 1], step[4 * at + 2], step[4 * at + 3]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score(function: DistanceFunction, target: &[f32], other: &[f32]) -> f64 {
        let target = Target::new(function, &packed(target));
        target.score(target.rank(packed(other).as_bytes()))
    }

    fn packed(elements: &[f32]) -> Vector {
        Vector::from_stored(elements.iter().flat_map(|element| element.to_le_bytes()).collect())
    }

    #[test]
    fn scores_are_those_of_the_specification() {
        use DistanceFunction::{Cosine, DotProduct, Euclidean};
        let target = [1.0, 0.0, 0.0];
        for (other, cosine, euclidean, product) in [
            ([1.0, 0.0, 0.0], 0.0, 0.0, 1.0),
            ([0.6, 0.8, 0.0], 0.4, 0.8_f64.sqrt(), 0.6),
            ([0.0, 1.0, 0.0], 1.0, 2_f64.sqrt(), 0.0),
            ([-1.0, 0.0, 0.0], 2.0, 2.0, -1.0),
        ] {
            for (function, expected) in [(Cosine, cosine), (Euclidean, euclidean), (DotProduct, product)] {
                let score = score(function, &target, &other);
                assert!((score - expected).abs() < 1e-7, "{function} of {other:?}: {score}");
            }
        }
        assert_eq!(score(Cosine, &[0.0, 0.0], &[1.0, 2.0]), 1.0);
        assert_eq!(score(Cosine, &[1.0, 2.0], &[0.0, 0.0]), 1.0);
        assert_eq!(score(Cosine, &[1e-23, 0.0], &[1e-23, 0.0]), 0.0);
        assert_eq!(score(Euclidean, &[f32::MAX, 0.0], &[f32::MIN, 0.0]), 3.402_823_466_385_288_6e38);
        assert_eq!(score(DotProduct, &[f32::MAX, f32::MAX], &[f32::MIN, f32::MAX]), 0.0);
        assert!(score(DotProduct, &[0.0], &[1.0]).is_sign_positive());
    }

    proptest! {
        #[test]
        fn a_vector_is_where_it_is(elements in prop::collection::vec(-9.0_f32..9.0, 1..1600)) {
            for function in [DistanceFunction::Cosine, DistanceFunction::Euclidean] {
                prop_assert_eq!(score(function, &elements, &elements), 0.0, "{}", function);
            }
        }

        #[test]
        fn sums_of_any_length_are_those_of_a_plain_loop(
            pairs in prop::collection::vec((-9.0_f32..9.0, -9.0_f32..9.0), 1..40),
        ) {
            let (target, other): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
            let sum = |of: &dyn Fn(f64, f64) -> f64| {
                pairs.iter().map(|(a, b)| of(f64::from(*a), f64::from(*b))).sum::<f64>()
            };
            let product = sum(&|a, b| a * b);
            let cosine = 1.0 - product / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
            let euclidean = sum(&|a, b| (a - b) * (a - b)).sqrt();
            for (function, expected) in [
                (DistanceFunction::DotProduct, product),
                (DistanceFunction::Cosine, cosine),
                (DistanceFunction::Euclidean, euclidean),
            ] {
                let score = score(function, &target, &other);
                prop_assert!((score - expected).abs() < 1e-9 || expected.is_nan(), "{function}: {score}, {expected}");
            }
        }
    }
}
