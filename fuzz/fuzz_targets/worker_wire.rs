//! What a worker that was taken over could send, and what the parent makes of it; and the other way round.
//!
//! `cargo +nightly fuzz run worker_wire -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use minutia::scan::Request;
use minutia_sandbox::wire::{Answer, Ask, PROTOCOL, check_item, check_problem, encode, take};

fuzz_target!(|data: &[u8]| {
    frames(data.to_vec());
    // Once more with a header that is right, since what stands behind it is deeper.
    let header = [&(data.len() as u32).to_le_bytes()[..], &[PROTOCOL]].concat();
    frames([&header, data].concat());
});

fn frames(bytes: Vec<u8>) {
    let mut inbox = bytes.clone();
    while let Ok(Some(answer)) = take::<Answer>(&mut inbox) {
        let sound = match &answer {
            Answer::Item(item) => check_item(item, &Request::query()).is_ok(),
            Answer::Done(Err(problem)) => check_problem(problem).is_ok(),
            // Bounded as it is gathered.
            Answer::Piece { .. } | Answer::Done(Ok(())) | Answer::Ready { .. } => true,
        };
        if sound {
            let mut again = encode(&answer).expect("what came in a frame fits into one");
            assert_eq!(take(&mut again), Ok(Some(answer)));
        }
    }
    let mut inbox = bytes;
    while let Ok(Some(_)) = take::<Ask>(&mut inbox) {}
}
