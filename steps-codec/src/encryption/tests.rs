use proptest::prelude::*;
use steps_core::store::codec::Owner;

use super::*;

fn keys(ids: &[&str]) -> Keys {
    let lines = ids.iter().map(|id| format!("{id} {}\n", "0f".repeat(32)));
    Keys::parse(&lines.collect::<String>()).unwrap()
}

fn place<'a>(owner: Owner<'a>, row: Option<u32>, field: &'a str, path: &'a str) -> Vec<u8> {
    Place::new(Payload::Output, owner, row, field, path).to_bytes()
}

/// A place can't be made outside of the core, but by a store in front of which a codec is.
fn with_place<T>(
    owner: Owner<'_>,
    row: Option<u32>,
    field: &str,
    path: &str,
    run: impl FnOnce(&Place<'_>) -> T,
) -> T {
    run(&Place::new(Payload::Output, owner, row, field, path))
}

fn encode(codec: &Encryption, id: &str, text: &str) -> Vec<u8> {
    let encoded = with_place(Owner::Id(id), None, "input", "", |place| {
        codec.encode(place, text)
    });
    encoded.unwrap().unwrap()
}

fn decode(codec: &Encryption, id: &str, bytes: &[u8]) -> Result<String, CodecError> {
    with_place(Owner::Id(id), None, "input", "", |place| {
        codec.decode(place, bytes)
    })
}

#[test]
fn old_keys_read_and_the_newest_writes() {
    let old = Encryption::new(keys(&["a"]));
    let both = Encryption::new(keys(&["a", "b"]));
    let by_old = encode(&old, "x", "secret");
    let by_new = encode(&both, "x", "secret");
    assert_eq!(decode(&both, "x", &by_old).unwrap(), "secret");
    assert_eq!(decode(&both, "x", &by_new).unwrap(), "secret");
    let unknown = CodecError::UnknownKey { key: "b".into() };
    assert_eq!(decode(&old, "x", &by_new), Err(unknown));
    // In the meantime, a process that has the new key writes with the old one.
    let meantime = Encryption::new(keys(&["a", "b"]).write_with("a").unwrap());
    assert_eq!(
        decode(&old, "x", &encode(&meantime, "x", "1")).unwrap(),
        "1"
    );
    assert_eq!(meantime.identity(), both.identity());
    assert_ne!(old.identity(), both.identity());
    assert_eq!(
        both.identity(),
        Encryption::new(keys(&["b", "a"])).identity()
    );
}

/// The ids are part of what is authenticated, so the same bytes under another id are none of ours.
#[test]
fn a_value_is_bound_to_its_place_its_key_and_its_context() {
    let codec = Encryption::new(keys(&["a", "b"]));
    let bytes = encode(&codec, "x", "secret");
    let told = decode(&codec, "y", &bytes).unwrap_err().to_string();
    assert_eq!(
        told,
        "it is not what was encrypted with the key `b` for this place"
    );
    let mut under_a = bytes.clone();
    under_a[2] = b'a';
    assert!(decode(&codec, "x", &under_a).is_err());
    let other = Encryption::new(keys(&["a", "b"])).context("shop");
    assert!(decode(&other, "x", &bytes).is_err());
    for length in 0..bytes.len() {
        assert!(decode(&codec, "x", &bytes[..length]).is_err(), "{length}");
    }
    assert_ne!(bytes, encode(&codec, "x", "secret"), "a nonce is used once");
    assert!(!bytes.windows(6).any(|part| part == b"secret"));
}

#[test]
fn each_place_has_bytes_of_its_own() {
    let places = [
        place(Owner::Id("a"), None, "b", ""),
        place(Owner::Duty("a"), None, "b", ""),
        place(Owner::Key(1), None, "b", ""),
        place(Owner::Key(2), None, "b", ""),
        place(Owner::Id("a"), Some(0), "b", ""),
        place(Owner::Id("a"), Some(1), "b", ""),
        place(Owner::Id("ab"), None, "", ""),
        place(Owner::Id("a"), None, "", "b"),
    ];
    for (at, one) in places.iter().enumerate() {
        assert!(!places[..at].contains(one), "{at}");
    }
}

#[cfg(feature = "compression")]
#[test]
fn compressed_values_are_shorter_and_bounded() {
    let long = "abc".repeat(10_000);
    let compressed = || Encryption::new(keys(&["a"])).compressed(Compression::new());
    let bytes = encode(&compressed(), "x", &long);
    assert!(bytes.len() < 200);
    // Without it, too: what is saved is read.
    assert_eq!(
        decode(&Encryption::new(keys(&["a"])), "x", &bytes).unwrap(),
        long
    );
    let small = compressed().compressed(Compression::new().most(1000));
    assert!(
        decode(&small, "x", &bytes)
            .unwrap_err()
            .to_string()
            .contains("1000 bytes")
    );
    assert_eq!(
        decode(&small, "x", &encode(&small, "x", &long)).unwrap(),
        long
    );
}

#[cfg(feature = "compression")]
#[test]
fn what_was_only_compressed_is_read_unless_plain_values_are_refused() {
    let long = "abc".repeat(10_000);
    let plain = with_place(Owner::Id("x"), None, "input", "", |place| {
        Compression::new().encode(place, &long).unwrap().unwrap()
    });
    let codec = Encryption::new(keys(&["a"]));
    assert_eq!(decode(&codec, "x", &plain).unwrap(), long);
    assert!(decode(&codec.refuse_plain(), "x", &plain).is_err());
    let bytes = encode(&Encryption::new(keys(&["a"])), "x", "1");
    let read = with_place(Owner::Id("x"), None, "input", "", |place| {
        Compression::new().decode(place, &bytes)
    });
    assert_eq!(read, Err(CodecError::UnknownKey { key: "a".into() }));
}

#[test]
fn nothing_shows_a_key() {
    let codec = Encryption::new(keys(&["a"]));
    let shown = format!("{codec:?}");
    assert!(
        shown.contains(r#"Keys(["a"])"#) && !shown.contains("0f0f") && !shown.contains("15, 15")
    );
}

proptest! {
    #[test]
    fn every_text_comes_back(text: String) {
        let codec = Encryption::new(keys(&["a"]));
        prop_assert_eq!(decode(&codec, "x", &encode(&codec, "x", &text)).unwrap(), text);
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, kind in 0_u8..3) {
        let codec = Encryption::new(keys(&["a"]));
        let bytes = [&[kind][..], &bytes].concat();
        let _ = decode(&codec, "x", &bytes);
    }
}
