//! A key that nobody needs any more is in no memory that is given back.
//!
//! What was freed may not be read. So it is read before that: by the allocator of this program, to which a block still belongs
//! when it is given back, with all its bytes written.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sayso_vault::SecretKey;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

#[global_allocator]
static WATCHFUL: Watchful = Watchful { at: AtomicUsize::new(0), seen: Mutex::new(None) };

/// The system's allocator, which looks at one block when it is given back.
struct Watchful {
    /// Where that is; 0 for none.
    at: AtomicUsize,
    /// What was in it.
    seen: Mutex<Option<[u8; KEY_BYTES]>>,
}

impl Watchful {
    /// Looks at the block of `bytes`, which must be the content of a box.
    fn watch(&self, bytes: &[u8; KEY_BYTES]) {
        self.at.store(bytes.as_ptr() as usize, Ordering::SeqCst);
    }

    /// What was in it when it was given back.
    fn seen(&self) -> [u8; KEY_BYTES] {
        self.seen.lock().expect("nobody panics").take().expect("it was given back")
    }
}

#[expect(unsafe_code, reason = "the trait is unsafe; all is left to the system's allocator, and one block is read")]
// SAFETY: each call is passed on as it is.
unsafe impl GlobalAlloc for Watchful {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that it asks for
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.at.compare_exchange(block as usize, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            assert_eq!(layout, Layout::new::<[u8; KEY_BYTES]>());
            // SAFETY: it was the content of a box, so all of it is there and written, and nobody else has it until it is
            // passed on
            let bytes = unsafe { block.cast::<[u8; KEY_BYTES]>().read_volatile() };
            *self.seen.lock().expect("nobody panics") = Some(bytes);
        }
        // SAFETY: the caller's promise is the one that it asks for
        unsafe { System.dealloc(block, layout) }
    }
}

#[test]
fn a_key_is_wiped_before_its_memory_is_given_back() {
    let bytes = black_box(Box::new([0xab; KEY_BYTES]));
    WATCHFUL.watch(&bytes);
    drop(bytes);
    assert_eq!(WATCHFUL.seen(), [0xab; KEY_BYTES], "what is not wiped is seen");

    let key = black_box(SecretKey::from_slice(&[0xab; KEY_BYTES]).unwrap());
    WATCHFUL.watch(key.reveal());
    drop(key);
    assert_eq!(WATCHFUL.seen(), [0; KEY_BYTES]);
}
