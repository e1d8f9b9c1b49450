//! ExaBGP's configuration text to neighbors, processes and routes.
