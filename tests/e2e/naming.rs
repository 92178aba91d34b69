//! What sessions are called can be changed, and is kept.

use crate::support::Place;

#[test]
fn k1_another_name_and_other_tags_survive_the_daemon() {
    let place = Place::new();
    place.start("web", "cat");
    place.start("db", "cat");

    place.ok(&["rename", "web", "shop"]);
    place.ok(&["tag", "shop", "ci", "blue"]);
    let (code, said) = place.fails(&["rename", "shop", "db"]);
    place.kill_daemon();

    assert!(code != 0 && said.contains("there is a session db already"), "{said}");
    let (_, said) = place.fails(&["rename", "shop", "a b"]);
    assert!(said.contains("cannot be a name"), "{said}");
    let session = place.session("shop");
    assert_eq!((session["name"].as_str(), session["tags"].as_array().map(Vec::len)), (Some("shop"), Some(2)));
    place.ok(&["tag", "shop"]);
    assert_eq!(place.session("shop")["tags"].as_array().map(Vec::len), Some(0));
}
