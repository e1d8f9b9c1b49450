//! The Adj-RIB-Out under load: octets and time per route, for announce, take, the UPDATEs themselves, flush and clear.
//!
//! Usage: `cargo run --release --bin rib [ROUTES [ATTRIBUTE-SETS]]`, 500,000 and 1 if not said.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockstep::bgp::attribute::med::Med;
use lockstep::bgp::attribute::{Attributes, NextHop, WireContext};
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::nlri::inet::{Inet, Prefix};
use lockstep::bgp::nlri::{Nlri, NlriValue};
use lockstep::speaker::rib::{AdjRibOut, Batch};
use lockstep::speaker::route::Route;
use lockstep::speaker::session::Negotiated;

/// Counts what is allocated, now and at most.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// `/32` routes spread over the address space, in `sets` attribute sets.
fn routes(count: u32, sets: u32) -> Vec<Route> {
    let attributes: Vec<Arc<Attributes>> = (0..sets)
        .map(|med| Arc::new(Attributes::from_iter([Med(med).into()])))
        .collect();
    (0..count)
        .map(|number| {
            let address = Ipv4Addr::from(number.wrapping_mul(2_654_435_761));
            let prefix = Prefix {
                address: IpAddr::V4(address),
                length: 32,
            };
            Route {
                nlri: Nlri {
                    family: Family::IPV4_UNICAST,
                    path_id: None,
                    value: NlriValue::Inet(Inet { prefix }),
                },
                next_hop: NextHop::from(Ipv4Addr::new(192, 0, 2, 1)),
                attributes: Arc::clone(&attributes[(number % sets) as usize]),
            }
        })
        .collect()
}

/// Drains `batch`; says how many messages there were.
fn drain(batch: &mut Batch, negotiated: &Negotiated) -> usize {
    let mut out = Vec::new();
    let mut messages = 0;
    while let Some(sent) = batch.next(negotiated, &mut out) {
        sent.expect("every route fits");
        messages += 1;
        out.clear();
    }
    messages
}

struct Report {
    routes: u32,
    base: usize,
}

impl Report {
    fn line(&self, what: &str, took: Duration, note: &str) {
        let routes = f64::from(self.routes);
        let octets = |counter: &AtomicUsize| (counter.load(Relaxed) - self.base) as f64 / routes;
        println!(
            "{what:<10} {:>6.0} ns/route {:>6.1} M routes/s   {:>5.0} octets/route now {:>5.0} at most   {note}",
            took.as_nanos() as f64 / routes,
            routes / took.as_secs_f64() / 1e6,
            octets(&LIVE),
            octets(&PEAK),
        );
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse().expect("a number"));
    let count = arguments.next().unwrap_or(500_000);
    let sets = arguments.next().unwrap_or(1);
    let routes = routes(count, sets);
    let families = Families::from_iter([Family::IPV4_UNICAST]);
    let negotiated = Negotiated {
        local_as: 65000,
        peer_as: 65000,
        families: families.clone(),
        send: WireContext {
            four_octet_as: true,
            ..WireContext::default()
        },
        ..Negotiated::default()
    };
    let report = Report {
        routes: count,
        base: LIVE.load(Relaxed),
    };
    PEAK.store(report.base, Relaxed);
    let mut rib = AdjRibOut::new(families, true, Arc::new(negotiated.clone()));

    let start = Instant::now();
    for route in &routes {
        rib.announce(route).expect("every route is accepted");
    }
    report.line("announce", start.elapsed(), "");

    let start = Instant::now();
    let mut batch = rib.take(true, true);
    let took = start.elapsed();
    report.line("take", took, "");
    let start = Instant::now();
    let messages = drain(&mut batch, &negotiated);
    drop(batch);
    report.line("UPDATEs", start.elapsed(), &format!("{messages} messages"));

    let start = Instant::now();
    rib.flush(None, true);
    let messages = drain(&mut rib.take(true, true), &negotiated);
    report.line("flush", start.elapsed(), &format!("{messages} messages"));

    let start = Instant::now();
    rib.clear(None);
    let messages = drain(&mut rib.take(true, true), &negotiated);
    report.line("clear", start.elapsed(), &format!("{messages} messages"));
}
