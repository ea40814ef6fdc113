//! Doors for the fuzz targets to what is private otherwise.

/// Parses a datagram as the SIP side does when it arrives.
pub fn parse_sip(datagram: &[u8]) {
    /// As large as the stack's own buffer.
    const BUFFER: usize = 2048;
    let mut buffer = vec![0; BUFFER.max(datagram.len())];
    buffer[..datagram.len()].copy_from_slice(datagram);
    let length = crate::udp::complete(&mut buffer, datagram.len());
    // Whether it is a message does not matter here; that it does not panic does.
    drop(rsipstack::sip::SipMessage::try_from(&buffer[..length]));
}
