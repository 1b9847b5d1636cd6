// Offers given on this device: what counts towards limits, what the history shows, what still has to be sent.

import { transact, want } from './db.js';
import { uuid7 } from './format.js';
import { remarkOf } from './words.js';

const DAY_MS = 86_400_000;
/** How long the history names holders and offers. */
export const HISTORY_DAYS = 30;
const REFUSED_DAYS = 3;
// A monthly limit needs no longer memory; one in all needs the offer's whole life.
const COUNT_DAYS = 62;

/** A holder's uses by offer, in seconds since 1970, without those taken back: what the verdict counts. */
export async function usesOf(db, number) {
  if (!number) return {};
  return transact(db, ['uses'], async (store) => counts(await want(store('uses').index('number').getAll(number))), 'readonly');
}

/**
 * Writes down that `offer` is given. `rejudge(uses)` is asked once more inside the transaction, so that two taps or two
 * tabs never pass a limit together; resolves with the use, or with null and the verdict if it is not to be had any more.
 */
export function give(db, { verdict, offerId, partner, rejudge }) {
  const { number, key_id: keyId, issued_at: issuedAt, holder, star } = verdict.certificate;
  return transact(db, ['uses', 'outbox'], async (store) => {
    const rows = await want(store('uses').index('number').getAll(number));
    const fresh = rejudge(counts(rows));
    const offer = (fresh.offers || []).find((one) => one.id === offerId);
    if (fresh.verdict === 'reject' || !offer || !offer.eligible) return { use: null, verdict: fresh };
    // The time that the verdict believed: not before the newest signed time, whatever the clock says.
    const at = Math.floor(Date.parse(fresh.status.as_of) / 1000) + fresh.status.age_seconds;
    const use = {
      id: uuid7(), offer: offerId, title: offer.title, kind: offer.kind, number, holder: holder || '', star, at,
      state: 'queued', note: '', reversed: null,
    };
    const body = {
      id: use.id, offer: offerId, number, key_id: keyId, issued_at: issuedAt,
      redeemed_at: new Date(at * 1000).toISOString(), bundle_version: fresh.status.bundle_version,
    };
    store('uses').put(use);
    store('outbox').put({ id: use.id, kind: 'redemption', partner, body });
    rows.push(use);
    return { use, verdict: rejudge(counts(rows)) };
  });
}

/** Takes a use back; false if it was taken back before or is not known. */
export function takeBack(db, id, partner) {
  return transact(db, ['uses', 'outbox'], async (store) => {
    const use = await want(store('uses').get(id));
    if (!use || use.reversed) return false;
    const at = Math.max(Math.floor(Date.now() / 1000), use.at);
    store('uses').put({ ...use, reversed: at });
    const body = { id: uuid7(), redemption: id, reversed_at: new Date(at * 1000).toISOString() };
    store('outbox').put({ id: body.id, kind: 'reversal', partner, body });
    return true;
  });
}

/** The history, newest first. */
export async function history(db) {
  const rows = await transact(db, ['uses'], (store) => want(store('uses').getAll()), 'readonly');
  const since = Date.now() / 1000 - HISTORY_DAYS * 86_400;
  return rows.filter((use) => !use.cleared && use.at > since).sort((left, right) => right.at - left.at);
}

/** How many uses of the last days the federation did not take. */
export async function refusedCount(db) {
  const since = Date.now() / 1000 - REFUSED_DAYS * 86_400;
  return (await history(db)).filter((use) => use.state === 'refused' && use.at > since).length;
}

/** Clears the history. What limits need and what was not sent stays. */
export function clearHistory(db) {
  return transact(db, ['uses'], async (store) => {
    for (const use of await want(store('uses').getAll())) store('uses').put(strip(use));
  });
}

/** Forgets names after the history's days, and uses that no limit asks for any more. */
export function tidy(db, offersInForce, now = Date.now()) {
  const named = now / 1000 - HISTORY_DAYS * 86_400;
  const counted = (now - COUNT_DAYS * DAY_MS) / 1000;
  return transact(db, ['uses', 'outbox'], async (store) => {
    const unsent = new Set(await want(store('outbox').getAllKeys()));
    for (const use of await want(store('uses').getAll())) {
      const idle = offersInForce && !offersInForce.has(use.offer) && !unsent.has(use.id);
      if (use.at < counted && idle) store('uses').delete(use.id);
      else if (use.at < named && !use.cleared) store('uses').put(strip(use));
    }
  });
}

/** How many entries wait to be sent. */
export const unsentCount = (db) => transact(db, ['outbox'], (store) => want(store('outbox').count()), 'readonly');

/** The oldest entries that this partner can send. */
export async function pending(db, partner, most) {
  const rows = await transact(db, ['outbox'], (store) => want(store('outbox').getAll()), 'readonly');
  return rows.filter((row) => row.partner === partner).slice(0, most);
}

/** Takes the federation's answer to a batch into the books; resolves with how many entries it settled. */
export function settle(db, sent, result) {
  const waiting = new Set(sent.map((row) => row.id));
  return transact(db, ['uses', 'outbox'], async (store) => {
    let settled = 0;
    for (const entry of [...(result.redemptions || []), ...(result.reversals || [])]) {
      if (!waiting.delete(entry.id)) continue;
      settled += 1;
      store('outbox').delete(entry.id);
      const use = await want(store('uses').get(entry.id));
      if (use) {
        const refused = entry.outcome === 'refused' || entry.outcome === 'conflict';
        store('uses').put({ ...use, state: refused ? 'refused' : 'sent', note: remarkOf(entry) });
      }
    }
    return settled;
  });
}

/** An entry that the server will not even read: kept visible, not sent for ever. */
export function setAside(db, row, why) {
  return transact(db, ['uses', 'outbox'], async (store) => {
    store('outbox').delete(row.id);
    const use = await want(store('uses').get(row.kind === 'reversal' ? row.body.redemption : row.id));
    if (use) store('uses').put({ ...use, state: 'refused', note: row.kind === 'reversal' ? `撤销未被接受，${why}` : why });
  });
}

function counts(rows) {
  const uses = {};
  for (const use of rows) {
    if (use.reversed || use.state === 'refused') continue;
    (uses[use.offer] = uses[use.offer] || []).push(use.at);
  }
  return uses;
}

function strip(use) {
  const { id, offer, number, at, state, reversed } = use;
  return { id, offer, number, at, state, reversed, cleared: true };
}
