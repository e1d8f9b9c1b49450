//! Seeds, fault sweeps, oracles, shrinking, plan files.
