//! A scenario's files to steps, their run in a mode on a network, the verdict.
