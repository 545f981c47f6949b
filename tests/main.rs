//! The whole system from outside, as one test binary: the house rules that a program can see, and
//! one file per story.
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

mod abuse;
mod accounts;
mod api;
mod audit;
mod authorities;
mod batches;
mod browser;
mod cli;
mod clock;
mod closing;
mod consistency;
mod crls;
mod delegation;
mod destruction;
mod discovery;
mod doors;
mod duplicates;
mod evidence_pack;
mod first_run;
mod hsm;
mod import;
mod interop;
mod issuance;
mod key_life;
mod key_word;
mod kill;
mod known_keys;
mod list_delivery;
mod list_drafts;
mod lists_of_others;
mod mail;
mod notices;
mod ocsp;
mod origin;
mod package;
mod path_validation;
mod policies;
mod possession;
mod post_quantum;
mod refusals;
mod restore;
mod revocation;
mod rotation;
mod rules;
mod settle;
mod special_seals;
mod specimens;
mod status;
mod support;
mod suspension;
mod tidy;
mod tls;
mod trusted_list;
