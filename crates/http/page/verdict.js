// Draws a verdict: symbol, word and colour first; then why; then who; then what to give.

import { dateText, el, fill, grouped } from './format.js';
import { KINDS, VERDICTS, ineligibleWords, limitWords, lookOf, starWords } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const SYMBOLS = {
  check: 'M20 51l20 21 40-46',
  cross: 'M26 26l48 48M74 26L26 74',
  mark: 'M50 20v36M50 76v1',
  person: 'M50 12a19 19 0 1 0 .1 0M14 90c0-48 72-48 72 0',
  question: 'M34 36c0-20 32-20 32 0 0 14-16 13-16 26M50 79v1',
};
const STAR = 'M10 1.6l2.6 5.4 5.9.8-4.3 4.1 1 5.9L10 15l-5.2 2.8 1-5.9L1.5 7.8l5.9-.8z';

function drawing(viewBox, className, ...shapes) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', viewBox);
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  for (const d of shapes) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

export const symbol = (name) => drawing('0 0 100 100', `symbol symbol-${name}`, SYMBOLS[name]);

/** Five places, as many filled as there are stars. */
export function stars(count) {
  const places = [1, 2, 3, 4, 5].map((place) => drawing('0 0 20 20', place <= count ? 'star full' : 'star', STAR));
  return el('span', { class: 'stars', role: 'img', aria: { label: starWords(count) } }, places);
}

/** The coloured part: symbol, word, why and what to do. `heading` is the element of the word. */
export function panel(verdict, heading) {
  const look = lookOf(verdict);
  const { symbol: name, word } = VERDICTS[look];
  const [first, ...rest] = sentences(verdict.message || '');
  const long = (verdict.word || word).length > 4;
  return el('div', { class: 'panel', data: { look } },
    el('div', { class: 'answer' }, symbol(name), el(heading, { class: long ? 'word long' : 'word', text: verdict.word || word })),
    el('p', { class: 'why' }, el('strong', { text: first }), rest.length ? el('span', { text: rest.join('') }) : null));
}

/** Whose card it is, as far as it says. */
export function identity(verdict) {
  const { certificate } = verdict;
  if (!certificate) return null;
  const { star, holder, number, expires_at: expires } = certificate;
  const known = typeof star === 'number';
  return el('div', { class: 'identity' },
    known ? el('p', { class: 'star-line' }, stars(star),
      verdict.reason === 'ok' ? null : el('span', { text: starWords(star) })) : null,
    el('div', { class: 'who' },
      holder ? el('p', { class: 'holder', text: holder }) : null,
      el('p', { class: 'number' }, el('span', { class: 'label', text: '证书编号' }), el('span', { text: grouped(number) }))),
    expires && verdict.verdict !== 'reject'
      ? el('p', { class: 'expires', text: `有效期至 ${dateText(Date.parse(expires))}` }) : null,
    verdict.holder_check ? el('p', { class: 'check' }, symbol('person'), el('span', { text: verdict.holder_check })) : null);
}

/** The offers as buttons, best first; `given` maps offer ids to uses given for this card just now. */
export function offers(verdict, { given, onGive, onUndo }) {
  const list = verdict.offers || [];
  if (verdict.verdict === 'reject' || verdict.offers === undefined) return null;
  if (list.length === 0) return el('p', { class: 'no-offers', text: '本单位目前没有登记优惠' });
  // What was just given comes first: there is its undo.
  const sorted = [...list].sort((left, right) => Number(given.has(right.id)) - Number(given.has(left.id)));
  return el('ul', { class: 'offers', id: 'offers' }, sorted.map((offer) => {
    const use = given.get(offer.id);
    return el('li', {}, use ? givenRow(offer, use, onUndo) : offerRow(offer, onGive));
  }));
}

function offerRow(offer, onGive) {
  const { id, kind, title, eligible, terms } = offer;
  const data = { offer: id, kind, eligible: String(eligible) };
  const names = [el('span', { class: 'kind', text: KINDS[kind] || '' }), el('span', { class: 'title', text: title })];
  if (!eligible) {
    data.reason = offer.reason || '';
    return el('div', { class: 'offer', data }, names, el('span', { class: 'reason', text: ineligibleWords(offer) }));
  }
  const notes = [offer.identity_check ? '请先核对身份证件' : '', limitWords(offer.limits), terms || ''].filter(Boolean);
  return el('button', { type: 'button', class: 'offer', data, on: { click: (event) => onGive(offer, event) } },
    names,
    notes.length ? el('span', { class: offer.identity_check ? 'notes strong' : 'notes', text: notes.join(' · ') }) : null,
    el('span', { class: 'go', text: '给予' }));
}

function givenRow({ id, kind, title }, use, onUndo) {
  return el('div', { class: 'offer given', id: 'given', data: { offer: id, kind, use: use.id } },
    symbol('check'),
    el('span', { class: 'title', text: `已给予：${title}` }),
    el('button', { type: 'button', class: 'undo', data: { undo: use.id }, text: '撤销', on: { click: () => onUndo(use) } }));
}

/** Puts a verdict on the screen. */
export function drawVerdict(section, verdict, actions) {
  section.dataset.verdict = verdict.verdict;
  section.dataset.reason = verdict.reason;
  section.dataset.look = lookOf(verdict);
  fill(section, panel(verdict, 'h1'), el('div', { class: 'below' }, identity(verdict), offers(verdict, actions)));
}

/** The same for ears. */
export function spoken(verdict) {
  const look = lookOf(verdict);
  const { certificate } = verdict;
  const parts = [verdict.word || VERDICTS[look].word, verdict.message];
  if (certificate && certificate.holder) parts.push(certificate.holder);
  const first = (verdict.offers || []).find((offer) => offer.eligible);
  if (first) parts.push(`可给予${KINDS[first.kind]}：${first.title}`);
  if (verdict.holder_check) parts.push(verdict.holder_check);
  return parts.filter(Boolean).join('。');
}

/** A message as its sentences, the full stops kept. */
function sentences(text) {
  return text.match(/[^。]+。?/g) || [''];
}
