//! SIP of anybody, as it arrives over UDP: our own completion of it, and then the stack's parser.
#![no_main]

use libfuzzer_sys::fuzz_target;
use radline_telephony::fuzzing::parse_sip;

fuzz_target!(|datagram: &[u8]| parse_sip(datagram));
