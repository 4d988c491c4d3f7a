//! HTTP server and the pretender binary.
