//! Whole lists: built, checked, signed, verified, attacked, and judged by other implementations.
//!
//! Deliberately not here: what one module can show alone; that is tested beside it.

#[cfg(test)]
mod differences;
#[cfg(test)]
mod following;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod lookup;
#[cfg(test)]
mod lote;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod real;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod verdicts;
