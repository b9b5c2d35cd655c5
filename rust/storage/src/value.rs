//! Values that are bound to the parameters of a statement.

use recollect_model::ItemId;

/// One parameter. Text and bytes are bound where they lie, without a copy.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// An unsigned integer; one above `i64::MAX` is refused when it is bound, since SQL has no such number.
    Unsigned(u64),
    /// A float; NaN is refused when it is bound, since SQL would store NULL.
    Real(f64),
    /// Text; one with NUL is refused when it is bound.
    Text(&'a str),
    /// Text that nobody else keeps.
    OwnedText(String),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Bytes that nobody else keeps.
    Blob(Vec<u8>),
}

macro_rules! from {
    ($($type:ty => |$value:ident| $result:expr;)*) => {$(
        impl<'a> From<$type> for Value<'a> {
            fn from($value: $type) -> Self {
                $result
            }
        }
    )*};
}

from! {
    i64 => |value| Self::Integer(value);
    i32 => |value| Self::Integer(value.into());
    u8 => |value| Self::Integer(value.into());
    u16 => |value| Self::Integer(value.into());
    u32 => |value| Self::Integer(value.into());
    u64 => |value| Self::Unsigned(value);
    usize => |value| Self::Unsigned(value as u64);
    bool => |value| Self::Integer(value.into());
    f64 => |value| Self::Real(value);
    &'a str => |value| Self::Text(value);
    &'a String => |value| Self::Text(value);
    String => |value| Self::OwnedText(value);
    &'a [u8] => |value| Self::Bytes(value);
    &'a Vec<u8> => |value| Self::Bytes(value);
    Vec<u8> => |value| Self::Blob(value);
    ItemId => |value| Self::Blob(value.as_bytes().to_vec());
}

impl<const N: usize> From<[u8; N]> for Value<'_> {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T> From<Option<T>> for Value<'a>
where
    Value<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

/// The parameters of a statement, each converted by [`Value::from`]: `params![name, 3, None::<i64>]`.
#[macro_export]
macro_rules! params {
    () => {
        &[] as &[$crate::Value<'_>]
    };
    ($($value:expr),+ $(,)?) => {
        &[$($crate::Value::from($value)),+]
    };
}

pub(crate) use crate::params;
