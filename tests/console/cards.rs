//! Making cards: choosing, previewing, issuing, printing, handing out.
