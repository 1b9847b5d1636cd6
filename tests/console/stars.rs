//! Star certification.
