// The scanner page: what is on the screen, and what a scan does to it.

import { Camera, NoCamera } from './camera.js';
import { readMeta, writeMeta } from './db.js';
import { loadEngine, numberTyped } from './engine.js';
import { ageWords, byId, el, fill, timeText } from './format.js';
import { LocalBook } from './local.js';
import { NodeBook } from './node.js';
import { foldDigits, kindOf } from './number.js';
import { readPhoto } from './photo.js';
import { History, Settings, sheetOpen, closeSheets } from './sheets.js';
import { armSound, signal } from './signal.js';
import { drawVerdict, spoken } from './verdict.js';
import { collectKeys } from './wedge.js';
import { Welcome, cameraWords, surroundings, takeFragment } from './welcome.js';
import { keepPageFresh } from './worker.js';
import { OWN, lookOf, numberVerdict } from './words.js';

// The same card stays silent this long after it was last in sight.
const SAME_CARD_MS = 3000;
// A code that is no card of ours does not push a fresh verdict away.
const STRAY_CODE_MS = 4000;
const BACK_AFTER_MS = { accept: 60_000, caution: 60_000, reject: 45_000, other: 8_000 };
const DEFAULTS = { sound: true, vibration: true, camera: '', limit: null };

const app = {
  book: null,
  camera: null,
  settings: { ...DEFAULTS },
  current: null,
  seen: new Map(), // code → when it was last in sight
  busy: false,
  backTimer: 0,
};

const screens = ['boot', 'welcome', 'ready', 'verdict'];

function show(screen) {
  byId('app').dataset.screen = screen;
  for (const name of screens) byId(name).hidden = name !== screen;
  const working = screen === 'ready' || screen === 'verdict';
  for (const id of ['finder', 'bar', 'foot']) byId(id).hidden = !working;
  byId('typed').hidden = screen !== 'ready';
  byId('next').hidden = screen !== 'verdict';
  byId('photo-tool').hidden = screen === 'verdict';
}

async function start() {
  armSound();
  const fragment = takeFragment();
  keepPageFresh(() => isIdle());
  try {
    await loadEngine();
  } catch (_) {
    return welcome('broken');
  }
  app.book = await mode() === 'node' ? new NodeBook() : new LocalBook();
  app.book.onChange = drawFoot;
  let state;
  try {
    state = await app.book.open();
  } catch (error) {
    return welcome('broken', error);
  }
  await loadSettings();
  if (fragment.enrol) return welcome('link', fragment);
  if (state !== 'ready') return welcome(state);
  await work();
  if (fragment.code) scanned(fragment.code, 'link');
  return undefined;
}

/** Which server this is. Kept by the service worker, so it is known without a network too. */
async function mode() {
  try {
    return (await (await fetch(new URL('mode.json', import.meta.url))).json()).mode;
  } catch (_) {
    return 'federation';
  }
}

function welcome(state, detail) {
  if (app.camera) app.camera.stop();
  show('welcome');
  const screen = new Welcome(byId('welcome'), app.book, { onDone: () => work() });
  screen.show(state, detail);
}

/** The device is ready: camera, keyboard, sync. */
async function work() {
  byId('partner').textContent = app.book.facts()[0][1];
  ready();
  drawFoot();
  if (!app.camera) {
    app.camera = new Camera(byId('video'), (text) => scanned(text, 'camera'));
    app.camera.onLost = () => startCamera();
    collectKeys((text) => scanned(text, 'wedge'));
  }
  app.book.start().catch(() => {});
  await startCamera();
}

async function startCamera() {
  const note = byId('finder-note');
  try {
    await app.camera.start(app.settings.camera);
    note.hidden = true;
    byId('app').dataset.camera = 'on';
  } catch (error) {
    if (!(error instanceof NoCamera)) throw error;
    byId('app').dataset.camera = error.reason;
    const { title, text, retry } = cameraWords(error.reason);
    fill(note, el('strong', { text: title }), el('span', { text }),
      retry ? el('button', { type: 'button', id: 'camera-retry', text: '重试', on: { click: startCamera } }) : null);
    note.hidden = false;
  }
  const cameras = app.camera.running ? await Camera.list() : [];
  byId('torch').hidden = !app.camera.hasTorch();
  byId('torch').setAttribute('aria-pressed', 'false');
  byId('lens').hidden = cameras.length < 2;
}

function ready() {
  clearTimeout(app.backTimer);
  app.current = null;
  show('ready');
  byId('live').textContent = '';
}

const isIdle = () => !app.busy && !app.current && !sheetOpen() && !byId('wedge').value
  && ['ready', 'boot'].includes(byId('app').dataset.screen)
  && !recentlySeen();

/** Whether any code, or this one, was in sight just now. What was not is forgotten. */
function recentlySeen(text) {
  const since = performance.now() - SAME_CARD_MS;
  for (const [code, at] of app.seen) if (at < since) app.seen.delete(code);
  return text === undefined ? app.seen.size > 0 : app.seen.has(text);
}

/** A text came in, from whatever side. */
async function scanned(text, source) {
  if (source === 'camera') {
    // A card that stays in view says nothing new, also after another one came by the hand-held scanner.
    const same = recentlySeen(text);
    if (same) app.seen.set(text, performance.now());
    if (same || sheetOpen() || app.busy) return;
  }
  if (!['ready', 'verdict'].includes(byId('app').dataset.screen)) return;
  app.seen.set(text, performance.now());
  if (source !== 'camera' && kindOf(text) === 'number') return lookUp(foldDigits(text));
  closeSheets();
  const verdict = await during(() => app.book.verify(text));
  const stray = verdict.reason === 'malformed' && source === 'camera' && app.current
    && lookOf(app.current.verdict) !== 'other' && now - app.current.at < STRAY_CODE_MS;
  if (!stray) announce(text, verdict);
}

async function lookUp(number) {
  closeSheets();
  if (!numberTyped(number)) return announce('', OWN.numberWrong(number));
  const { result, verdict } = await during(() => app.book.lookup(number));
  return announce('', verdict || numberVerdict(result));
}

/** Runs one thing at a time, and turns what goes wrong into words on the screen. */
async function during(work_) {
  app.busy = true;
  try {
    return await work_();
  } catch (error) {
    return OWN.failed(`${error.message || '没有办成'}。请再扫一次；仍是这样，请重新打开本页。`);
  } finally {
    app.busy = false;
  }
}

function announce(text, verdict) {
  app.current = { text, verdict, at: performance.now(), given: new Map() };
  draw();
  show('verdict');
  scrollTo(0, 0);
  signal(lookOf(verdict), app.settings);
  say(spoken(verdict));
  returnLater();
}

function draw() {
  const { verdict, given } = app.current;
  drawVerdict(byId('verdict'), verdict, { given, onGive: give, onUndo: undo });
}

function returnLater() {
  clearTimeout(app.backTimer);
  app.backTimer = setTimeout(() => {
    if (sheetOpen() || app.busy) returnLater();
    else ready();
  }, BACK_AFTER_MS[lookOf(app.current.verdict)]);
}

async function give(offer, event) {
  const card = app.current;
  if (app.busy || !card) return;
  app.busy = true;
  try {
    const { use, verdict } = await app.book.give(card.text, card.verdict, offer.id);
    if (verdict.offers) card.verdict = verdict;
    if (use) {
      card.given.set(offer.id, use);
      signal('given', app.settings);
      say(`已给予：${offer.title}。可以撤销`);
    } else {
      signal('caution', app.settings);
      say('现在不能给予');
      card.verdict = verdict;
    }
  } catch (error) {
    notice(`没有记下，请不要给予：${error.message}`);
    signal('reject', app.settings);
  } finally {
    app.busy = false;
  }
  if (app.current === card) {
    draw();
    // Whoever works by keyboard goes on where the button was.
    if (event.detail === 0) (document.querySelector('#given .undo') || byId('verdict')).focus();
    returnLater();
  }
}

async function undo(use) {
  const card = app.current;
  if (app.busy) return;
  app.busy = true;
  try {
    await app.book.undo(use.id);
    signal('undone', app.settings);
    say('已撤销');
    if (card) {
      for (const [offer, given] of card.given) if (given.id === use.id) card.given.delete(offer);
      if (card.text) card.verdict = await app.book.verify(card.text);
    }
  } catch (error) {
    notice(`没有撤销：${error.message}`);
  } finally {
    app.busy = false;
  }
  if (card && app.current === card) {
    draw();
    returnLater();
  }
}

function say(text) {
  byId('live').textContent = text;
}

let noticeTimer = 0;

/** A line above the bar that goes by itself. */
function notice(text) {
  const line = byId('notice');
  line.textContent = text;
  line.hidden = false;
  say(text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { line.hidden = true; }, 8000);
}

/** The foot of the screen: how old the data is, whether there is a network, what waits to be sent. */
function drawFoot() {
  if (!app.book || byId('foot').hidden) return;
  if (app.book.lost) {
    welcome('lost');
    return;
  }
  const { asOf, age, old, online, unsent, problem } = app.book.standing();
  const ageNode = byId('age');
  ageNode.textContent = age === null ? '还没有数据' : `数据时间 ${ageWords(age)}${old ? '，已旧' : ''}`;
  ageNode.dataset.state = old ? 'old' : 'fresh';
  ageNode.title = asOf ? timeText(asOf * 1000) : '';
  const net = byId('net');
  const connected = online === null ? navigator.onLine !== false : online;
  net.textContent = connected ? '已联网' : '未联网';
  net.dataset.state = connected ? 'online' : 'offline';
  const waiting = byId('unsent');
  waiting.hidden = unsent === 0;
  waiting.dataset.count = String(unsent);
  waiting.textContent = `${unsent} 笔待上报`;
  const line = byId('partner');
  line.textContent = problem ? problem.message : app.book.facts()[0][1];
  line.dataset.problem = problem ? problem.code : '';
}

async function loadSettings() {
  let stored = {};
  try {
    stored = (await readMeta(app.book.db, 'settings')).settings || {};
  } catch (_) { /* the defaults do */ }
  app.settings = { ...DEFAULTS, ...stored };
  app.book.limit = app.settings.limit;
}

async function change(settings) {
  const camera = settings.camera !== undefined && settings.camera !== app.settings.camera;
  Object.assign(app.settings, settings);
  app.book.limit = app.settings.limit;
  if (app.book.db) await writeMeta(app.book.db, { settings: app.settings });
  if (camera) await startCamera();
  drawFoot();
}

/** Everything was deleted on request. */
function left() {
  app.settings = { ...DEFAULTS };
  welcome('left');
}

async function nextCamera() {
  const cameras = await Camera.list();
  const now = app.camera.track && app.camera.track.getSettings().deviceId;
  const place = cameras.findIndex((camera) => camera.deviceId === now);
  await change({ camera: cameras[(place + 1) % cameras.length].deviceId });
}

async function toggleTorch() {
  const button = byId('torch');
  const on = button.getAttribute('aria-pressed') !== 'true';
  try {
    await app.camera.torch(on);
    button.setAttribute('aria-pressed', String(on));
  } catch (_) {
    notice('这台手机的手电打不开');
  }
}

async function photo(event) {
  const [file] = event.target.files;
  if (!file) return;
  notice('正在看照片…');
  try {
    const text = await readPhoto(file);
    byId('notice').hidden = true;
    if (text) await scanned(text, 'photo');
    else announce('', OWN.noCodeInPhoto);
  } catch (_) {
    notice('这张照片打不开，请再拍一张');
  }
  event.target.value = '';
}

function typed(event) {
  event.preventDefault();
  const field = byId('wedge');
  const text = field.value;
  field.value = '';
  field.blur();
  const kind = kindOf(text);
  if (kind === 'short') {
    if (foldDigits(text)) announce('', { ...OWN.numberWrong(foldDigits(text)), message: '证书编号是 10 位数字，请对照证件再输一次。', certificate: undefined });
    return;
  }
  scanned(text, 'typed');
}

const parts = () => ({
  book: app.book, settings: app.settings, change, undo, left, signal: (name) => signal(name, app.settings),
});

byId('typed').addEventListener('submit', typed);
byId('photo').addEventListener('change', photo);
byId('next').addEventListener('click', ready);
byId('torch').addEventListener('click', toggleTorch);
byId('lens').addEventListener('click', nextCamera);
byId('open-history').addEventListener('click', () => new History(byId('history'), parts()).open());
byId('open-settings').addEventListener('click', () => new Settings(byId('settings'), parts()).open());
addEventListener('hashchange', () => {
  const fragment = takeFragment();
  if (fragment.enrol && app.book) welcome('link', fragment);
  else if (fragment.code && app.book) scanned(fragment.code, 'link');
});
setInterval(drawFoot, 20_000);
byId('app').dataset.surroundings = surroundings();
start();
