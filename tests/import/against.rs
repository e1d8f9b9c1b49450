//! The recorded peer against our speaker with a configuration of the user's own, and against a real daemon.

use std::path::{Path, PathBuf};

use lockstep::compare::Declared;
use lockstep::field::import::against::{Against, Ends, Played, play};
use lockstep::field::import::{Choice, ImportError, Trace};
use lockstep::reactor::Mode;
use lockstep::subject::{SpeakerName, Variant};

use super::scratch;

const OPERATOR: &str = "neighbor 192.0.2.2 {\n    router-id 192.0.2.1;\n    local-address 192.0.2.1;\n    \
                        local-as 65001;\n    peer-as 65002;\n    hold-time 90;\n}\n";

fn played(name: &str, variant: Variant, text: Option<&str>) -> Result<Played, ImportError> {
    let file = PathBuf::from(format!("captures/why/{name}.pcap"));
    let directory = scratch(&format!(
        "against-{name}-{}-{}",
        variant.file_name(),
        text.map_or(0, |it| 1 + usize::from(it.contains(".77")))
    ));
    let configuration = text.map(|text| {
        let path = directory.join("operator.conf");
        std::fs::write(&path, text).unwrap();
        path
    });
    let against = Against {
        variants: vec![variant],
        configuration,
    };
    let choice = Choice {
        connection: Some(1),
        speaker: Some("192.0.2.1".parse().unwrap()),
    };
    let trace = Trace::read(&file, &Declared::default()).unwrap();
    play(&trace, &file, &choice, &against, &directory)
}

#[test]
fn a_configuration_of_the_users_own_meets_the_recorded_peer() {
    for mode in Mode::ALL {
        let played = played("malformed-nlri", Variant::own(mode), Some(OPERATOR)).unwrap();
        let outcome = &played.outcomes[0];
        // It complains of the same message, at the time at which that came.
        let Ends::Notified(3, _, at) = outcome.ends else {
            panic!("{outcome:?}");
        };
        assert!(at <= played.timeline.end, "{outcome:?}");
    }
}

#[test]
fn a_configuration_without_the_peer_is_refused() {
    let text = OPERATOR.replace("192.0.2.2", "192.0.2.77");
    let error = played("malformed-nlri", Variant::own(Mode::Sync), Some(&text)).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("no neighbor 192.0.2.2: it has 192.0.2.77"),
        "{said}"
    );
}

#[test]
fn a_real_daemon_meets_the_recorded_peer() {
    if !Path::new("/usr/sbin/bird").exists() {
        crate::skipped::skip("BIRD is not installed");
        return;
    }
    let bird = Variant {
        speaker: SpeakerName::new("bird", None),
        mode: None,
    };
    let played = played("malformed-nlri", bird, None).unwrap();
    let outcome = &played.outcomes[0];
    assert!(
        matches!(outcome.ends, Ends::Notified(3, 10, _)),
        "{outcome:?}"
    );
    assert!(outcome.ends_alike, "{outcome:?}");
}
