// Hand-held scanners that type like a keyboard: fast digits, Enter at the end. Nobody has to click anywhere first, and a
// Chinese input method may be on: keys are taken by their place on the keyboard wherever the method hides the character.

import { foldDigits } from './number.js';

// A person does not type this fast for this long.
const MOST_GAP_MS = 120;
const SURE_AFTER = 6;
// A scanner without Enter at the end: this many digits and then silence are a code too.
const WHOLE_CODE = 100;
const SILENCE_MS = 350;
// Scanners that end with two line ends: the second one is theirs too.
const TRAILING_MS = 300;

/** Collects keystrokes anywhere on the page; `onScan(text)` gets what a scanner typed. */
export function collectKeys(onScan) {
  let text = '';
  let last = 0;
  let field = null;
  let before = '';
  let timer = 0;
  let quietUntil = 0;

  const reset = () => { text = ''; field = null; clearTimeout(timer); };
  const digits = () => text.replace(/\D/g, '').length;
  // What the scanner typed into a field that happened to have the focus is taken out again.
  const clean = () => {
    if (!field) return;
    field.value = before;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const finish = () => {
    const scanned = text;
    clean();
    reset();
    quietUntil = performance.now() + TRAILING_MS;
    onScan(scanned);
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isModifier(event)) return;
    const now = performance.now();
    if (text && now - last > MOST_GAP_MS) reset();
    last = now;
    if (event.code === 'Enter' || event.code === 'NumpadEnter' || event.key === 'Enter' || event.key === 'Tab') {
      if (now < quietUntil) event.preventDefault();
      const sure = digits() >= 10 && text.length >= SURE_AFTER;
      if (!sure) return reset();
      // Otherwise Enter would press whatever button has the focus.
      event.preventDefault();
      event.stopImmediatePropagation();
      return finish();
    }
    const character = characterOf(event);
    if (character === null) return;
    if (text === '') {
      field = isTextField(event.target) ? event.target : null;
      before = field ? field.value : '';
    }
    text += character;
    if (text.length > SURE_AFTER && !field) event.preventDefault();
    clearTimeout(timer);
    if (digits() >= WHOLE_CODE) timer = setTimeout(finish, SILENCE_MS);
  }, { capture: true });
}

/** The digit or other character of a key; null for keys that type nothing. */
function characterOf(event) {
  const { key, code } = event;
  if (/^[0-9\uFF10-\uFF19]$/.test(key)) return foldDigits(key);
  const place = /^(?:Digit|Numpad)([0-9])$/.exec(code || '');
  if (place && !event.shiftKey && key.length !== 1) return place[1];
  if (place && event.shiftKey && place[1] === '3') return '#';
  if (key.length === 1) return key;
  // A letter that the input method keeps to itself: anything that is no digit will do, it only separates.
  return key === 'Process' || key === 'Unidentified' || event.isComposing ? '.' : null;
}

const isModifier = (event) => ['Shift', 'Control', 'Alt', 'Meta', 'CapsLock', 'NumLock'].includes(event.key)
  || /^(Shift|Control|Alt|Meta)/.test(event.code || '');

const isTextField = (node) => node instanceof HTMLInputElement && !['checkbox', 'radio', 'file', 'button'].includes(node.type);
