//! sprue station control.
#![no_std]
