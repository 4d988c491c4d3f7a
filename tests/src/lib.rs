//! End-to-end tests of the workspace; see the test binaries beside this file.
