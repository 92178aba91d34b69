//! Values with a unit, as they are written in the file.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;
use serde::de::Visitor;

use crate::session::text;
use crate::term::Size;

/// A number of bytes: `"64M"`, or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

/// A span of time in milliseconds: `"5s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause(pub u64);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::exact_size(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes such as \"512K\" or \"8M\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                if text == "0" { Ok(Bytes(0)) } else { text::bytes(text).map(Bytes).map_err(E::custom) }
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Bytes, E> {
                u64::try_from(number).map(Bytes).map_err(|_| E::custom("a number of bytes cannot be negative"))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl Serialize for Pause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_string().serialize(serializer)
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) { write!(f, "{}s", self.0 / 1000) } else { write!(f, "{}ms", self.0) }
    }
}

impl<'de> Deserialize<'de> for Pause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text::duration_ms(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Reads how many of something.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number from 0")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
            u32::try_from(number).map_err(|_| E::custom(format!("{number} is out of range; write a number from 0")))
        }
    }
    deserializer.deserialize_any(Number)
}

/// Reads and writes `"120x40"` for a [`Size`].
pub mod size {
    use super::Deserialize;
    use super::Deserializer;
    use super::Error;
    use super::Serializer;
    use super::Size;
    use super::text;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde calls")]
    pub fn serialize<S: Serializer>(size: &Size, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}x{}", size.cols(), size.rows()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        text::size(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
