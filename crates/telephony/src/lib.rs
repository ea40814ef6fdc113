//! SIP and RTP legs: signalling and datagrams in, audio frames out.
