//! Who may call: peers on a list, and trunks that prove a password. Nobody else, ever.

use std::net::IpAddr;
use std::str::FromStr;

/// A network, such as "10.1.0.0/16" or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A network that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not an address or a network such as 10.1.0.0/16")]
pub struct BadNetwork(String);

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadNetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), |prefix| prefix.parse().map_err(|_| bad()))?;
        if prefix > longest {
            return Err(bad());
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    /// Whether the address belongs to the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// A trunk's account.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Protection domain, as the trunk knows it.
    pub realm: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Credentials {{ realm: {:?}, .. }}", self.realm)
    }
}

/// Who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// Peers that are let in by their address.
    pub peers: Vec<Network>,
    /// Accounts that are let in by their password.
    pub trunks: Vec<Credentials>,
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Let it in.
    Welcome,
    /// Ask for a password.
    Challenge,
    /// Turn it away.
    Forbidden,
}

impl Admission {
    /// The verdict on a request that shows no password.
    pub fn judge(&self, peer: IpAddr) -> Verdict {
        if self.peers.iter().any(|network| network.contains(peer)) {
            Verdict::Welcome
        } else if self.trunks.is_empty() {
            Verdict::Forbidden
        } else {
            Verdict::Challenge
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_they_should() {
        let holds = |network: &str, address: &str| {
            let network: Network = network.parse().expect("reads");
            network.contains(address.parse().expect("reads"))
        };
        assert!(holds("10.1.0.0/16", "10.1.255.3"));
        assert!(!holds("10.1.0.0/16", "10.2.0.1"));
        assert!(holds("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(holds("0.0.0.0/0", "8.8.8.8"));
        assert!(holds("fd00::/8", "fd12::1"));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
        assert!("ten".parse::<Network>().is_err());
    }

    #[test]
    fn an_empty_admission_lets_nobody_in() {
        let address = "127.0.0.1".parse().expect("reads");
        assert_eq!(Admission::default().judge(address), Verdict::Forbidden);
    }
}
