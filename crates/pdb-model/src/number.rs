//! DynamoDB's number: 38 significant decimal digits, exact.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

pub use convert::IntegerError;

/// The largest number of significant digits.
const MAX_DIGITS: u32 = 38;
/// The largest exponent of the first digit: numbers are below 10^126.
const MAX_MAGNITUDE: i64 = 125;
/// The smallest exponent of the first digit: the smallest positive number is 10^-130.
const MIN_MAGNITUDE: i64 = -130;

/// An exact decimal with up to 38 significant digits, between 1E-130 and 9.99…E125 in magnitude, or zero.
///
/// Equal numbers have one representation: `1`, `1.0` and `10E-1` are the same value. `Display` prints AWS's normal form: plain digits, without
/// an exponent, a plus sign or superfluous zeros.
///
/// # Examples
///
/// ```
/// use pdb_model::Number;
///
/// let n: Number = "1.50e2".parse()?;
/// assert_eq!(n.to_string(), "150");
/// # Ok::<(), pdb_model::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Number {
    negative: bool,
    /// Digits without trailing zeros; zero has the coefficient 0, the exponent 0 and no sign.
    coefficient: Coefficient,
    exponent: i16,
}

/// A `u128` in two halves, the high one first. A `u128` is aligned to 16 bytes, which would make each attribute value half as large again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Coefficient([u64; 2]);

impl Coefficient {
    const ZERO: Self = Self([0, 0]);

    const fn new(digits: u128) -> Self {
        Self([(digits >> 64) as u64, digits as u64])
    }
}

/// Why a text is not a number, or why a result cannot be stored. `Display` is AWS's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text does not have the form of a number. AWS appends `: <text>` unless the text is empty.
    #[error("The parameter cannot be converted to a numeric value")]
    NotANumber,
    /// The exponent does not fit in 32 bits. Older hosts of AWS call this not convertible, newer ones overflow or underflow.
    #[error("The parameter cannot be converted to a numeric value")]
    HugeExponent {
        /// Whether the exponent is negative.
        negative: bool,
    },
    /// The magnitude is 10^126 or more.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// The magnitude is smaller than 10^-130, but not zero.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
    /// The number has more than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooManyDigits,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { negative: false, coefficient: Coefficient::ZERO, exponent: 0 };

    /// Returns whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.coefficient == Coefficient::ZERO
    }

    fn coefficient(&self) -> u128 {
        (u128::from(self.coefficient.0[0]) << 64) | u128::from(self.coefficient.0[1])
    }

    /// Returns the sum, exactly.
    ///
    /// # Errors
    ///
    /// [`NumberError::TooManyDigits`] if the exact sum needs more than 38 digits, [`NumberError::Overflow`] or
    /// [`NumberError::Underflow`] if it is out of range.
    pub fn checked_add(&self, other: &Self) -> Result<Self, NumberError> {
        if self.is_zero() {
            return Ok(*other);
        }
        if other.is_zero() {
            return Ok(*self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = u32::from((high.exponent - low.exponent).unsigned_abs());
        // `low` has no trailing zero, so neither has the aligned sum unless both have the same exponent; if the
        // aligned coefficient does not fit, the sum has more than 38 digits.
        let aligned = 10u128
            .checked_pow(shift)
            .and_then(|scale| high.coefficient().checked_mul(scale))
            .ok_or(NumberError::TooManyDigits)?;
        let (negative, coefficient) = if high.negative == low.negative {
            (high.negative, aligned.checked_add(low.coefficient()).ok_or(NumberError::TooManyDigits)?)
        } else if aligned >= low.coefficient() {
            (high.negative, aligned - low.coefficient())
        } else {
            (low.negative, low.coefficient() - aligned)
        };
        Self::normalised(negative, coefficient, i64::from(low.exponent))
    }

    /// Returns the difference, exactly.
    ///
    /// # Errors
    ///
    /// The same as [`Number::checked_add`].
    pub fn checked_sub(&self, other: &Self) -> Result<Self, NumberError> {
        self.checked_add(&other.negated())
    }

    /// Returns the number with the opposite sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { negative: !self.negative && !self.is_zero(), ..*self }
    }

    /// Returns the number rounded towards negative infinity, or `None` if the result does not fit.
    #[must_use]
    pub fn floor_i64(&self) -> Option<i64> {
        let magnitude: i128 = if self.exponent >= 0 {
            let scale = 10u128.checked_pow(u32::from(self.exponent.unsigned_abs()))?;
            i128::try_from(self.coefficient().checked_mul(scale)?).ok()?
        } else {
            let Some(scale) = 10u128.checked_pow(u32::from(self.exponent.unsigned_abs())) else {
                return Some(if self.negative { -1 } else { 0 });
            };
            let whole = i128::try_from(self.coefficient() / scale).ok()?;
            // A number with a fraction is further from zero than its whole part.
            if self.negative && !self.coefficient().is_multiple_of(scale) { whole + 1 } else { whole }
        };
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// Returns the size that DynamoDB counts for the number, in bytes.
    ///
    /// This is one byte, plus one for each digit in base 100 (aligned at the decimal point), plus one if the number is negative. Zero has one
    /// byte.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        if self.is_zero() {
            return 1;
        }
        let digits = digit_count(self.coefficient()) + u32::from(self.exponent % 2 != 0);
        1 + u64::from(digits.div_ceil(2)) + u64::from(self.negative)
    }

    fn normalised(negative: bool, mut coefficient: u128, mut exponent: i64) -> Result<Self, NumberError> {
        if coefficient == 0 {
            return Ok(Self::ZERO);
        }
        while coefficient.is_multiple_of(10) {
            coefficient /= 10;
            exponent += 1;
        }
        let count = digit_count(coefficient);
        let magnitude = exponent + i64::from(count) - 1;
        if magnitude > MAX_MAGNITUDE {
            return Err(NumberError::Overflow);
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(NumberError::Underflow);
        }
        if count > MAX_DIGITS {
            return Err(NumberError::TooManyDigits);
        }
        let exponent = i16::try_from(exponent).expect("an exponent within the magnitude limits fits");
        Ok(Self { negative, coefficient: Coefficient::new(coefficient), exponent })
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let bytes = text.as_bytes();
        let mut at = 0;
        let negative = match bytes.first() {
            Some(b'-') => {
                at = 1;
                true
            }
            Some(b'+') => {
                at = 1;
                false
            }
            _ => false,
        };
        let mut coefficient: u128 = 0;
        let mut significant: u32 = 0;
        // Zeros after the last significant digit. They become significant if another digit follows.
        let mut pending_zeros: u32 = 0;
        let (mut digits_seen, mut fraction_digits, mut after_point) = (false, 0i64, false);
        let mut too_many = false;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'0'..=b'9' => {
                    digits_seen = true;
                    fraction_digits += i64::from(after_point);
                    if byte == b'0' {
                        pending_zeros += u32::from(significant > 0);
                    } else {
                        significant = significant.saturating_add(pending_zeros).saturating_add(1);
                        if significant > MAX_DIGITS {
                            too_many = true;
                        } else {
                            coefficient =
                                coefficient * 10u128.pow(pending_zeros + 1) + u128::from(byte - b'0');
                        }
                        pending_zeros = 0;
                    }
                }
                b'.' if !after_point => after_point = true,
                b'e' | b'E' if digits_seen => break,
                _ => return Err(NumberError::NotANumber),
            }
            at += 1;
        }
        if !digits_seen {
            return Err(NumberError::NotANumber);
        }
        let exponent = if at < bytes.len() { parse_exponent(&bytes[at + 1..])? } else { 0 };
        let scale = exponent - fraction_digits;
        if scale < -i64::from(i32::MAX) {
            // The exponent of the last digit does not fit in 32 bits either.
            return Err(NumberError::HugeExponent { negative: true });
        }
        if significant == 0 {
            // AWS also limits the exponent of a zero, as it is written: it refuses 0e126 and accepts 0.0e126.
            return match scale {
                scale if scale > MAX_MAGNITUDE => Err(NumberError::Overflow),
                scale if scale < MIN_MAGNITUDE => Err(NumberError::Underflow),
                _ => Ok(Self::ZERO),
            };
        }
        let last_digit = scale + i64::from(pending_zeros);
        let magnitude = last_digit + i64::from(significant) - 1;
        if magnitude > MAX_MAGNITUDE {
            return Err(NumberError::Overflow);
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(NumberError::Underflow);
        }
        if too_many {
            return Err(NumberError::TooManyDigits);
        }
        Self::normalised(negative, coefficient, last_digit)
    }
}

/// Parses the exponent after an `e`.
fn parse_exponent(bytes: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::NotANumber);
    }
    let mut value: i64 = 0;
    for digit in digits {
        value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    if value > i64::from(i32::MAX) {
        return Err(NumberError::HugeExponent { negative });
    }
    Ok(if negative { -value } else { value })
}

/// Returns the number of decimal digits of a coefficient that is not zero.
fn digit_count(coefficient: u128) -> u32 {
    coefficient.ilog10() + 1
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let mut buffer = [0u8; 39];
        let mut start = buffer.len();
        let mut rest = self.coefficient();
        while rest > 0 {
            start -= 1;
            buffer[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let digits = std::str::from_utf8(&buffer[start..]).expect("decimal digits are ASCII");
        if self.exponent >= 0 {
            f.write_str(digits)?;
            return write_zeros(f, usize::from(self.exponent.unsigned_abs()));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        if digits.len() > places {
            let (whole, fraction) = digits.split_at(digits.len() - places);
            write!(f, "{whole}.{fraction}")
        } else {
            f.write_str("0.")?;
            write_zeros(f, places - digits.len())?;
            f.write_str(digits)
        }
    }
}

fn write_zeros(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    (0..count).try_for_each(|_| f.write_str("0"))
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.signum(), other.signum()) {
            (a, b) if a != b => a.cmp(&b),
            (0, _) => Ordering::Equal,
            (1, _) => self.cmp_magnitude(other),
            _ => other.cmp_magnitude(self),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Number {
    fn signum(&self) -> i8 {
        if self.is_zero() {
            0
        } else if self.negative {
            -1
        } else {
            1
        }
    }

    /// Compares absolute values of numbers that are not zero.
    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        let (count, other_count) = (digit_count(self.coefficient()), digit_count(other.coefficient()));
        let magnitude = i64::from(self.exponent) + i64::from(count);
        let other_magnitude = i64::from(other.exponent) + i64::from(other_count);
        magnitude.cmp(&other_magnitude).then_with(|| {
            let width = count.max(other_count);
            let aligned = self.coefficient() * 10u128.pow(width - count);
            aligned.cmp(&(other.coefficient() * 10u128.pow(width - other_count)))
        })
    }
}

mod bytes;
mod convert;
#[cfg(test)]
mod tests;
