//! Reading an OCSP request takes no memory from the heap, whatever the request says.
#![expect(unsafe_code, reason = "an allocator is made of unsafe functions")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use tenkoku_pki::ocsp::Request;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread asks of it.
struct Counting;

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the place came from `alloc` above, which is the system's.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often the heap was asked while `work` ran.
fn asked<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = COUNT.with(Cell::get);
    let done = work();
    (done, COUNT.with(Cell::get) - before)
}

#[test]
fn reading_a_request_asks_the_heap_for_nothing() {
    let (_, some) = asked(|| vec![1_u8; 10]);
    assert!(some > 0, "the allocator counts");
    let corpus = format!("{}/../../fuzz/corpus/ocsp_request", env!("CARGO_MANIFEST_DIR"));
    let (mut good, mut bad) = (0, 0);
    for file in fs::read_dir(corpus).expect("the corpus") {
        let octets = fs::read(file.expect("a file").path()).expect("a file");
        let (read, count) = asked(|| Request::parse(&octets).is_ok());
        assert_eq!(count, 0, "{}", hex::encode(&octets));
        if read { good += 1 } else { bad += 1 }
    }
    assert!(good >= 8 && bad >= 8, "{good} good, {bad} bad");
}
