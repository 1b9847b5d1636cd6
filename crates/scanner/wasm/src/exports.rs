//! The border to JavaScript: pointers and lengths become slices here, and nowhere else.
#![expect(unsafe_code, reason = "a WebAssembly export takes a pointer into the module's memory")]

use std::cell::RefCell;

use serde::Serialize;

use crate::session::{self, Refused, Session};

thread_local! {
    /// The instance has one thread and one of these.
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

#[derive(Default)]
struct Instance {
    session: Session,
    out: Vec<u8>,
}

/// `len` bytes to write arguments into, or null where there is no room.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(len: usize) -> *mut u8 {
    let mut room = Vec::<u8>::new();
    match room.try_reserve_exact(len.max(1)) {
        Ok(()) => std::mem::ManuallyDrop::new(room).as_mut_ptr(),
        Err(_) => std::ptr::null_mut(),
    }
}

/// Gives back what [`alloc`] gave.
///
/// # Safety
/// `ptr` came from `alloc(len)` with the same `len` and is not used any more; null is let pass.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dealloc(ptr: *mut u8, len: usize) {
    if !ptr.is_null() {
        // SAFETY: `alloc` reserved exactly `len.max(1)` bytes in a vector of bytes and let go of it (the caller's promise).
        drop(unsafe { Vec::from_raw_parts(ptr, 0, len.max(1)) });
    }
}

/// Where the last answer is.
#[unsafe(no_mangle)]
pub extern "C" fn out_ptr() -> *const u8 {
    INSTANCE.with_borrow(|instance| instance.out.as_ptr())
}

/// How long it is.
#[unsafe(no_mangle)]
pub extern "C" fn out_len() -> usize {
    INSTANCE.with_borrow(|instance| instance.out.len())
}

/// [`Session::trust_new`]
///
/// # Safety
/// `root` has 32 bytes, `ratchet` `ratchet_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn trust_new(root: *const u8, ratchet: *const u8, ratchet_len: usize) -> i32 {
    // SAFETY: the caller's promise.
    let (root, ratchet) = unsafe { (bytes(root, 32), bytes(ratchet, ratchet_len)) };
    answer(|session| session.trust_new(root, ratchet).map(|()| Vec::new()))
}

/// [`Session::trust_accept`]
///
/// # Safety
/// `bundle` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn trust_accept(bundle: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's promise.
    let bundle = unsafe { bytes(bundle, len) };
    answer(|session| session.trust_accept(bundle).map(|accepted| json(&accepted)))
}

/// [`Session::trust_ratchet`]
#[unsafe(no_mangle)]
pub extern "C" fn trust_ratchet() -> i32 {
    found(|session| session.trust_ratchet())
}

/// [`Session::judge`]
///
/// # Safety
/// `text` has `text_len` bytes, `uses` `uses_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn judge(
    text: *const u8,
    text_len: usize,
    now: f64,
    max_age: f64,
    uses: *const u8,
    uses_len: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    let (text, uses) = unsafe { (bytes(text, text_len), bytes(uses, uses_len)) };
    answer(|session| session.judge(text, now, max_age, uses))
}

/// The number on a card's code, not yet judged.
///
/// # Safety
/// `text` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn number_of(text: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's promise.
    let text = unsafe { bytes(text, len) };
    found(|_| Some(session::number_of(text)?.as_str().into()))
}

/// The number that a person typed, if its check digit holds.
///
/// # Safety
/// `text` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn number_typed(text: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's promise.
    let text = unsafe { bytes(text, len) };
    found(|_| Some(session::number_typed(text)?.as_str().into()))
}

/// One pass over a frame of one byte a pixel.
///
/// # Safety
/// `luma` has `width * height` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frame(luma: *const u8, width: usize, height: usize, pass: usize) -> i32 {
    // SAFETY: the caller's promise.
    let luma = unsafe { bytes(luma, width.saturating_mul(height)) };
    found(|_| session::frame(luma, width, height, pass))
}

/// One pass over a frame of four bytes a pixel, as a canvas gives them.
///
/// # Safety
/// `rgba` has `width * height * 4` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frame_rgba(rgba: *const u8, width: usize, height: usize, pass: usize) -> i32 {
    // SAFETY: the caller's promise.
    let rgba = unsafe { bytes(rgba, width.saturating_mul(height).saturating_mul(4)) };
    found(|_| session::frame(&session::grey(rgba), width, height, pass))
}

/// Everything there is to try on a still picture of four bytes a pixel.
///
/// # Safety
/// `rgba` has `width * height * 4` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn picture_rgba(rgba: *const u8, width: usize, height: usize) -> i32 {
    // SAFETY: the caller's promise.
    let rgba = unsafe { bytes(rgba, width.saturating_mul(height).saturating_mul(4)) };
    found(|_| session::picture(&session::grey(rgba), width, height))
}

/// # Safety
/// `ptr` has `len` initialised bytes that nobody writes to while the slice is in use; null counts as no bytes.
unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    if ptr.is_null() || len > isize::MAX as usize {
        return &[];
    }
    // SAFETY: not null, not too long, and for the rest the caller's promise. The module has one thread, and no function
    // here writes to its arguments; an answer goes into memory of its own.
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

fn answer(ask: impl FnOnce(&mut Session) -> Result<Vec<u8>, Refused>) -> i32 {
    INSTANCE.with_borrow_mut(|instance| {
        let answer = ask(&mut instance.session);
        let status = i32::from(answer.is_ok());
        instance.out = answer.unwrap_or_else(|refused| json(&refused));
        status
    })
}

fn found(look: impl FnOnce(&mut Session) -> Option<Vec<u8>>) -> i32 {
    INSTANCE.with_borrow_mut(|instance| {
        let found = look(&mut instance.session);
        let status = i32::from(found.is_some());
        instance.out = found.unwrap_or_default();
        status
    })
}

/// Strings and numbers: nothing that can fail to serialise.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
