//! The C functions of futures. For the safety of all of them, see [`client`](super).

use core::ffi::{c_int, c_void};
use std::sync::Arc;

use super::{coded, share, take};
use crate::code::{CLIENT_INVALID_OPERATION, Code, OPERATION_CANCELLED, SUCCESS};
use crate::future::{Callback, Future, Outcome, Row, length};

/// Has `write` write what the future gives; refuses when that is something else, or not known yet.
///
/// # Safety
/// `future` is a handle. It is not destroyed before what is pointed to is no longer used.
unsafe fn given(future: *const Future, write: impl FnOnce(&Outcome) -> Option<()>) -> Code {
    // SAFETY: promised by the caller.
    let future = unsafe { &*future };
    match future.outcome() {
        Some(Ok(outcome)) => write(outcome).map_or(CLIENT_INVALID_OPERATION, |()| SUCCESS),
        Some(Err(code)) => *code,
        None => CLIENT_INVALID_OPERATION,
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_destroy(future: *mut Future) {
    // SAFETY: a handle, for the last time.
    let future: Arc<Future> = unsafe { take(future) };
    future.settle(Err(OPERATION_CANCELLED));
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_is_ready(future: *mut Future) -> c_int {
    // SAFETY: a handle.
    let future = unsafe { &*future };
    c_int::from(future.outcome().is_some())
}

/// # Safety
/// See the module; `callback` may be called once, on any thread, with `parameter`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_set_callback(
    future: *mut Future,
    callback: Option<Callback>,
    parameter: *mut c_void,
) -> Code {
    let Some(callback) = callback else { return CLIENT_INVALID_OPERATION };
    // SAFETY: a handle.
    unsafe { share(future) }.on_ready(callback, parameter);
    SUCCESS
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_get_error(future: *mut Future) -> Code {
    // SAFETY: a handle.
    let future = unsafe { &*future };
    match future.outcome() {
        Some(outcome) => coded(outcome.as_ref().map(|_| ()).map_err(|code| *code)),
        None => CLIENT_INVALID_OPERATION,
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_get_int64(future: *mut Future, number: *mut i64) -> Code {
    // SAFETY: a handle, and what is written through.
    unsafe {
        given(future, |outcome| {
            let Outcome::Number(given) = outcome else { return None };
            *number = *given;
            Some(())
        })
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_get_key(future: *mut Future, key: *mut *const u8, bytes: *mut c_int) -> Code {
    // SAFETY: a handle, and what is written through.
    unsafe {
        given(future, |outcome| {
            let Outcome::Key(given) = outcome else { return None };
            (*key, *bytes) = (given.as_ptr(), length(given));
            Some(())
        })
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_get_value(
    future: *mut Future,
    present: *mut c_int,
    value: *mut *const u8,
    bytes: *mut c_int,
) -> Code {
    // SAFETY: a handle, and what is written through.
    unsafe {
        given(future, |outcome| {
            let Outcome::Value(given) = outcome else { return None };
            *present = c_int::from(given.is_some());
            if let Some(given) = given {
                (*value, *bytes) = (given.as_ptr(), length(given));
            }
            Some(())
        })
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_future_get_keyvalue_array(
    future: *mut Future,
    rows: *mut *const Row,
    count: *mut c_int,
    more: *mut c_int,
) -> Code {
    // SAFETY: a handle, and what is written through.
    unsafe {
        given(future, |outcome| {
            let Outcome::Rows(given) = outcome else { return None };
            (*rows, *count) = (given.as_slice().as_ptr(), length(given.as_slice()));
            *more = c_int::from(given.more);
            Some(())
        })
    }
}
