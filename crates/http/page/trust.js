// What this device judges by: the pinned root, the ratchet, the bundle. Kept in the database before it is used, so that
// a crash between the two never lets an older bundle in again.

import { readMeta, transact, want } from './db.js';
import { newScanner } from './engine.js';
import { fromHex, nowSeconds } from './format.js';
import { TrustError } from './scanner.js';

/** Why stored trust data cannot be taken up: a person has to enrol again. */
export class TrustLost extends Error {}

/** Why a bundle that came was not taken; the device goes on with what it had. */
export class BundleRefused extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/** The trust data in force in this tab. */
export class Trust {
  constructor(db) {
    this.db = db;
    this.scanner = null;
    this.info = null;
    this.etag = '';
    this.source = '';
    this.onStored = () => {};
  }

  /** Takes up what is stored; false if nothing was ever stored. */
  async load() {
    const { trust } = await readMeta(this.db, 'trust');
    if (!trust) return false;
    const scanner = await restore(trust);
    if (trust.bundle) {
      try {
        this.info = scanner.trustAccept(trust.bundle);
      } catch (error) {
        throw lost(error);
      }
    }
    Object.assign(this, { scanner, etag: trust.etag || '', source: trust.source || '' });
    return true;
  }

  /**
   * Judges `bytes` on a copy, stores bundle, ratchet and newest times together, and only then uses them.
   * `source` tells the partner's bundle from the public one: their entity tags are not each other's.
   */
  async accept(bytes, etag, source) {
    const { trust } = await readMeta(this.db, 'trust');
    if (!trust) throw new TrustLost('本机的登记数据不在了，请重新登记');
    const scanner = await restore(trust);
    let info;
    try {
      info = scanner.trustAccept(bytes);
    } catch (error) {
      throw error instanceof TrustError ? new BundleRefused(error) : error;
    }
    const ratchet = scanner.ratchet();
    await transact(this.db, ['meta'], async (store) => {
      const now = await want(store('meta').get('trust'));
      // Another tab was quicker, or the device was enrolled anew meanwhile: this tab's work is void.
      if (!now || now.root !== trust.root || !same(now.ratchet, trust.ratchet)) throw new Error('另一个窗口正在更新数据');
      store('meta').put({ ...now, bundle: bytes, ratchet, info, etag, source, syncedAt: nowSeconds() }, 'trust');
    });
    Object.assign(this, { scanner, info, etag, source });
    this.onStored();
    return info;
  }

  /** The server says that nothing changed. */
  async confirm() {
    await transact(this.db, ['meta'], async (store) => {
      const trust = await want(store('meta').get('trust'));
      if (trust) store('meta').put({ ...trust, syncedAt: nowSeconds() }, 'trust');
    });
  }

  numberOf(text) {
    return this.scanner.numberOf(text);
  }

  /** The verdict at `now`; `maxAge` in seconds or null; `uses` are this holder's, by offer. */
  judge(text, maxAge, uses) {
    return this.scanner.judge(text, { now: nowSeconds(), maxAge, uses });
  }
}

/** What to store on enrolment: the root is pinned, nothing seen yet. */
export const pinned = (rootHex) => ({ root: rootHex, ratchet: null, bundle: null, etag: '', source: '' });

async function restore(trust) {
  const scanner = await newScanner();
  const root = fromHex(trust.root);
  if (!root || root.length !== 32) throw new TrustLost('保存的根公钥已损坏，请重新登记');
  try {
    scanner.trustNew(root, trust.ratchet || undefined);
  } catch (error) {
    throw lost(error);
  }
  return scanner;
}

const lost = (error) => (error instanceof TrustError ? new TrustLost(error.message) : error);

function same(left, right) {
  if (!left || !right) return !left && !right;
  return left.length === right.length && left.every((byte, place) => byte === right[place]);
}
