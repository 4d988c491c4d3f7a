//! Two encodings of numbers as bytes: one for stored keys, and DynamoDB's own, which it hashes.

use super::{MIN_MAGNITUDE, Number, digit_count};

/// The most digits that a number has in base 100: 38 decimal digits make 20 pairs if the first and the last digit are alone in theirs.
const MAX_PAIRS: usize = 20;

/// The digits of a number in base 100, the last one first.
struct Pairs {
    digits: [u8; MAX_PAIRS],
    count: usize,
}

impl Pairs {
    /// Splits `coefficient` into digits, or ten times `coefficient` with `is_shifted`, which may be larger than a `u128`.
    fn of(coefficient: u128, is_shifted: bool) -> Self {
        let mut pairs = Self { digits: [0; MAX_PAIRS], count: 0 };
        let mut rest = coefficient;
        if is_shifted {
            pairs.push((rest % 10) as u8 * 10);
            rest /= 10;
        }
        // 128-bit divisions take many times as long, and few numbers need them.
        let mut low = loop {
            match u64::try_from(rest) {
                Ok(low) => break low,
                Err(_) => {
                    pairs.push((rest % 100) as u8);
                    rest /= 100;
                }
            }
        };
        while low > 0 {
            pairs.push((low % 100) as u8);
            low /= 100;
        }
        pairs
    }

    fn push(&mut self, digit: u8) {
        self.digits[self.count] = digit;
        self.count += 1;
    }

    /// Returns the digits, most significant first.
    fn digits(&self) -> impl Iterator<Item = u8> {
        self.digits[..self.count].iter().rev().copied()
    }
}

impl Number {
    /// Appends bytes whose unsigned order is the numeric order. The bytes of a number are never a prefix of another number's.
    ///
    /// The format is: a byte for the sign, the exponent, digits of base 100 plus 1, and a terminator. All but the sign are inverted if the number is negative.
    pub fn write_key_bytes(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(1);
            return;
        }
        out.push(if self.negative { 0 } else { 2 });
        let flip = if self.negative { 0xff } else { 0 };
        let count = digit_count(self.coefficient());
        let magnitude = i64::from(self.exponent) + i64::from(count) - 1;
        let biased = u8::try_from(magnitude - MIN_MAGNITUDE).expect("a number's magnitude is in range");
        out.push(biased ^ flip);
        let pairs = Pairs::of(self.coefficient(), count % 2 == 1);
        out.extend(pairs.digits().map(|digit| (digit + 1) ^ flip));
        out.push(flip);
    }

    /// Decodes the number at the start of `bytes` that [`write_key_bytes`](Self::write_key_bytes) has written. Returns it with the bytes that
    /// follow.
    ///
    /// Returns `None` if `bytes` do not start with a number.
    #[must_use]
    pub fn from_key_bytes(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&sign, rest) = bytes.split_first()?;
        let flip = match sign {
            1 => return Some((Self::ZERO, rest)),
            0 => 0xff,
            2 => 0,
            _ => return None,
        };
        let (&biased, rest) = rest.split_first()?;
        let count = rest.iter().take(MAX_PAIRS).position(|&byte| byte == flip)?;
        let (pairs, rest) = (&rest[..count], &rest[count + 1..]);
        let mut coefficient: u128 = 0;
        for pair in pairs {
            let digit = u128::from(pair ^ flip).checked_sub(1).filter(|digit| *digit < 100)?;
            coefficient = coefficient.checked_mul(100)?.checked_add(digit)?;
        }
        let exponent = i64::from(biased ^ flip) + MIN_MAGNITUDE - (2 * i64::try_from(count).ok()? - 1);
        let number = Self::normalised(sign == 0, coefficient, exponent).ok()?;
        (!number.is_zero()).then_some((number, rest))
    }

    /// Calls `take` with the bytes that DynamoDB hashes for a number in a partition key.
    ///
    /// They are those of Oracle's `NUMBER`: an exponent of base 100, then digits of base 100, aligned at the decimal point. Their order is
    /// the numeric order, but the bytes of some numbers are a prefix of another number's, so keys are not stored in this encoding.
    pub(crate) fn with_hashed_bytes(&self, take: impl FnOnce(&[u8])) {
        if self.is_zero() {
            return take(&[0x80]);
        }
        let pairs = Pairs::of(self.coefficient(), self.exponent % 2 != 0);
        // 0.d1 d2 d3 ... * 100^e, with the digits of base 100 d1, d2, d3 ...: `e` is between -64 and 63.
        let e = self.exponent.div_euclid(2) + pairs.count as i16;
        let first = (0xc0 + e) as u8;
        let mut bytes = [0; MAX_PAIRS + 2];
        bytes[0] = if self.negative { !first } else { first };
        for (byte, digit) in bytes[1..].iter_mut().zip(pairs.digits()) {
            *byte = if self.negative { 101 - digit } else { digit + 1 };
        }
        let mut length = 1 + pairs.count;
        if self.negative && pairs.count < MAX_PAIRS {
            bytes[length] = 102;
            length += 1;
        }
        take(&bytes[..length]);
    }
}

#[cfg(test)]
mod tests;
