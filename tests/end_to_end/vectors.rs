//! Vector indexes and `SearchVectors`, through the library and over HTTP: the cases of `vector-search.md` 13.

mod definitions;
mod life;
mod model;
mod searches;
mod way;
mod writes;

const INVALID: &str = "ValidationException: One or more parameter values were invalid:";
