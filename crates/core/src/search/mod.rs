//! Exact search: every reference within a radius of every query, always the same ordered hits.
