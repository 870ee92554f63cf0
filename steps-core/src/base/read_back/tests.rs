use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::*;

fn kept<T: Serialize + DeserializeOwned + 'static>(value: &T) -> Result<Option<T>, String> {
    let json = Json::encode(value).map_err(|error| error.to_string())?;
    read_back_or_same(value, json.get()).map_err(|error| error.to_string())
}

fn refused<T: Serialize + DeserializeOwned + 'static>(value: &T) -> String {
    match kept(value) {
        Ok(_) => panic!("it is taken"),
        Err(error) => error,
    }
}

#[test]
fn plain_values_are_not_read_again() {
    assert!(matches!(kept(&()), Ok(None)));
    assert!(matches!(kept(&u128::MAX), Ok(None)));
    assert!(matches!(kept(&i128::MIN), Ok(None)));
    assert!(matches!(kept(&"null".to_owned()), Ok(None)));
    assert!(matches!(kept(&1.5_f64), Ok(None)));
    assert!(matches!(kept(&vec!["a".to_owned()]), Ok(None)));
    assert!(matches!(kept(&Option::<String>::None), Ok(None)));
}

/// That no reading is needed is so: what is plain is read as itself.
#[test]
fn what_is_held_for_plain_reads_as_itself() {
    fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(value: T) {
        let json = Json::encode(&value).unwrap();
        assert!(is_plain::<T>(json.get()));
        assert_eq!(json.decode::<T>().unwrap(), value);
    }
    same(());
    same(true);
    same((u8::MAX, i8::MIN).0);
    same(u16::MAX);
    same(u32::MAX);
    same(u64::MAX);
    same(u128::MAX);
    same(usize::MAX);
    same(i8::MIN);
    same(i16::MIN);
    same(i32::MIN);
    same(i64::MIN);
    same(i128::MIN);
    same(isize::MIN);
    same('\u{10ffff}');
    same("a\u{0}\"\\\u{2028}".to_owned());
    same(Some("null".to_owned()));
    same(vec![String::new()]);
    same(f32::MIN_POSITIVE);
    same(f64::MAX);
    assert_eq!(
        Json::encode(&-0.0_f64)
            .unwrap()
            .decode::<f64>()
            .unwrap()
            .to_bits(),
        (-0.0_f64).to_bits()
    );
}

/// `float_ulp`: a price with its tax came back as its neighbour.
#[test]
fn regression_float_ulp_an_f64_is_read_as_it_was_written() {
    let exact = |value: f64| {
        let read: f64 = Json::encode(&value).unwrap().decode().unwrap();
        assert_eq!(read.to_bits(), value.to_bits(), "{value}");
    };
    for cents in 1..100_000 {
        exact(f64::from(cents) / 100.0 * 1.19);
    }
    let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..100_000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let value = f64::from_bits(bits);
        if value.is_finite() {
            exact(value);
        }
    }
}

/// `nan_output`
#[test]
fn regression_nan_output_what_json_cannot_hold_is_refused() {
    let text = refused(&f64::NAN);
    assert_eq!(
        text,
        "`f64` is written as `null`, which can't be read back: invalid type: null, expected f64 \
         at line 1 column 4 (JSON has no NaN and no infinity)"
    );
    assert!(refused(&f32::INFINITY).contains("`f32`"));
    assert!(refused(&vec![1.0, f64::NEG_INFINITY]).contains("`Vec<f64>`"));
    assert!(refused(&BTreeMap::from([(1, f64::NAN)])).contains("no NaN"));
    let text = refused(&Some(f64::NAN));
    assert!(
        text.contains("`Option<f64>`") && text.contains("NaN or an infinity"),
        "{text}"
    );
}

#[test]
fn a_some_that_is_written_as_null_is_refused() {
    let text = refused(&Some(()));
    assert_eq!(
        text,
        "`Option<()>` does not survive JSON: Some(()) is written as `null`, which reads back as \
         something else, in `null`"
    );
    let text = refused(&Some(Option::<u32>::None));
    assert!(
        text.contains("`Option<Option<u32>>`") && text.contains("Some(None)"),
        "{text}"
    );
    assert!(refused(&vec![Some(Some(1)), Some(None)]).contains("Some(None)"));
    assert!(refused(&Some(serde_json::Value::Null)).contains("Some(())"));
    // What holds none of these goes through.
    assert_eq!(kept(&Option::<()>::None), Ok(Some(None)));
    assert_eq!(kept(&Some(Some(1))), Ok(Some(Some(Some(1)))));
    assert_eq!(kept(&Option::<Option<u32>>::None), Ok(Some(None)));
    assert!(kept(&serde_json::json!({"a": null, "b": [null]})).is_ok());
}

/// The usual way to tell "not given" from "null" in an update: it survives.
#[test]
fn a_type_that_keeps_null_apart_is_taken() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Patch {
        #[serde(
            default,
            deserialize_with = "given",
            skip_serializing_if = "Option::is_none"
        )]
        note: Option<Option<u32>>,
    }
    fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<u32>>, D::Error> {
        Option::deserialize(from).map(Some)
    }
    for note in [None, Some(None), Some(Some(1))] {
        assert_eq!(kept(&Patch { note }), Ok(Some(Patch { note })));
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Small { n: u8 },
    Named { n: u8, name: String },
}

#[test]
fn a_type_that_reads_back_as_another_value_is_refused_with_the_place() {
    #[derive(Serialize, Deserialize)]
    struct Hidden {
        name: String,
        #[serde(default, skip_deserializing)]
        secret: u32,
    }
    let hidden = |secret| Hidden {
        name: "a".into(),
        secret,
    };
    assert!(kept(&hidden(0)).is_ok());
    let text = refused(&vec![hidden(0), hidden(7)]);
    assert_eq!(
        text,
        "`Vec<Hidden>` does not survive JSON: it gives `7` in `[1].secret`, but reads back as `0`"
    );

    let text = refused(&Either::Named {
        n: 1,
        name: "b".into(),
    });
    assert!(
        text.contains("`name`") && text.contains("nothing"),
        "{text}"
    );
    assert!(kept(&Either::Small { n: 1 }).is_ok());
}

#[test]
fn sets_and_maps_may_be_read_in_another_order() {
    let names = (0..50).map(|n| n.to_string());
    assert!(kept(&names.clone().collect::<HashSet<_>>()).is_ok());
    let nested = names.map(|name| (name.clone(), HashSet::from([Some(name), None])));
    assert!(kept(&nested.collect::<HashMap<_, _>>()).is_ok());
}

#[test]
fn every_form_of_serde_is_walked_for_its_nulls() {
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct New<T>(T);
    #[derive(Serialize)]
    struct Pair<T>(T, u8);
    #[derive(Serialize)]
    enum Every {
        Plain,
        New(Option<()>),
        Tuple(Option<()>, f32),
        Struct { none: Option<u8>, nan: f64 },
    }
    assert_eq!(nulls(&Unit), [(Null::Unit, 0)]);
    assert_eq!(nulls(&Some(New(Some(Unit)))), [(Null::Unit, 2)]);
    // What a `Some` holds is no `null` where something is between.
    assert_eq!(nulls(&Some(Pair((), 1))), [(Null::Unit, 0)]);
    assert_eq!(nulls(&Some(vec![Some(1), None])), [(Null::None, 0)]);
    assert_eq!(
        nulls(&Some(BTreeMap::from([("a", Option::<u8>::None)]))),
        [(Null::None, 0)]
    );
    assert_eq!(nulls(&Every::Plain), []);
    assert_eq!(nulls(&Every::New(Some(()))), [(Null::Unit, 1)]);
    assert_eq!(
        nulls(&Every::Tuple(None, f32::NAN)),
        [(Null::NoNumber, 0), (Null::None, 0)]
    );
    let every = Every::Struct {
        none: None,
        nan: f64::INFINITY,
    };
    assert_eq!(nulls(&Some(every)), [(Null::NoNumber, 0), (Null::None, 0)]);
    assert_eq!(nulls(&(Some("a"), 'b', [1_i128; 2], &b"c"[..])), []);
}

#[test]
fn a_types_name_is_told_without_its_modules() {
    assert_eq!(
        type_name::<Option<Vec<HashMap<String, (f64, [u8; 2])>>>>(),
        "Option<Vec<HashMap<String, (f64, [u8; 2])>>>"
    );
    assert_eq!(type_name::<&'static str>(), "&str");
}

/// serde keeps what a tagged enum or a flattened struct has in a form without 128-bit integers: they
/// are written, and can't be read, however small.
#[test]
fn a_wide_integer_in_a_tagged_enum_is_refused() {
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Paid {
        Wei { amount: u128 },
    }
    #[derive(Serialize, Deserialize)]
    struct Sum {
        amount: i128,
    }
    #[derive(Serialize, Deserialize)]
    struct Bill {
        #[serde(flatten)]
        sum: Sum,
    }

    let text = refused(&Paid::Wei { amount: 7 });
    assert_eq!(
        text,
        "`Paid` is written as `{\"kind\":\"Wei\",\"amount\":7}`, which can't be read back: u128 is \
         not supported"
    );
    let text = refused(&Bill {
        sum: Sum { amount: -7 },
    });
    assert!(text.contains("i128 is not supported"), "{text}");
    let bare = kept(&Sum { amount: i128::MIN }).unwrap();
    assert_eq!(bare.map(|sum| sum.amount), Some(i128::MIN));
}
