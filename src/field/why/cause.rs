//! Why a session ended: the causes that are told apart, and how sure an answer is.

use std::fmt;

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Something speaks for it, and for other causes too.
    Possible,
    /// What is seen fits this cause better than any other.
    Likely,
    /// It was said on the wire, and nothing that was seen contradicts it.
    Certain,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        })
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $title:literal;)*) => {
        /// Why a session ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EndCause {
            $($(#[$doc])* $variant,)*
        }

        impl EndCause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// One word, for JSON and for tests.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// In words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

causes! {
    /// Its process stopped: its kernel acknowledged all along.
    HoldTimerProcess = "hold-timer-peer-stopped", "hold timer expired: the BGP process of the silent end sent nothing while its kernel went on acknowledging";
    /// Nothing came from it any more, acknowledgments neither.
    HoldTimerUnreachable = "hold-timer-peer-unreachable", "hold timer expired: nothing came from the silent end any more, acknowledgments included";
    /// It wanted to send, and the window of the end whose timer expired was zero.
    HoldTimerZeroWindow = "hold-timer-zero-window", "hold timer expired at an end that had itself stopped reading (zero window)";
    /// It sent, and its segments were lost.
    HoldTimerLoss = "hold-timer-packet-loss", "hold timer expired: the segments of the silent end were lost on the way";
    /// It sent in time, the kernel of the other end had it, and that did not read it.
    HoldTimerNotRead = "hold-timer-not-read", "hold timer expired although messages had arrived in time: the end whose timer it is did not read them";
    /// Nothing tells which of these.
    HoldTimer = "hold-timer", "hold timer expired";
    /// RFC 9687.
    SendHoldTimer = "send-hold-timer", "send hold timer expired: the other end did not read (RFC 9687)";
    /// Large segments are lost, small ones arrive.
    PathMtu = "path-mtu-black-hole", "path MTU black hole: large segments are lost, small ones pass";
    /// A message that its receiver took for malformed.
    MalformedMessage = "malformed-message", "malformed message";
    /// A version that the other end does not speak.
    OpenVersion = "open-refused-version", "OPEN refused: BGP version";
    /// Not the AS that is configured.
    OpenAs = "open-refused-as", "OPEN refused: not the AS number that is configured";
    /// An identifier that is not valid there.
    OpenIdentifier = "open-refused-identifier", "OPEN refused: BGP identifier";
    /// A hold time that is not accepted.
    OpenHoldTime = "open-refused-hold-time", "OPEN refused: hold time";
    /// A capability that is required, or not accepted.
    OpenCapability = "open-refused-capability", "OPEN refused: capability";
    /// For another reason.
    OpenRefused = "open-refused", "OPEN refused";
    /// RFC 4271 section 6.8.
    Collision = "collision", "connection collision: the other connection of the two is kept";
    /// RFC 4486.
    MaximumPrefixes = "maximum-prefixes", "more prefixes than the limit";
    /// RFC 4486.
    AdministrativeShutdown = "administrative-shutdown", "administrative shutdown";
    /// RFC 4486.
    AdministrativeReset = "administrative-reset", "administrative reset";
    /// RFC 4486.
    Deconfigured = "peer-deconfigured", "the peer was removed from the configuration";
    /// RFC 4486.
    ConfigurationChange = "configuration-change", "configuration change";
    /// RFC 4486.
    ConnectionRejected = "connection-rejected", "connection rejected";
    /// RFC 4486.
    OutOfResources = "out-of-resources", "out of resources";
    /// RFC 4271 section 6.6.
    StateMachine = "fsm-error", "finite state machine error: a message that its state does not allow";
    /// RFC 9384.
    BfdDown = "bfd-down", "BFD reported the path down";
    /// Cease without a reason, or an unknown code.
    Ceased = "ceased", "closed by NOTIFICATION without a reason";
    /// A NOTIFICATION whose receiver may have seen the RST alone.
    NotificationOvertaken = "notification-overtaken", "NOTIFICATION overtaken by RST";
    /// The process or host is gone.
    Crash = "crash", "the process ended without a word: crashed or killed";
    /// A host that does not know the connection.
    ConnectionUnknown = "connection-unknown", "the host no longer knew the connection: it restarted, or another host or middlebox took over the address";
    /// An application that closed with input left to read.
    UnreadInput = "unread-input", "closed with unread input: the kernel then sends RST in place of FIN";
    /// A device on the way.
    Middlebox = "middlebox", "a device on the path reset the connection";
    /// RST, and nothing speaks for one of these more than for another.
    Reset = "reset", "RST without NOTIFICATION";
    /// FIN, and nothing more is known.
    Closed = "closed-without-notification", "closed (FIN) without NOTIFICATION";
    /// RFC 4724.
    GracefulRestart = "graceful-restart", "graceful restart: the speaker restarted and said so";
    /// Retransmissions without an answer until TCP gave up.
    RetransmissionTimeout = "retransmission-timeout", "retransmission timeout: what was sent was never acknowledged, until TCP gave up";
    /// SYNs with an MD5 signature that nobody answers.
    Md5Mismatch = "md5-mismatch", "TCP MD5 signatures: SYNs are never answered";
    /// SYNs with an authentication option that nobody answers.
    AoMismatch = "ao-mismatch", "TCP authentication option: SYNs are never answered";
    /// SYNs whose time to live the other end does not accept.
    TtlMismatch = "ttl-mismatch", "TTL security: SYNs are never answered";
    /// SYNs that nobody answers.
    Unanswered = "unanswered", "SYNs are never answered";
    /// Nobody listens.
    Refused = "refused", "refused: nothing listens on the port";
    /// Connected, and closed again before an OPEN.
    Silent = "nothing-said", "connected, and closed before an OPEN";
    /// What a plan does in a run.
    PlanFault = "plan-fault", "a fault of the plan ended it";
    /// What a BMP station was told.
    Monitored = "monitored", "reported down";
    /// Nothing tells.
    Unknown = "unknown", "nothing in the capture tells why";
}

impl fmt::Display for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
