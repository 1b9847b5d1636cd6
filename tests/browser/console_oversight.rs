//! First page, partners, statistics, audit, in a browser.
