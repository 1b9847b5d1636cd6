//! 服务记录: entering for many people, sheets, the clock of ten working days, objections and corrections, record book and
//! proof of record (民政部令第67号).

mod clock;

pub use clock::LateHours;
