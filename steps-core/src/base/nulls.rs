//! What stands behind each `null` of a value's JSON. Some values are told apart by serde and not by
//! JSON: `Some(())` and `None`, a number and NaN.

use serde::{Serialize, Serializer, ser};

/// What is written as `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Null {
    /// NaN, or an infinity.
    NoNumber,
    /// `None`.
    None,
    /// `()`, and a struct without fields.
    Unit,
}

/// All that is written as `null`, and in how many `Some` it is; in no order, as a set has none.
pub(super) fn nulls<T: Serialize + ?Sized>(value: &T) -> Vec<(Null, u32)> {
    let mut walk = Walk::default();
    // What can't be serialized is known by then.
    let _ = value.serialize(&mut walk);
    walk.found.sort_unstable();
    walk.found
}

#[derive(Default)]
struct Walk {
    found: Vec<(Null, u32)>,
    /// In how many `Some` the next value is.
    some: u32,
}

impl Walk {
    fn null(&mut self, null: Null) {
        self.found.push((null, std::mem::take(&mut self.some)));
    }

    fn below(&mut self, value: &(impl Serialize + ?Sized)) -> Done {
        self.some = 0;
        value.serialize(self)
    }
}

type Done = Result<(), serde_json::Error>;

macro_rules! ignored {
    ($($name:ident($($ty:ty),*);)*) => {
        $(fn $name(self $(, _: $ty)*) -> Done {
            self.some = 0;
            Ok(())
        })*
    };
}

macro_rules! compound {
    ($($name:ident($($ty:ty),*) -> $kind:ident;)*) => {
        $(fn $name(self $(, _: $ty)*) -> Result<Self::$kind, Self::Error> {
            self.some = 0;
            Ok(self)
        })*
    };
}

impl Serializer for &mut Walk {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    ignored! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Done {
        if !value.is_finite() {
            self.null(Null::NoNumber);
        }
        self.some = 0;
        Ok(())
    }

    fn serialize_none(self) -> Done {
        self.null(Null::None);
        Ok(())
    }

    fn serialize_unit(self) -> Done {
        self.null(Null::Unit);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.null(Null::Unit);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.some += 1;
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.below(value)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, _: &T) -> Done {
        self.some = 0;
        Ok(())
    }

    compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}

macro_rules! parts {
    ($($of:ident::$name:ident($($field:ty)?);)*) => {
        $(impl ser::$of for &mut Walk {
            type Ok = ();
            type Error = serde_json::Error;
            fn $name<T: Serialize + ?Sized>(&mut self, $(_: $field,)? value: &T) -> Done {
                self.below(value)
            }
            fn end(self) -> Done {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(&'static str);
    SerializeStructVariant::serialize_field(&'static str);
}

impl ser::SerializeMap for &mut Walk {
    type Ok = ();
    type Error = serde_json::Error;

    // A key is text, and so never `null`.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Done {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.below(value)
    }

    fn end(self) -> Done {
        Ok(())
    }
}
