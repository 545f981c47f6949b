//! Tests of path validation: the whole of PKITS, and what it does not cover, built here.

mod hostile;
mod pkits;
mod revocation;
mod specimens;
