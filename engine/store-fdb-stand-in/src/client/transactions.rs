//! The C functions of transactions. For the safety of all of them, see [`client`](super).

use core::ffi::{c_int, c_uint};

use super::{coded, give, share, slice, take};
use crate::code::{CLIENT_INVALID_OPERATION, Code, INVALID_MUTATION_TYPE, SUCCESS};
use crate::future::Future;
use crate::keyspace::{Mutation, has_room_for_a_stamp};
use crate::network::Network;
use crate::pages::Limits;
use crate::transaction::{Transaction, one};

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_destroy(transaction: *mut Transaction) {
    // SAFETY: a handle, for the last time.
    unsafe { take(transaction) }.destroy();
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_set_option(
    transaction: *mut Transaction,
    option: c_uint,
    _value: *const u8,
    _length: c_int,
) -> Code {
    // SAFETY: a handle.
    coded(unsafe { share(transaction) }.set_option(option))
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_get_read_version(transaction: *mut Transaction) -> *mut Future {
    // SAFETY: a handle.
    give(unsafe { share(transaction) }.read_version())
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_get(
    transaction: *mut Transaction,
    key: *const u8,
    length: c_int,
    snapshot: c_int,
) -> *mut Future {
    // SAFETY: a handle, and bytes.
    let (transaction, key) = unsafe { (share(transaction), slice(key, length)) };
    give(transaction.get(key.to_vec(), snapshot != 0))
}

/// Where a selector begins; `None` for one that counts keys.
fn selected(key: &[u8], or_equal: c_int, offset: c_int) -> Option<Vec<u8>> {
    (offset == 1).then(|| if or_equal == 0 { key.to_vec() } else { one(key.to_vec()).1 })
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_get_range(
    transaction: *mut Transaction,
    begin: *const u8,
    begin_length: c_int,
    begin_or_equal: c_int,
    begin_offset: c_int,
    end: *const u8,
    end_length: c_int,
    end_or_equal: c_int,
    end_offset: c_int,
    limit: c_int,
    target_bytes: c_int,
    mode: c_int,
    iteration: c_int,
    snapshot: c_int,
    reverse: c_int,
) -> *mut Future {
    // SAFETY: a handle, and bytes.
    let (transaction, begin, end) = unsafe { (share(transaction), slice(begin, begin_length), slice(end, end_length)) };
    let range = selected(begin, begin_or_equal, begin_offset).zip(selected(end, end_or_equal, end_offset));
    let limits = Limits::new(limit, target_bytes, mode, iteration);
    match range.ok_or(CLIENT_INVALID_OPERATION).and_then(|range| Ok((range, limits?))) {
        Ok((range, limits)) => give(transaction.get_range(range, limits, snapshot != 0, reverse != 0)),
        Err(code) => give(Network::of_process().ask(move || Err(code))),
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_set(
    transaction: *mut Transaction,
    key: *const u8,
    key_length: c_int,
    value: *const u8,
    value_length: c_int,
) {
    // SAFETY: a handle, and bytes.
    let (transaction, key, value) = unsafe { (share(transaction), slice(key, key_length), slice(value, value_length)) };
    transaction.write(Ok(Mutation::Set(key.to_vec(), value.to_vec())));
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_clear(transaction: *mut Transaction, key: *const u8, length: c_int) {
    // SAFETY: a handle, and bytes.
    let (transaction, key) = unsafe { (share(transaction), slice(key, length)) };
    transaction.write(Ok(Mutation::Clear(one(key.to_vec()))));
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_clear_range(
    transaction: *mut Transaction,
    begin: *const u8,
    begin_length: c_int,
    end: *const u8,
    end_length: c_int,
) {
    // SAFETY: a handle, and bytes.
    let (transaction, begin, end) = unsafe { (share(transaction), slice(begin, begin_length), slice(end, end_length)) };
    transaction.write(Ok(Mutation::Clear((begin.to_vec(), end.to_vec()))));
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_atomic_op(
    transaction: *mut Transaction,
    key: *const u8,
    key_length: c_int,
    operand: *const u8,
    operand_length: c_int,
    operation: c_uint,
) {
    // SAFETY: a handle, and bytes.
    let (transaction, key, operand) =
        unsafe { (share(transaction), slice(key, key_length), slice(operand, operand_length)) };
    transaction.write(mutation(operation, key.to_vec(), operand.to_vec()));
}

/// `FDBMutationType`: those that `store-fdb` uses.
fn mutation(operation: c_uint, key: Vec<u8>, operand: Vec<u8>) -> Result<Mutation, Code> {
    match operation {
        2 => Ok(Mutation::Add(key, operand)),
        14 if has_room_for_a_stamp(&key) => Ok(Mutation::StampedKey(key, operand)),
        15 if has_room_for_a_stamp(&operand) => Ok(Mutation::StampedValue(key, operand)),
        14 | 15 => Err(CLIENT_INVALID_OPERATION),
        17 => Ok(Mutation::ByteMax(key, operand)),
        _ => Err(INVALID_MUTATION_TYPE),
    }
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_add_conflict_range(
    transaction: *mut Transaction,
    begin: *const u8,
    begin_length: c_int,
    end: *const u8,
    end_length: c_int,
    kind: c_uint,
) -> Code {
    // SAFETY: a handle, and bytes.
    let (transaction, begin, end) = unsafe { (share(transaction), slice(begin, begin_length), slice(end, end_length)) };
    transaction.conflict((begin.to_vec(), end.to_vec()), kind == 1);
    SUCCESS
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_watch(
    transaction: *mut Transaction,
    key: *const u8,
    length: c_int,
) -> *mut Future {
    // SAFETY: a handle, and bytes.
    let (transaction, key) = unsafe { (share(transaction), slice(key, length)) };
    give(transaction.watch(key.to_vec()))
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_commit(transaction: *mut Transaction) -> *mut Future {
    // SAFETY: a handle.
    give(unsafe { share(transaction) }.commit())
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_get_versionstamp(transaction: *mut Transaction) -> *mut Future {
    // SAFETY: a handle.
    give(unsafe { share(transaction) }.stamp())
}

/// # Safety
/// See the module.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdb_transaction_on_error(transaction: *mut Transaction, code: Code) -> *mut Future {
    // SAFETY: a handle.
    give(unsafe { share(transaction) }.on_error(code))
}
