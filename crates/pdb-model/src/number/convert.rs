//! Conversions between numbers and Rust's integers and floats.

use super::{Coefficient, Number, NumberError};

/// Why a number is not an integer of the type that was asked for: it has a fraction, or it is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{number} is not an integer that fits in `{target}`")]
pub struct IntegerError {
    number: Number,
    target: &'static str,
}

impl Number {
    /// Returns the nearest `f64`. It has some 16 digits, so it may differ from the number; it is always finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_model::Number;
    ///
    /// let n: Number = "0.12345678901234567890".parse()?;
    /// assert_eq!(n.to_f64(), 0.12345678901234568);
    /// # Ok::<(), pdb_model::NumberError>(())
    /// ```
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().expect("plain digits with at most one point are a float")
    }

    /// Returns the nearest `f32`, which is infinite if the number is too large.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_model::Number;
    ///
    /// let n: Number = "16777217".parse()?;
    /// assert_eq!(n.to_f32(), 16_777_216.0);
    /// # Ok::<(), pdb_model::NumberError>(())
    /// ```
    #[must_use]
    pub fn to_f32(&self) -> f32 {
        self.short_f32().unwrap_or_else(|| {
            // Through a float of 64 bits the number would be rounded twice.
            self.to_string().parse().expect("plain digits with at most one point are a float")
        })
    }

    /// Returns the nearest `f32` of a number of which one rounding to 64 bits tells it.
    fn short_f32(&self) -> Option<f32> {
        const POWERS: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
            1e18, 1e19, 1e20, 1e21, 1e22,
        ];
        /// The bits that a float of 32 bits lacks, and the first of them.
        const LACKING: u64 = (1 << 29) - 1;
        const HALF: u64 = 1 << 28;
        let Coefficient([0, digits @ ..=0x1f_ffff_ffff_ffff]) = self.coefficient else { return None };
        // Both are exact, so the result is rounded once.
        let power = *POWERS.get(usize::from(self.exponent.unsigned_abs()))?;
        let magnitude = if self.exponent < 0 { digits as f64 / power } else { digits as f64 * power };
        // A float between two of 32 bits, right in the middle, does not tell on which side the number is. Where floats of 32 bits
        // have fewer digits or end, the middle is elsewhere.
        let is_usual = magnitude == 0.0 || (f64::from(f32::MIN_POSITIVE)..1e38).contains(&magnitude);
        let is_in_the_middle = magnitude.to_bits() & LACKING == HALF;
        let float = magnitude as f32;
        (is_usual && !is_in_the_middle).then_some(if self.negative { -float } else { float })
    }

    /// Returns the magnitude if the number has no fraction and the magnitude fits.
    fn integer_magnitude(&self) -> Option<u128> {
        let zeros = u32::try_from(self.exponent).ok()?;
        self.coefficient().checked_mul(10u128.checked_pow(zeros)?)
    }
}

macro_rules! integers {
    ($($integer:ident),*) => {$(
        impl From<$integer> for Number {
            fn from(value: $integer) -> Self {
                let value = i128::from(value);
                Self::normalised(value < 0, value.unsigned_abs(), 0).expect("an integer of 64 bits is in range")
            }
        }

        impl TryFrom<Number> for $integer {
            type Error = IntegerError;

            fn try_from(number: Number) -> Result<Self, IntegerError> {
                let integer = i128::try_from(number).ok().and_then(|integer| integer.try_into().ok());
                integer.ok_or(IntegerError { number, target: stringify!($integer) })
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        (value as u64).into()
    }
}

impl TryFrom<Number> for usize {
    type Error = IntegerError;

    fn try_from(number: Number) -> Result<Self, IntegerError> {
        let integer = u64::try_from(number).ok().and_then(|integer| integer.try_into().ok());
        integer.ok_or(IntegerError { number, target: "usize" })
    }
}

impl TryFrom<i128> for Number {
    type Error = NumberError;

    /// # Errors
    ///
    /// [`NumberError::TooManyDigits`] if the integer has 39 significant digits.
    fn try_from(value: i128) -> Result<Self, NumberError> {
        Self::normalised(value < 0, value.unsigned_abs(), 0)
    }
}

impl TryFrom<u128> for Number {
    type Error = NumberError;

    /// # Errors
    ///
    /// [`NumberError::TooManyDigits`] if the integer has 39 significant digits.
    fn try_from(value: u128) -> Result<Self, NumberError> {
        Self::normalised(false, value, 0)
    }
}

impl TryFrom<Number> for i128 {
    type Error = IntegerError;

    fn try_from(number: Number) -> Result<Self, IntegerError> {
        let integer = number.integer_magnitude().and_then(|magnitude| {
            if number.negative { 0i128.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() }
        });
        integer.ok_or(IntegerError { number, target: "i128" })
    }
}

impl TryFrom<Number> for u128 {
    type Error = IntegerError;

    fn try_from(number: Number) -> Result<Self, IntegerError> {
        let integer = number.integer_magnitude().filter(|_| !number.negative);
        integer.ok_or(IntegerError { number, target: "u128" })
    }
}

macro_rules! floats {
    ($($float:ident),*) => {$(
        impl TryFrom<$float> for Number {
            type Error = NumberError;

            /// Takes the shortest decimal that reads back as the same float: `0.1` becomes 0.1.
            ///
            /// # Errors
            ///
            /// [`NumberError::NotANumber`] for NaN and infinities, [`NumberError::Overflow`] or
            /// [`NumberError::Underflow`] if the float is out of range.
            fn try_from(value: $float) -> Result<Self, NumberError> {
                // `Display` prints the shortest decimal, and never an exponent.
                value.to_string().parse()
            }
        }
    )*};
}

floats!(f32, f64);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_survive_the_way_there_and_back(one: i64, two: u64, three: i128) {
            prop_assert_eq!(i64::try_from(Number::from(one)), Ok(one));
            prop_assert_eq!(u64::try_from(Number::from(two)), Ok(two));
            match Number::try_from(three) {
                Ok(number) => prop_assert_eq!(i128::try_from(number), Ok(three)),
                Err(error) => prop_assert_eq!((error, three.unsigned_abs().ilog10()), (NumberError::TooManyDigits, 38)),
            }
        }

        #[test]
        fn the_nearest_float_of_32_bits_is_that_of_the_text(
            digits in prop_oneof![0..1_u64 << 26, any::<u64>()], exponent in -60..40_i32, sign in "-?",
        ) {
            let text = format!("{sign}{digits}e{exponent}");
            let number: Number = text.parse().unwrap();
            let expected: f32 = text.parse().unwrap();
            // A number has no negative zero.
            prop_assert_eq!(number.to_f32(), expected);
        }

        #[test]
        fn middles_of_floats_are_rounded_once(float in 1.0e-9_f32..1.0e9, digit in 0..3_u8) {
            let next = f32::from_bits(float.to_bits() + 1);
            let middle = f64::midpoint(f64::from(float), f64::from(next));
            // Exactly the middle, or a little above or below it.
            let text = format!("{middle:.40}");
            let text = text.trim_end_matches('0');
            let text = if digit == 0 { text.to_owned() } else { format!("{text}{digit}") };
            if let Ok(number) = text.parse::<Number>() {
                prop_assert_eq!(number.to_f32(), text.parse::<f32>().unwrap(), "{}", text);
            }
        }

        #[test]
        fn floats_in_range_survive_the_way_there_and_back(one in -1e125..1e125f64, two: f32) {
            prop_assert_eq!(Number::try_from(one).unwrap().to_f64(), one);
            prop_assert_eq!(Number::try_from(two).ok().map(|number| number.to_f64() as f32), two.is_finite().then_some(two));
        }
    }

    #[test]
    fn a_fraction_or_a_large_number_is_not_an_integer() {
        let number = |text: &str| text.parse::<Number>().unwrap();
        assert_eq!(u8::try_from(number("255")), Ok(255));
        assert_eq!(i16::try_from(number("-1.5e1")), Ok(-15));
        assert_eq!(usize::try_from(number("7")), Ok(7));
        assert_eq!(u128::try_from(number("2e38")), Ok(2 * 10u128.pow(38)));
        let errors = [
            u8::try_from(number("256")).unwrap_err(),
            u64::try_from(number("-1")).unwrap_err(),
            i64::try_from(number("0.5")).unwrap_err(),
            i128::try_from(number("2e38")).unwrap_err(),
            u128::try_from(number("1e125")).unwrap_err(),
        ];
        assert_eq!(errors[2].to_string(), "0.5 is not an integer that fits in `i64`");
        assert_eq!(errors.map(|error| error.target), ["u8", "u64", "i64", "i128", "u128"],);
    }

    #[test]
    fn floats_are_taken_as_they_are_written() {
        assert_eq!(Number::try_from(0.1).unwrap().to_string(), "0.1");
        assert_eq!(Number::try_from(0.1f32).unwrap().to_string(), "0.1");
        assert_eq!(Number::try_from(-0.0).unwrap(), Number::ZERO);
        assert_eq!(Number::try_from(f64::NAN), Err(NumberError::NotANumber));
        assert_eq!(Number::try_from(f64::NEG_INFINITY), Err(NumberError::NotANumber));
        assert_eq!(Number::try_from(f64::MAX), Err(NumberError::Overflow));
        assert_eq!(Number::try_from(f64::MIN_POSITIVE), Err(NumberError::Underflow));
    }
}
