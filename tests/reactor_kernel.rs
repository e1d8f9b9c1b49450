//! Both reactors on the kernel's loopback.

use lockstep::reactor::Mode;
use lockstep::speaker::settings::Settings;

use crate::reactor_play::{WITH_PROGRAM, configuration, play_for_real, routes};

#[test]
fn a_session_on_the_kernel() {
    for mode in Mode::ALL {
        let text = configuration(&format!(
            "{WITH_PROGRAM} static {{ route 10.0.0.0/24 next-hop 192.0.2.1; }}"
        ));
        play_for_real(mode, &[text], Settings::default(), |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.0.0.0/24"]);
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.0.0.1/32"]);
        });
    }
}

#[test]
fn a_notification_arrives_although_input_is_left_unread() {
    for mode in Mode::ALL {
        play_for_real(
            mode,
            &[configuration("")],
            Settings::default(),
            |mut hands| async move {
                let mut peer = hands.accept().await;
                peer.establish().await;
                let _eor = peer.telling().await.unwrap();
                peer.write(&[0; 400_000]).await;
                let notification = peer.telling().await.unwrap();
                assert_eq!(&notification[18..21], &[3, 1, 1]);
                assert_eq!(peer.read().await.unwrap(), 0, "FIN, not RST");
            },
        );
    }
}
