//! HTTP digest authentication of SIP requests (RFC 2617, MD5, as trunks use it).

use std::time::Duration;

use md5::{Digest, Md5};
use rand::Rng;

use crate::admission::Credentials;

/// How long a nonce is good for.
const NONCE_LIFE: Duration = Duration::from_mins(5);

/// Makes and checks challenges. A nonce carries its own time and is signed, so that nothing has
/// to be remembered for a caller who never comes back.
#[derive(Debug)]
pub struct DigestAuthentication {
    key: [u8; 32],
}

/// What an Authorization header says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// User name.
    pub user: &'a str,
    /// Protection domain.
    pub realm: &'a str,
    /// The challenge it answers.
    pub nonce: &'a str,
    /// Request address that was signed.
    pub uri: &'a str,
    /// The proof.
    pub response: &'a str,
    /// Quality of protection; empty for the form of RFC 2069.
    pub qop: &'a str,
    /// Nonce count.
    pub nc: &'a str,
    /// Client's nonce.
    pub cnonce: &'a str,
}

impl DigestAuthentication {
    /// With a key of its own: challenges of another process are not accepted.
    pub fn new() -> Self {
        Self { key: rand::rng().random() }
    }

    /// A fresh challenge. `now` is monotonic time since any fixed moment.
    pub fn nonce(&self, now: Duration) -> String {
        let seconds = now.as_secs();
        format!("{seconds:x}.{}", self.signature(seconds))
    }

    fn signature(&self, seconds: u64) -> String {
        let key = hex(&self.key);
        // Keyed twice, inside and outside, as HMAC does.
        md5_hex(&[&key, &md5_hex(&[&key, &seconds.to_string()])])
    }

    /// Whether the header proves that its sender knows the password of one of the accounts.
    pub fn proves(
        &self,
        now: Duration,
        method: &str,
        authorization: &Authorization<'_>,
        accounts: &[Credentials],
    ) -> bool {
        let account = accounts.iter().find(|account| {
            account.user == authorization.user && account.realm == authorization.realm
        });
        let Some(account) = account.filter(|_| self.is_fresh(now, authorization.nonce)) else {
            return false;
        };
        let a1 = md5_hex(&[&account.user, &account.realm, &account.password]);
        let a2 = md5_hex(&[method, authorization.uri]);
        let expected = match authorization.qop {
            "auth" => {
                let Authorization { nonce, nc, cnonce, .. } = authorization;
                md5_hex(&[&a1, nonce, nc, cnonce, "auth", &a2])
            }
            "" => md5_hex(&[&a1, authorization.nonce, &a2]),
            _ => return false,
        };
        equal(expected.as_bytes(), authorization.response.to_ascii_lowercase().as_bytes())
    }

    fn is_fresh(&self, now: Duration, nonce: &str) -> bool {
        let Some((seconds, signature)) = nonce.split_once('.') else { return false };
        let Ok(seconds) = u64::from_str_radix(seconds, 16) else { return false };
        let age = now.as_secs().checked_sub(seconds);
        age.is_some_and(|age| age <= NONCE_LIFE.as_secs())
            && equal(self.signature(seconds).as_bytes(), signature.as_bytes())
    }
}

impl Default for DigestAuthentication {
    fn default() -> Self {
        Self::new()
    }
}

/// MD5 over the parts joined by colons, in hexadecimal.
fn md5_hex(parts: &[&str]) -> String {
    hex(&Md5::digest(parts.join(":")))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Compares in the same time whether the texts differ early or late.
fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Credentials {
        Credentials { realm: "radline".into(), user: "trunk".into(), password: "secret".into() }
    }

    fn answer(nonce: &str, password: &str) -> String {
        let a1 = md5_hex(&["trunk", "radline", password]);
        md5_hex(&[&a1, nonce, "00000001", "abc", "auth", &md5_hex(&["INVITE", "sip:x"])])
    }

    fn proves(digest: &DigestAuthentication, at: u64, nonce: &str, password: &str) -> bool {
        let response = answer(nonce, password);
        let authorization = Authorization {
            user: "trunk",
            realm: "radline",
            nonce,
            uri: "sip:x",
            response: &response,
            qop: "auth",
            nc: "00000001",
            cnonce: "abc",
        };
        digest.proves(Duration::from_secs(at), "INVITE", &authorization, &[account()])
    }

    #[test]
    fn only_the_password_and_a_fresh_nonce_prove_anything() {
        let digest = DigestAuthentication::new();
        let nonce = digest.nonce(Duration::from_secs(100));
        assert!(proves(&digest, 101, &nonce, "secret"));
        assert!(!proves(&digest, 101, &nonce, "guess"));
        assert!(!proves(&digest, 1000, &nonce, "secret"), "stale");
        assert!(!proves(&digest, 101, "64.forged", "secret"));
        assert!(!proves(&DigestAuthentication::new(), 101, &nonce, "secret"), "another process");
    }

    #[test]
    fn the_example_of_rfc_2617_holds() {
        let a1 = md5_hex(&["Mufasa", "testrealm@host.com", "Circle Of Life"]);
        let a2 = md5_hex(&["GET", "/dir/index.html"]);
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let response = md5_hex(&[&a1, nonce, "00000001", "0a4f113b", "auth", &a2]);
        assert_eq!(response, "6629fae49393a05397450978507c4ef1");
    }
}
