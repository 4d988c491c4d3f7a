//! Who may open the console.

use std::net::SocketAddr;

use hyper::header::{FORWARDED, HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who may open the console, the pages under `/_pretender/console/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleAccess {
    /// Nobody.
    Off,
    /// Browsers on this machine. A request that a proxy has passed on is not from this machine.
    #[default]
    Loopback,
    /// Everybody who reaches the server.
    Anywhere,
}

impl ConsoleAccess {
    /// Returns whether a request from this peer, with these headers, is for a console that is there.
    pub(crate) fn admits(self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        match self {
            Self::Off => false,
            Self::Loopback => {
                let is_passed_on = headers.contains_key(FORWARDED) || headers.contains_key(FORWARDED_FOR);
                peer.ip().to_canonical().is_loopback() && !is_passed_on
            }
            Self::Anywhere => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_only_this_machine_has_a_console() {
        let direct = HeaderMap::new();
        let passed_on = |name: HeaderName| HeaderMap::from_iter([(name, "192.0.2.1".parse().unwrap())]);
        for (peer, headers, is_local) in [
            ("127.0.0.1:4000", &direct, true),
            ("127.1.2.3:4000", &direct, true),
            ("[::1]:4000", &direct, true),
            ("[::ffff:127.0.0.1]:4000", &direct, true),
            ("192.168.1.5:4000", &direct, false),
            ("[2001:db8::1]:4000", &direct, false),
            ("127.0.0.1:4000", &passed_on(FORWARDED), false),
            ("127.0.0.1:4000", &passed_on(FORWARDED_FOR), false),
        ] {
            let peer = peer.parse().unwrap();
            assert_eq!(ConsoleAccess::default().admits(peer, headers), is_local, "{peer}");
            assert!(ConsoleAccess::Anywhere.admits(peer, headers));
            assert!(!ConsoleAccess::Off.admits(peer, headers));
        }
    }
}
