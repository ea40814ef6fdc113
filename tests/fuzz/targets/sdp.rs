//! Offers of anybody: parsing and answering must not panic, and an answer must be readable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use radline_telephony::sdp::Description;

fuzz_target!(|body: &[u8]| {
    if let Ok(offer) = Description::parse(body) {
        let answer = offer.answer(([192, 0, 2, 1], 4000).into(), 1);
        let again = Description::parse(&answer).expect("our own answer is readable");
        assert_eq!(again.agreement().codec, offer.agreement().codec);
    }
});
