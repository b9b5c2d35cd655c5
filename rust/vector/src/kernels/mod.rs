//! The arithmetic of similarity, once for each set of instructions. The only module of the crate with `unsafe` in it.

#[cfg(target_arch = "x86_64")]
mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod kernel;
mod lane;
mod scalar;

pub use kernel::Kernel;
pub(crate) use lane::{LANE, Lane, floats, floats_mut};
