// The page in front of a node on the shop's own computer: the node judges, keeps the ledger and speaks with the federation.

import * as database from './db.js';
import { nowSeconds, uuid7 } from './format.js';
import { RequestError, requestJson } from './http.js';
import { OWN } from './words.js';

const STATUS_EVERY_MS = 15_000;
// What the node calls a round in which it heard nothing from the federation.
const UNHEARD = ['unreachable', 'timeout', 'tls'];

/** Everything that the screens ask for in node mode. */
export class NodeBook {
  constructor() {
    this.mode = 'node';
    this.onChange = () => {};
    this.key = '';
    this.federation = null;
    this.status = null;
    this.reachable = null;
    this.problem = null;
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
      this.problem = { code: error.code || 'node', message: error.message };
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
    return rows.redemptions.map((row) => ({
      ...row,
      holder: row.holder || '',
      at: time(row.redeemed_at),
      reversed: row.reversed_at ? time(row.reversed_at) : null,
      state: row.refused ? 'refused' : row.sent ? 'sent' : 'queued',
      note: '',
    }));
  }

  canClear() {
    return false;
  }

  standing() {
    const { bundle, queue, last_sync: round, problems } = this.status || {};
    const issued = bundle ? time(bundle.issued_at) : null;
    const problem = this.reachable === false
      ? { code: 'no-node', message: '本机的核验程序没有应答：请看它是否在运行' }
      : (problems && problems[0]) || this.problem;
    return {
      asOf: issued,
      age: bundle ? bundle.age_seconds : null,
      old: !bundle || nowSeconds() >= time(bundle.expires_at) || (problems || []).some(({ code }) => code === 'data_stale'),
      online: this.reachable === false ? false : !round || round.outcome === 'none' ? null : !UNHEARD.includes(round.outcome),
      unsent: queue ? queue.waiting : 0,
      problem,
    };
  }

  facts() {
    const { bundle, partner, device, version } = this.status || {};
    return [
      ['合作单位', partner ? partner.name : '—'],
      ['本机名称', device || '—'],
      ['联合会', this.federation ? this.federation.name : '—'],
      ['数据版本', bundle ? `${bundle.version}（信任表 ${bundle.trust_list_version}）` : '还没有'],
      ['核验程序', version || '—'],
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

const time = (text) => Math.floor(Date.parse(text) / 1000);
