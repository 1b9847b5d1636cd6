// The page in front of a node on the shop's own computer: the node judges, keeps the ledger and speaks with the federation.

import * as database from './db.js';
import { nowSeconds, uuid7 } from './format.js';
import { RequestError, requestJson } from './http.js';
import { OWN } from './words.js';

const STATUS_EVERY_MS = 15_000;

/** Everything that the screens ask for in node mode. */
export class NodeBook {
  constructor() {
    this.mode = 'node';
    this.onChange = () => {};
    this.key = '';
    this.federation = null;
    this.status = null;
    this.reachable = null;
  }

  /** `ready`, `key` (the node wants its API key) or `no-node`. */
  async open() {
    try {
      this.db = await database.openDatabase();
      this.key = (await database.readMeta(this.db, 'key')).key || '';
    } catch (_) { /* the key is then asked for each time */ }
    return this.hello();
  }

  async hello() {
    try {
      this.federation = await requestJson('v1/federation', { token: this.key });
      await this.refresh();
      return 'ready';
    } catch (error) {
      if (error.status === 401) return 'key';
      if (error.offline) return 'no-node';
      // A node that is not enrolled yet says so in its status.
      this.problem = error.message;
      await this.refresh();
      return 'ready';
    }
  }

  /** Tries a key, and keeps it if the node takes it. */
  async unlock(key) {
    this.key = key;
    const state = await this.hello();
    if (state === 'ready' && this.db) await database.writeMeta(this.db, { key });
    return state;
  }

  async start() {
    const again = () => { if (!document.hidden) this.refresh(); };
    setInterval(again, STATUS_EVERY_MS);
    document.addEventListener('visibilitychange', again);
    this.onChange();
  }

  async refresh() {
    try {
      this.status = await requestJson('v1/status', { token: this.key });
      this.reachable = true;
    } catch (error) {
      this.reachable = !error.offline;
    }
    this.onChange();
  }

  async verify(text) {
    try {
      return await this.ask('v1/verify', { method: 'POST', json: { code: text } });
    } catch (error) {
      return OWN.failed(this.words(error));
    }
  }

  async lookup(number) {
    return { verdict: OWN.numberNode(number) };
  }

  async give(text, verdict, offerId) {
    // One key for all tries of this gift: an answer that got lost does not give it twice.
    const headers = { 'Idempotency-Key': uuid7() };
    const send = () => this.ask('v1/redemptions', { method: 'POST', json: { code: text, offer: offerId }, headers });
    try {
      const use = await send().catch((error) => (error.offline ? send() : Promise.reject(error)));
      this.refresh();
      return { use: { ...use, id: use.id, title: use.title, offer: offerId }, verdict: await this.verify(text) };
    } catch (error) {
      if (error.status === 409 && error.body && error.body.verdict) return { use: null, verdict: error.body.verdict };
      throw new RequestError(this.words(error), error);
    }
  }

  async undo(id) {
    await this.ask(`v1/redemptions/${encodeURIComponent(id)}/reversal`, { method: 'POST' });
    this.refresh();
    return true;
  }

  async history() {
    const rows = await this.ask('v1/redemptions?limit=50');
    const list = Array.isArray(rows) ? rows : rows.redemptions || rows.items || [];
    return list.map((row) => ({
      ...row,
      holder: row.holder || '',
      at: Math.floor(Date.parse(row.redeemed_at) / 1000),
      reversed: row.reversed_at ? Math.floor(Date.parse(row.reversed_at) / 1000) : null,
      state: row.refused ? 'refused' : row.sent ? 'sent' : 'queued',
      note: '',
    }));
  }

  canClear() {
    return false;
  }

  standing() {
    const status = this.status || {};
    const bundle = status.bundle || status;
    const issued = time(bundle.issued_at);
    const expires = time(bundle.expires_at);
    const age = issued === null ? null : Math.max(0, nowSeconds() - issued);
    const problems = status.problems || [];
    const synced = status.last_sync && (status.last_sync.outcome || status.last_sync.result);
    return {
      asOf: issued,
      age,
      old: issued === null || (expires !== null && nowSeconds() >= expires),
      online: this.reachable === false ? false : synced ? !/unreachable|offline|network/.test(synced) : null,
      unsent: status.queue_length || (status.queue && (status.queue.length || status.queue.waiting)) || 0,
      problem: this.reachable === false
        ? { code: 'no-node', message: '本机的核验程序没有应答：请看它是否在运行' }
        : problems[0] || (this.problem ? { code: 'node', message: this.problem } : null),
    };
  }

  facts() {
    const status = this.status || {};
    const bundle = status.bundle || status;
    const partner = status.partner && (status.partner.name || status.partner);
    return [
      ['合作单位', partner || '—'],
      ['联合会', (this.federation && this.federation.name) || '—'],
      ['数据版本', String(bundle.bundle_version || bundle.version || '—')],
      ['核验程序', typeof status.version === 'string' ? status.version : '—'],
    ];
  }

  rootHex() {
    return (this.federation && this.federation.root_public_key) || '';
  }

  syncNow() {
    return this.refresh();
  }

  ask(path, options = {}) {
    return requestJson(path, { ...options, token: this.key });
  }

  words(error) {
    return error.offline ? '本机的核验程序没有应答。请看它是否在运行，再扫一次。' : error.message;
  }
}

function time(value) {
  if (value === undefined || value === null) return null;
  return typeof value === 'number' ? value : Math.floor(Date.parse(value) / 1000);
}
