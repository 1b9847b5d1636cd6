//! The module's functions in plain Rust, and once through its exports.

use zyz_scanner_wasm::Session;

#[test]
fn nothing_without_a_root() {
    let mut session = Session::default();
    assert_eq!(session.trust_accept(b"x").map(drop).map_err(|refused| refused.error), Err("no_root"));
    assert_eq!(session.judge(b"1", 0.0, -1.0, b"").map_err(|refused| refused.error), Err("no_root"));
    assert_eq!(session.trust_ratchet(), None);
}

#[test]
fn roots_that_are_none() {
    let mut session = Session::default();
    for root in [&[0_u8; 32][..], &[1; 31], &[]] {
        assert_eq!(session.trust_new(root, &[]).map_err(|refused| refused.error), Err("root_refused"), "{root:?}");
    }
}
