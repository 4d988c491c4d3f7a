//! Aligning two lists, so that matching elements stand beside each other.

/// The positions of two matching elements, or the position of an element of one list that matches none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// Elements of both lists that match.
    Matching(usize, usize),
    /// Only in the first list.
    First(usize),
    /// Only in the second list.
    Second(usize),
}

/// The most cells of the table below, which has the product of both lengths. Longer lists are compared position by position.
const MAX_CELLS: usize = 4_000_000;

/// Aligns two lists of these lengths, so that as many elements as possible stand beside a matching one, in order.
pub(crate) fn align(first: usize, second: usize, matches: impl Fn(usize, usize) -> bool) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(first.max(second));
    let (mut i, mut j) = (0, 0);
    while i < first && j < second && matches(i, j) {
        pairs.push(Pair::Matching(i, j));
        (i, j) = (i + 1, j + 1);
    }
    let (rows, columns) = (first - i, second - j);
    if rows.saturating_mul(columns) > MAX_CELLS {
        for (at, row) in (i..first).enumerate() {
            match j + at {
                column if column < second && matches(row, column) => pairs.push(Pair::Matching(row, column)),
                column if column < second => pairs.extend([Pair::First(row), Pair::Second(column)]),
                _ => pairs.push(Pair::First(row)),
            }
        }
        pairs.extend((j + rows..second).map(Pair::Second));
        return pairs;
    }
    // For each pair of positions, the length of the longest common subsequence of what follows.
    let mut most = vec![vec![0_u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            most[row][column] = if matches(i + row, j + column) {
                most[row + 1][column + 1] + 1
            } else {
                most[row + 1][column].max(most[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if matches(i + row, j + column) {
            pairs.push(Pair::Matching(i + row, j + column));
            (row, column) = (row + 1, column + 1);
        } else if most[row + 1][column] >= most[row][column + 1] {
            pairs.push(Pair::First(i + row));
            row += 1;
        } else {
            pairs.push(Pair::Second(j + column));
            column += 1;
        }
    }
    pairs.extend((row..rows).map(|row| Pair::First(i + row)));
    pairs.extend((column..columns).map(|column| Pair::Second(j + column)));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(first: &str, second: &str) -> String {
        let (first, second): (Vec<_>, Vec<_>) = (first.chars().collect(), second.chars().collect());
        let pairs = align(first.len(), second.len(), |i, j| first[i] == second[j]);
        let shown = pairs.iter().map(|pair| match *pair {
            Pair::Matching(i, _) => format!("={}", first[i]),
            Pair::First(i) => format!("-{}", first[i]),
            Pair::Second(j) => format!("+{}", second[j]),
        });
        shown.collect()
    }

    #[test]
    fn matching_elements_stand_beside_each_other() {
        for (first, second, expected) in [
            ("", "", ""),
            ("abc", "abc", "=a=b=c"),
            ("abc", "ac", "=a-b=c"),
            ("ac", "abc", "=a+b=c"),
            ("ab", "", "-a-b"),
            ("", "ab", "+a+b"),
            ("abc", "axc", "=a-b+x=c"),
            ("ab", "ba", "-a=b+a"),
        ] {
            assert_eq!(show(first, second), expected, "{first} {second}");
        }
    }

    proptest! {
        /// Everything is shown once, in order, whichever way it is computed.
        #[test]
        fn nothing_is_lost(first in "[ab]{0,12}", second in "[ab]{0,12}") {
            let shown = show(&first, &second);
            let of = |signs: &str| -> String {
                let chars: Vec<_> = shown.chars().collect();
                chars.chunks(2).filter(|pair| signs.contains(pair[0])).map(|pair| pair[1]).collect()
            };
            prop_assert_eq!(of("=-"), first);
            prop_assert_eq!(of("=+"), second);
        }
    }
}
