//! The C functions, as `fdb_c.h` of FoundationDB 7.3 declares them. Everything they do is done elsewhere.
//!
//! # Safety
//!
//! Their callers keep what the header asks for. Handles are what the functions here gave out and are not used after they
//! were destroyed; a pointer with a length is to that many bytes; what is written through is valid for that.

mod futures;
mod transactions;

use core::ffi::{CStr, c_char, c_int, c_uint};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::code::{self, Code, INVALID_OPTION, SUCCESS};
use crate::database::Database;
use crate::network::{API_VERSION, Network};
use crate::transaction::Transaction;

/// `FDBNetworkOption`: those of traces, TLS and other client libraries, which say nothing to a stand-in.
const NETWORK_OPTIONS: [c_uint; 9] = [30, 34, 43, 46, 47, 53, 54, 62, 63];

/// The code of what came out.
fn coded(result: Result<(), Code>) -> Code {
    result.err().unwrap_or(SUCCESS)
}

/// # Safety
/// `bytes` is to `length` bytes, or null.
unsafe fn slice<'a>(bytes: *const u8, length: c_int) -> &'a [u8] {
    match usize::try_from(length) {
        Ok(length @ 1..) if !bytes.is_null() => {
            // SAFETY: promised by the caller.
            unsafe { core::slice::from_raw_parts(bytes, length) }
        }
        _ => &[],
    }
}

/// A handle to `it`, which is dropped by [`take`].
fn give<T>(it: Arc<T>) -> *mut T {
    Arc::into_raw(it).cast_mut()
}

/// # Safety
/// `handle` is one that [`give`] gave, and was not taken.
unsafe fn share<T>(handle: *const T) -> Arc<T> {
    // SAFETY: promised by the caller; the count goes up for the one that is given back.
    unsafe {
        Arc::increment_strong_count(handle);
        Arc::from_raw(handle)
    }
}

/// # Safety
/// `handle` is one that [`give`] gave, and was not taken. It is now.
unsafe fn take<T>(handle: *const T) -> Arc<T> {
    // SAFETY: promised by the caller.
    unsafe { Arc::from_raw(handle) }
}

#[unsafe(no_mangle)]
extern "C" fn fdb_get_error(code: Code) -> *const c_char {
    code::message(code).as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn fdb_error_predicate(predicate: c_int, code: Code) -> c_int {
    c_int::from(code::predicate(predicate, code))
}

#[unsafe(no_mangle)]
extern "C" fn fdb_get_max_api_version() -> c_int {
    API_VERSION
}

#[unsafe(no_mangle)]
extern "C" fn fdb_select_api_version_impl(runtime: c_int, header: c_int) -> Code {
    coded(Network::of_process().select_version(runtime, header))
}

#[unsafe(no_mangle)]
extern "C" fn fdb_network_set_option(option: c_uint, _value: *const u8, _length: c_int) -> Code {
    let known = NETWORK_OPTIONS.contains(&option).then_some(()).ok_or(INVALID_OPTION);
    coded(Network::of_process().takes_options().and(known))
}

#[unsafe(no_mangle)]
extern "C" fn fdb_setup_network() -> Code {
    coded(Network::of_process().set_up())
}

#[unsafe(no_mangle)]
extern "C" fn fdb_run_network() -> Code {
    coded(Network::of_process().run())
}

#[unsafe(no_mangle)]
extern "C" fn fdb_stop_network() -> Code {
    coded(Network::of_process().stop())
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_create_database(cluster_file: *const c_char, database: *mut *mut Database) -> Code {
    let path = (!cluster_file.is_null()).then(|| {
        // SAFETY: it is text that ends in a zero.
        let path = unsafe { CStr::from_ptr(cluster_file) };
        PathBuf::from(OsStr::from_bytes(path.to_bytes()))
    });
    match Database::new(path.filter(|path| !path.as_os_str().is_empty())) {
        Ok(made) => {
            // SAFETY: it is written through.
            unsafe { *database = give(Arc::new(made)) };
            SUCCESS
        }
        Err(code) => code,
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_database_destroy(database: *mut Database) {
    // SAFETY: a handle, for the last time.
    drop(unsafe { take(database) });
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_database_set_option(
    database: *mut Database,
    option: c_uint,
    value: *const u8,
    length: c_int,
) -> Code {
    // SAFETY: a handle, and bytes.
    let (database, value) = unsafe { (share(database), slice(value, length)) };
    coded(database.set_option(option, value))
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_database_create_transaction(
    database: *mut Database,
    transaction: *mut *mut Transaction,
) -> Code {
    // SAFETY: a handle, and what is written through.
    unsafe { *transaction = give(Arc::new(Transaction::new(share(database)))) };
    SUCCESS
}
