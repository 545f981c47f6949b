//! Public pages: what anybody may see without signing in.
//!
//! Deliberately not here: OCSP, CRLs and lists as files, which `responder` and `publisher` serve.

pub mod headers;
