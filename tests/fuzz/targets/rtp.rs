//! Datagrams of anybody through the whole receiving path: sorting, keys, jitter buffer, decoding,
//! concealment.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use radline_audio::Codec;
use radline_audio::concealment::Concealment;
use radline_audio::jitter_buffer::{JitterBuffer, Playout};
use radline_telephony::dtmf::KeyEvents;
use radline_telephony::rtp::{self, Incoming};

fuzz_target!(|datagrams: Vec<Vec<u8>>| {
    let (mut jitter, mut keys) = (JitterBuffer::new(8000), KeyEvents::default());
    let mut concealment = Concealment::default();
    for (number, datagram) in datagrams.iter().take(200).enumerate() {
        let now = Duration::from_millis(number as u64 * 20);
        match rtp::sort(datagram, 0, Some(101)) {
            Incoming::Audio(packet) => jitter.push(now, packet),
            Incoming::Event(timestamp, payload) => drop(keys.push(timestamp, &payload)),
            Incoming::Other => {}
        }
        match jitter.pop(now) {
            Playout::Payload(payload) => concealment.good(&mut Codec::Pcmu.decode(&payload)),
            Playout::Lost(samples) => drop(concealment.conceal(samples as usize)),
            Playout::Waiting | Playout::Silent => {}
        }
    }
});
