//! What the end-to-end suites share: a caller that is not Radline.

pub mod caller;
pub mod phone;
pub mod recordings;
pub mod server;
