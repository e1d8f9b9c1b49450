//! Rare paths: a sweep reports those that it never reached.

use std::fmt;

macro_rules! probes {
    ($($variant:ident, $about:literal;)*) => {
        /// A rare path.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Probe {
            $(#[doc = $about] $variant,)*
        }

        impl Probe {
            /// Every rare path.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }

        impl fmt::Display for Probe {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $about,)* })
            }
        }
    };
}

probes! {
    Collision, "two connections with one neighbor met";
    ConnectFailed, "a connection was refused or timed out";
    ConnectionLost, "an established session was reset";
    LostBetweenOpenAndKeepalive, "a session was reset between OPEN and KEEPALIVE";
    SplitRead, "a message came in two reads";
    PartialWrite, "a message left in two writes";
    ZeroWindow, "the window closed";
    HoldExpired, "a hold timer expired";
    SendHoldExpired, "a send hold timer expired";
    RouteRefresh, "ROUTE-REFRESH was sent";
    RefreshDuringFlush, "a refresh or flush came before the last was taken";
    ProgramEnded, "an API program ended";
}
