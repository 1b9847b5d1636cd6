// Keeps the device in step with the federation: sends what was given, fetches what is new. Goes on by itself while the
// page is open, sooner when the network returns or the page is looked at again, later after each failure.

import { readMeta, writeMeta } from './db.js';
import { jitter, nowSeconds } from './format.js';
import { request, requestJson } from './http.js';
import * as ledger from './ledger.js';
import { BundleRefused } from './trust.js';

const EVERY_S = 600;
const FIRST_RETRY_S = 5;
const LAST_RETRY_S = 600;
// With uses unsent a device that hears of its network by nothing else still tries this often.
const LAST_RETRY_UNSENT_S = 60;
const FRESH_S = 90;
const BATCH = 200;

/** The loop. `onChange` is called after each round. */
export class Sync {
  constructor({ db, trust, onChange }) {
    Object.assign(this, { db, trust, onChange });
    /** null until the first round is over. */
    this.online = null;
    this.lastRound = 0;
    this.problem = null;
    this.failures = 0;
    this.running = null;
    this.again = false;
    this.timer = 0;
  }

  start() {
    addEventListener('online', () => this.now());
    addEventListener('offline', () => { this.online = false; this.onChange(); });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && nowSeconds() - this.lastRound > FRESH_S) this.now();
    });
    return this.now();
  }

  stop() {
    clearTimeout(this.timer);
    this.stopped = true;
  }

  /** A round at once; a second call during a round asks for one more after it. */
  now() {
    clearTimeout(this.timer);
    if (this.stopped) return Promise.resolve();
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.round().finally(() => {
      this.running = null;
      if (this.again) {
        this.again = false;
        this.now();
      }
    });
    return this.running;
  }

  async round() {
    let wait = jitter(EVERY_S);
    try {
      await alone(() => this.exchange());
      this.failures = 0;
      this.online = true;
    } catch (error) {
      this.failures += 1;
      this.online = !error.offline;
      if (!error.offline) this.problem = { code: error.code || 'sync', message: error.message };
      const unsent = await ledger.unsentCount(this.db).catch(() => 0);
      const most = unsent ? LAST_RETRY_UNSENT_S : LAST_RETRY_S;
      wait = Math.max(jitter(Math.min(most, FIRST_RETRY_S * 2 ** (this.failures - 1)), 0.5, 1.5), error.retryAfter || 0);
    }
    this.lastRound = nowSeconds();
    if (!this.stopped) this.timer = setTimeout(() => this.now(), wait * 1000);
    this.onChange();
  }

  async exchange() {
    const { device, partner } = await readMeta(this.db, 'device', 'partner');
    if (!device) return;
    this.problem = null;
    const refusal = await this.send(device, partner);
    await this.fetchBundle(device);
    if (refusal) throw refusal;
  }

  /** Sends all that waits; an entry is forgotten only once the federation named it. */
  async send(device, partner) {
    let most = BATCH;
    for (;;) {
      const rows = await ledger.pending(this.db, partner.id, most);
      if (rows.length === 0) return null;
      const bodies = (kind) => rows.filter((row) => row.kind === kind).map((row) => row.body);
      const json = { redemptions: bodies('redemption'), reversals: bodies('reversal') };
      try {
        const result = await requestJson('v1/redemptions', { method: 'POST', token: device.token, json });
        if (await ledger.settle(this.db, rows, result) === 0) throw new Error('联合会的应答不完整，稍后再报');
      } catch (error) {
        if (error.status === 401 || error.status === 403) return null;
        if (![400, 413, 422].includes(error.status)) {
          // The bundle is worth fetching all the same, unless there is no network at all.
          if (error.offline) throw error;
          return error;
        }
        if (rows.length > 1) most = rows.length >> 1;
        else await ledger.setAside(this.db, rows[0], error.message);
      }
      this.onChange();
    }
  }

  async fetchBundle(device) {
    try {
      await this.fetchFrom('v1/partner/bundle', 'partner', device.token);
      if (device.ended || device.revoked) await writeMeta(this.db, { device: { ...device, ended: false, revoked: false } });
    } catch (error) {
      const ended = error.status === 403;
      const revoked = error.status === 401;
      if (!ended && !revoked) throw error;
      // Without its own bundle the device still knows who was revoked: the public one, which has no offers.
      await writeMeta(this.db, { device: { ...device, ended, revoked } });
      await this.fetchFrom('v1/bundle', 'public', '');
      this.problem = ended
        ? { code: 'agreement_ended', message: '与联合会的协议已终止：仍可核对证件，不再有优惠' }
        : { code: 'token_revoked', message: '本机已被停用：请向联合会索取新的登记链接' };
    }
  }

  async fetchFrom(path, source, token) {
    const headers = { Accept: 'application/cose' };
    if (this.trust.etag && this.trust.source === source) headers['If-None-Match'] = this.trust.etag;
    const answer = await request(path, { token, headers });
    if (answer.status === 304) return this.trust.confirm();
    try {
      return await this.trust.accept(answer.bytes, answer.headers.get('ETag') || '', source);
    } catch (error) {
      if (error instanceof BundleRefused) error.message = `收到的数据没有采用，继续用原来的：${error.message}`;
      throw error;
    }
  }
}

/** One tab at a time, where the browser can see to that; ids make a second sending harmless anyway. */
function alone(work) {
  return navigator.locks ? navigator.locks.request('zyz-sync', work) : work();
}
