//! Our own speaker, in one of its reactors.

use std::future::Future;

use crate::net::Network;
use crate::net::programs::Programs;
use crate::reactor::defects::DefectSet;
use crate::reactor::order::{Arrival, Order};
use crate::reactor::{Mode, Rotation, Speaker, run_with_defects};
use crate::speaker::settings::Settings;

use super::{Ended, Host, Subject, Variant};

/// Makes the order in which a speaker serves what is ready, anew at each start.
pub type MakeOrder = Box<dyn Fn() -> Box<dyn Order>>;

/// Our own speaker with its configurations and settings.
pub struct OwnSpeaker<D> {
    mode: Mode,
    variant: Variant,
    configurations: Rotation,
    settings: Settings,
    order: MakeOrder,
    defects: D,
}

impl<D: DefectSet> OwnSpeaker<D> {
    /// A speaker in `mode` with these defects that serves first what came first.
    #[must_use]
    pub fn new(mode: Mode, configurations: Rotation, settings: Settings, defects: D) -> Self {
        Self {
            mode,
            variant: Variant::own(mode),
            configurations,
            settings,
            order: Box::new(|| Box::new(Arrival)),
            defects,
        }
    }

    /// The same, serving what is ready in the order that `order` makes.
    #[must_use]
    pub fn ordered(self, order: MakeOrder) -> Self {
        Self { order, ..self }
    }
}

impl<N: Network, D: DefectSet> Subject<N> for OwnSpeaker<D> {
    fn variant(&self) -> &Variant {
        &self.variant
    }

    fn live<P: Programs>(&self, host: Host<N, P>) -> impl Future<Output = Ended> {
        let settings = Settings {
            port: host.peer_port,
            ..self.settings.clone()
        };
        let mut speaker = Speaker::new(self.configurations.clone(), settings);
        speaker.order = (self.order)();
        let life = run_with_defects(
            self.mode,
            speaker,
            host.network,
            host.programs,
            host.clock,
            host.observer,
            host.control,
            self.defects.clone(),
        );
        async move {
            let outcome = life.await;
            if outcome.is_orderly() {
                Ended::Orderly
            } else {
                Ended::Failed(outcome.to_string())
            }
        }
    }
}
