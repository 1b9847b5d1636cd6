// The page by itself, as a partner's device: judges in wasm, keeps its own ledger, sends it to the federation.

import * as database from './db.js';
import { fromHex, nowSeconds } from './format.js';
import { requestJson } from './http.js';
import * as ledger from './ledger.js';
import { Sync } from './sync.js';
import { Trust, TrustLost, pinned } from './trust.js';
import { OWN } from './words.js';

const CLOCK_SLACK_S = 60;

/** Everything that the screens ask for in federation mode. */
export class LocalBook {
  constructor() {
    this.mode = 'federation';
    this.onChange = () => {};
    this.limit = null;
    this.unsent = 0;
    this.refused = 0;
  }

  /** `ready`, `new` (never enrolled), `lost` (was enrolled, storage is gone or damaged) or `no-storage`. */
  async open() {
    try {
      this.db = await database.openDatabase();
    } catch (_) {
      return 'no-storage';
    }
    this.trust = new Trust(this.db);
    Object.assign(this, await database.readMeta(this.db, 'federation', 'partner', 'device'));
    if (!this.device) return database.wasEnrolled() ? 'lost' : 'new';
    try {
      if (!await this.trust.load()) return 'lost';
    } catch (error) {
      if (error instanceof TrustLost) return 'lost';
      throw error;
    }
    database.markEnrolled(true);
    this.listen();
    return 'ready';
  }

  /** Begins to keep in step; call once open or enrolled. */
  start() {
    askToPersist();
    this.sync = new Sync({ db: this.db, trust: this.trust, onChange: () => this.changed() });
    this.changed();
    return this.sync.start().then(() => ledger.tidy(this.db, this.offersInForce()));
  }

  /** Takes up an enrolment: root pinned, token kept, everything else new. Uses not yet sent stay. */
  async enrol({ rootHex, federation, enrolment }) {
    if (this.sync) this.sync.stop();
    const { trust } = await database.readMeta(this.db, 'trust');
    const device = { id: enrolment.device_id, token: enrolment.token, name: enrolment.device };
    const entries = { federation, partner: enrolment.partner, device };
    // The same root again keeps its ratchet: enrolling anew is no way back to an older bundle.
    if (!trust || trust.root !== rootHex || !await readable(this.trust)) entries.trust = pinned(rootHex);
    await database.writeMeta(this.db, entries);
    database.markEnrolled(true);
    Object.assign(this, { federation, partner: enrolment.partner, device });
    this.trust = new Trust(this.db);
    await this.trust.load();
    this.listen();
    this.tell('identity');
  }

  async verify(text) {
    const number = this.trust.numberOf(text);
    const uses = await ledger.usesOf(this.db, number);
    return this.trust.judge(text, this.limit, uses);
  }

  async lookup(number) {
    try {
      return { result: await requestJson('v1/lookup', { method: 'POST', token: this.device.token, json: { number } }) };
    } catch (error) {
      return { verdict: error.offline ? OWN.numberOffline(number) : OWN.failed(error.message) };
    }
  }

  /** Gives an offer of the card that `text` is; resolves with `{ use, verdict }`, `use` null if it cannot be had any more. */
  async give(text, verdict, offerId) {
    const rejudge = (uses) => this.trust.judge(text, this.limit, uses);
    const given = await ledger.give(this.db, { verdict, offerId, partner: this.partner.id, rejudge });
    if (given.use) this.sendSoon();
    return given;
  }

  async undo(id) {
    const done = await ledger.takeBack(this.db, id, this.partner.id);
    this.sendSoon();
    return done;
  }

  sendSoon() {
    this.changed();
    this.sync.now();
  }

  history() {
    return ledger.history(this.db);
  }

  clearHistory() {
    return ledger.clearHistory(this.db);
  }

  canClear() {
    return true;
  }

  /** For the foot of the screen. */
  standing() {
    const { info } = this.trust;
    const issued = info ? seconds(info.issued_at) : null;
    const age = info ? Math.max(0, nowSeconds() - issued) : null;
    const old = !info || nowSeconds() >= seconds(info.expires_at) || (this.limit !== null && age > this.limit);
    return {
      asOf: issued, age, old,
      online: this.sync ? this.sync.online : null,
      unsent: this.unsent,
      problem: this.problem(issued),
    };
  }

  /** What a person has to know or do, the gravest first. */
  problem(issued) {
    if (issued !== null && nowSeconds() < issued - CLOCK_SLACK_S) {
      return { code: 'clock_suspect', message: '本机时间不准：比收到的数据还早。请校准日期和时间' };
    }
    if (this.sync && this.sync.problem) return this.sync.problem;
    return this.refused ? { code: 'entries_refused', message: `有 ${this.refused} 笔上报被退回，请看「记录」` } : null;
  }

  /** For the settings: pairs of words. */
  facts() {
    const { info } = this.trust;
    return [
      ['合作单位', this.partner.name],
      ['本机名称', this.device.name],
      ['联合会', this.federation.name],
      ['数据版本', info ? `${info.bundle_version}（信任表 ${info.trust_list_version}）` : '还没有'],
    ];
  }

  rootHex() {
    return this.federation.root_public_key;
  }

  offersInForce() {
    const offers = this.trust.info && this.trust.info.offers;
    return Array.isArray(offers) ? new Set(offers.map((offer) => offer.id || offer)) : null;
  }

  syncNow() {
    return this.sync.now();
  }

  /** Leaves: everything on this device is deleted. */
  async leave() {
    this.sync.stop();
    await database.forgetAll(this.db);
    this.tell('identity');
  }

  async changed() {
    try {
      this.unsent = await ledger.unsentCount(this.db);
      this.refused = await ledger.refusedCount(this.db);
    } catch (_) {
      this.lost = true;
    }
    this.onChange();
  }

  /** What another tab stored is taken up here too. */
  listen() {
    if (typeof BroadcastChannel === 'undefined') return;
    if (!this.channel) {
      this.channel = new BroadcastChannel('zyz');
      this.channel.onmessage = ({ data }) => {
        // Another tab enrolled or left: this one's view of who it is no longer holds.
        if (data === 'identity') location.reload();
        else this.trust.load().then(() => this.onChange(), () => {});
      };
    }
    this.trust.onStored = () => this.tell('trust');
  }

  tell(what) {
    if (this.channel) this.channel.postMessage(what);
  }
}

/** Asks the server who it is, for the enrolment screen. */
export async function askFederation() {
  const federation = await requestJson('v1/federation');
  if (!fromHex(federation.root_public_key || '')) throw new Error('服务器的应答不完整');
  return federation;
}

/** Trades the one-time code for a token. */
export async function sendEnrolment(code, device) {
  const enrolment = await requestJson('v1/enrolments', { method: 'POST', json: { code, device } });
  return { ...enrolment, device };
}

/** Whether the browser promised to keep the data; null if it does not say. */
export async function isPersistent() {
  return navigator.storage && navigator.storage.persisted ? navigator.storage.persisted() : null;
}

function askToPersist() {
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
}

async function readable(trust) {
  try {
    return await trust.load();
  } catch (_) {
    return false;
  }
}

/** Times come as RFC 3339 or as seconds. */
const seconds = (time) => (typeof time === 'number' ? time : Math.floor(Date.parse(time) / 1000));
