// Sound and vibration: one of each for every outcome, so that nobody has to look twice.

// Notes as [hertz, start, length] in seconds; no files.
const SOUNDS = {
  accept: { wave: 'sine', notes: [[880, 0, 0.11], [1318, 0.11, 0.2]] },
  caution: { wave: 'triangle', notes: [[587, 0, 0.16], [587, 0.22, 0.16]] },
  reject: { wave: 'square', notes: [[196, 0, 0.22], [147, 0.24, 0.34]] },
  other: { wave: 'triangle', notes: [[330, 0, 0.12]] },
  given: { wave: 'sine', notes: [[1047, 0, 0.09], [1568, 0.08, 0.24]] },
  undone: { wave: 'sine', notes: [[784, 0, 0.1], [523, 0.1, 0.18]] },
};
const VIBRATIONS = {
  accept: [70], caution: [90, 80, 90], reject: [320, 90, 320], other: [30, 50, 30], given: [40], undone: [40, 40, 40],
};
const LOUDNESS = { sine: 0.35, triangle: 0.4, square: 0.16 };

let context = null;

/** Browsers let a page sound only after a touch or a key: take the first one. */
export function armSound() {
  const wake = () => {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!Context) return;
    try {
      context = context || new Context();
      if (context.state === 'suspended') context.resume();
    } catch (_) { /* a device without sound */ }
  };
  for (const event of ['pointerdown', 'keydown', 'touchend']) addEventListener(event, wake, { passive: true, capture: true });
}

/** Gives the sign for an outcome, as far as the settings want it. */
export function signal(outcome, { sound, vibration }) {
  // Before anybody has touched the page, browsers refuse to vibrate and complain in the console.
  const touched = !navigator.userActivation || navigator.userActivation.hasBeenActive;
  if (vibration && touched && navigator.vibrate) navigator.vibrate(VIBRATIONS[outcome] || []);
  if (sound && context && context.state === 'running') play(SOUNDS[outcome]);
}

function play({ wave, notes }) {
  const begin = context.currentTime + 0.01;
  for (const [hertz, start, length] of notes) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = wave;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, begin + start);
    volume.gain.linearRampToValueAtTime(LOUDNESS[wave], begin + start + 0.012);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + start + length);
    tone.connect(volume).connect(context.destination);
    tone.start(begin + start);
    tone.stop(begin + start + length + 0.02);
  }
}
