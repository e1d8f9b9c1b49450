//! The simulated world: hosts, virtual clock, faults, tap, trace hash. It knows nothing of BGP.
