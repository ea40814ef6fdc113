//! Passwords and one-time codes. The rules are the usual ones: Argon2id with its recommended costs
//! (RFC 9106), TOTP of six digits every thirty seconds (RFC 6238).

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use jiff::Timestamp;
use radline_store::{Account, Role, Secret};
use rand::RngCore;
use totp_rs::{Algorithm, TOTP};

/// Shortest password, characters (NIST SP 800-63B asks for eight; twelve costs nobody much).
const PASSWORD_MIN: usize = 12;
/// Longest password that is hashed, bytes: hashing is work that a stranger could ask for.
const PASSWORD_MAX: usize = 256;
/// Length of a one-time code's step, s.
const STEP_S: u64 = 30;
/// Steps that a phone's clock may be off.
const SKEW: u8 = 1;

/// Why an account cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The name is no name.
    #[error("a name has 2 to 40 small letters, digits, dots or dashes")]
    Name,
    /// The display name is empty or too long.
    #[error("say whose account it is, in at most 80 letters")]
    Display,
    /// The password is too short or too long.
    #[error("a password has at least {PASSWORD_MIN} characters")]
    Password,
    /// The role is none.
    #[error("a role is one of provider, supervisor, operator, researcher")]
    Role,
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Hash,
}

/// What the owner of a new account needs for their one-time codes.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The secret, base32.
    pub secret: Secret,
    /// The same as an address for an authenticator.
    pub uri: Secret,
}

/// A new account, and what its owner needs.
pub fn new_account(
    name: &str,
    display: &str,
    role: &str,
    password: &str,
    now: Timestamp,
) -> Result<(Account, Enrolment), AccountError> {
    let plain = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-".contains(letter)
    };
    if !(2..=40).contains(&name.len()) || !name.chars().all(plain) {
        return Err(AccountError::Name);
    }
    let display = display.trim();
    if !(1..=80).contains(&display.chars().count()) {
        return Err(AccountError::Display);
    }
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(AccountError::Password);
    }
    let role = Role::from_key(role).ok_or(AccountError::Role)?;
    let mut bytes = [0; 20];
    rand::rng().fill_bytes(&mut bytes);
    let totp = codes(bytes.to_vec(), name).ok_or(AccountError::Hash)?;
    let enrolment =
        Enrolment { secret: Secret(totp.get_secret_base32()), uri: Secret(totp.get_url()) };
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|_| AccountError::Hash)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    let password = hash.map_err(|_| AccountError::Hash)?.to_string();
    let account = Account {
        name: name.to_owned(),
        display: display.to_owned(),
        role,
        password,
        totp: enrolment.secret.clone(),
        used: 0,
        created: now,
    };
    Ok((account, enrolment))
}

fn codes(secret: Vec<u8>, account: &str) -> Option<TOTP> {
    let issuer = Some("Radline".to_owned());
    TOTP::new(Algorithm::SHA1, 6, SKEW, STEP_S, secret, issuer, account.to_owned()).ok()
}

/// Whether the password is the account's. For no account at all the same work is done, so that the
/// time does not tell which names there are.
pub fn is_password(account: Option<&Account>, password: &str) -> bool {
    /// A hash of nothing that anybody knows.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let hash = account.map_or(NOBODY, |account| account.password.as_str());
    let bounded = &password.as_bytes()[..password.len().min(PASSWORD_MAX + 1)];
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(bounded, &hash).is_ok() && account.is_some()
}

/// The time step for which the code is right, if it is right now.
pub fn step_of_code(account: &Account, code: &str, now: Timestamp) -> Option<i64> {
    let secret = totp_rs::Secret::Encoded(account.totp.0.clone()).to_bytes().ok()?;
    let totp = codes(secret, &account.name)?;
    let code: String = code.chars().filter(char::is_ascii_digit).collect();
    let step = now.as_second() / STEP_S as i64;
    (-i64::from(SKEW)..=i64::from(SKEW)).map(|off| step + off).find(|step| {
        let expected = totp.generate((step * STEP_S as i64) as u64);
        subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), code.as_bytes()).into()
    })
}

/// The one-time code of now.
pub fn code_of(account: &Account, now: Timestamp) -> Option<String> {
    let secret = totp_rs::Secret::Encoded(account.totp.0.clone()).to_bytes().ok()?;
    Some(codes(secret, &account.name)?.generate(u64::try_from(now.as_second()).ok()?))
}

/// A fresh bearer token.
pub fn new_token() -> Secret {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).expect("in range")
    }

    fn account() -> Account {
        let new = new_account("jo.park", "Jo Park", "provider", "correct horse battery", now());
        new.expect("well formed").0
    }

    #[test]
    fn a_password_is_right_or_wrong_and_never_kept() {
        let account = account();
        assert!(!account.password.contains("horse"));
        assert!(is_password(Some(&account), "correct horse battery"));
        assert!(!is_password(Some(&account), "correct horse batter"));
        assert!(!is_password(None, "correct horse battery"));
    }

    #[test]
    fn a_code_is_right_for_its_step_and_the_neighbours() {
        let account = account();
        let secret = totp_rs::Secret::Encoded(account.totp.0.clone()).to_bytes().expect("base32");
        let code = codes(secret, "jo.park").expect("valid").generate(now().as_second() as u64);
        let step = step_of_code(&account, &code, now()).expect("right");
        assert_eq!(step, now().as_second() / 30);
        let later = |seconds| now() + jiff::SignedDuration::from_secs(seconds);
        assert_eq!(step_of_code(&account, &code, later(30)), Some(step));
        assert_eq!(step_of_code(&account, &code, later(90)), None);
        assert_eq!(step_of_code(&account, "", now()), None);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let new = |name, display, role, password| {
            new_account(name, display, role, password, now()).map(|_| ()).expect_err("nonsense")
        };
        let good = "correct horse battery";
        assert_eq!(new("J P", "Jo", "provider", good), AccountError::Name);
        assert_eq!(new("jo", " ", "provider", good), AccountError::Display);
        assert_eq!(new("jo", "Jo", "provider", "short"), AccountError::Password);
        assert_eq!(new("jo", "Jo", "king", good), AccountError::Role);
    }
}
