// Small things that every module needs: elements, numbers, times, ids.

const HOUR = 3600;
const DAY = 24 * HOUR;
// Beijing is UTC+8 all year, and so is every counter that takes this card.
const BEIJING_MS = 8 * HOUR * 1000;

/** Makes an element; `data`, `aria` and `on` in `props` are spread over their attributes and listeners. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'data') Object.assign(node.dataset, value);
    else if (name === 'aria') for (const [key, text] of Object.entries(value)) node.setAttribute(`aria-${key}`, text);
    else if (name === 'on') for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else if (name in node && typeof value !== 'string') node[name] = value;
    else if (name === 'text') node.textContent = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Replaces what is inside a node. */
export function fill(node, ...children) {
  node.textContent = '';
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Now, in seconds since 1970. */
export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** `02 0001234 9`, as it is printed. */
export function grouped(number) {
  return number.length === 10 ? `${number.slice(0, 2)} ${number.slice(2, 9)} ${number.slice(9)}` : number;
}

/** An age in words, to be read at a glance. */
export function ageWords(seconds) {
  if (seconds < 90) return '刚刚';
  if (seconds < 1.5 * HOUR) return `${Math.round(seconds / 60)} 分钟前`;
  if (seconds < 2 * DAY) return `${Math.round(seconds / HOUR)} 小时前`;
  return `${Math.floor(seconds / DAY)} 天前`;
}

const two = (value) => String(value).padStart(2, '0');

function beijing(ms) {
  const at = new Date(ms + BEIJING_MS);
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    clock: `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`,
  };
}

/** `2027-12-31` */
export function dateText(ms) {
  const { year, month, day } = beijing(ms);
  return `${year}-${two(month)}-${two(day)}`;
}

/** `15:30` */
export const clockText = (ms) => beijing(ms).clock;

/** `2026-11-23 15:30` */
export const timeText = (ms) => `${dateText(ms)} ${clockText(ms)}`;

/** 今天 / 昨天 / 11月20日 */
export function dayText(ms, now = Date.now()) {
  const text = dateText(ms);
  if (text === dateText(now)) return '今天';
  if (text === dateText(now - DAY * 1000)) return '昨天';
  const { month, day } = beijing(ms);
  return `${month}月${day}日`;
}

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

/** Bytes of base64url without padding, or null. */
export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0));
  } catch (_) {
    return null;
  }
}

/** A UUIDv7: sorts by time, made without asking anybody. */
export function uuid7(ms = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let rest = ms;
  for (let place = 5; place >= 0; place -= 1) {
    bytes[place] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Between `least` and `most` times `value`: clients shall not all come at once. */
export const jitter = (value, least = 0.8, most = 1.2) => value * (least + Math.random() * (most - least));

/** Resolves after `ms`. */
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
