// The camera: frames at a steady rate, each tried in another way, until one shows a code. Rests while nobody looks.

import { decode, PASSES } from './engine.js';

const WIDTH = 640;
const LEAST_GAP_MS = 66;
// After a minute without any code the camera looks less often: it costs battery all day.
const IDLE_AFTER_MS = 60_000;
const IDLE_GAP_MS = 200;
// A sensor this much finer than the frame is worth a second look at its middle in full detail.
const FINE = 1.4;

/** Why there is no camera: `insecure`, `missing`, `denied`, `busy`. */
export class NoCamera extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** One camera on one video element; `onCode(text)` for each frame that shows a code. */
export class Camera {
  constructor(video, onCode) {
    Object.assign(this, { video, onCode, stream: null, track: null, round: 0, lastCode: 0, generation: 0 });
    this.canvas = document.createElement('canvas');
    this.context = this.canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    this.deviceId = '';
    this.wanted = false;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.release();
      else if (this.wanted && !this.stream) this.start(this.deviceId).catch(() => this.onLost());
    });
    this.onLost = () => {};
    this.frames = 0;
  }

  /** Starts the given camera, or the one that looks away from the person. */
  async start(deviceId = '') {
    this.wanted = true;
    this.deviceId = deviceId;
    this.release();
    if (!window.isSecureContext) throw new NoCamera('insecure');
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) throw new NoCamera('missing');
    const choice = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: 'environment' } };
    const video = { ...choice, width: { ideal: 1280 }, height: { ideal: 720 } };
    const { generation } = this;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
    } catch (error) {
      if (deviceId) return this.start('');
      throw new NoCamera(reasonOf(error));
    }
    if (document.hidden || generation !== this.generation) {
      // Nobody looks any more, or another start was quicker.
      stream.getTracks().forEach((track) => track.stop());
      return undefined;
    }
    this.stream = stream;
    [this.track] = stream.getVideoTracks();
    this.track.addEventListener('ended', () => { this.release(); this.onLost(); });
    this.video.srcObject = stream;
    await this.video.play().catch(() => {});
    focusContinuously(this.track);
    this.lastCode = performance.now();
    this.generation += 1;
    this.watch(this.generation);
    return undefined;
  }

  stop() {
    this.wanted = false;
    this.release();
  }

  release() {
    this.generation += 1;
    if (this.stream) this.stream.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.track = null;
    this.video.srcObject = null;
  }

  get running() {
    return this.stream !== null;
  }

  hasTorch() {
    const abilities = this.track && this.track.getCapabilities ? this.track.getCapabilities() : {};
    return Boolean(abilities.torch);
  }

  async torch(on) {
    if (this.track) await this.track.applyConstraints({ advanced: [{ torch: on }] });
  }

  /** The cameras there are; names appear once one was allowed. */
  static async list() {
    if (!navigator.mediaDevices || !navigator.mediaDevices.enumerateDevices) return [];
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === 'videoinput');
  }

  watch(generation) {
    let next = 0;
    const look = () => {
      if (generation !== this.generation) return;
      const begin = performance.now();
      if (begin >= next && this.video.readyState >= 2 && this.video.videoWidth) {
        this.look(begin);
        const cost = performance.now() - begin;
        const gap = begin - this.lastCode > IDLE_AFTER_MS ? IDLE_GAP_MS : LEAST_GAP_MS;
        // Never more than half of the time: the page has to stay quick on an old phone.
        next = begin + Math.max(gap, cost * 2);
      }
      this.schedule(look);
    };
    this.schedule(look);
  }

  schedule(look) {
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  }

  look(now) {
    const { videoWidth: width, videoHeight: height } = this.video;
    const fine = Math.max(width, height) > WIDTH * FINE;
    const middle = fine && this.round % 2 === 1;
    const pass = (fine ? this.round >> 1 : this.round) % PASSES;
    this.round += 1;
    const text = decode(this.grab(width, height, middle), pass);
    this.frames += 1;
    if (!text) return;
    this.lastCode = now;
    this.onCode(text);
  }

  /** The whole frame made smaller, or its middle as it is. */
  grab(width, height, middle) {
    const side = Math.min(width, height, WIDTH);
    const [w, h] = middle ? [side, side] : [width, height];
    const scale = Math.min(1, WIDTH / Math.max(w, h));
    const target = [Math.round(w * scale), Math.round(h * scale)];
    if (this.canvas.width !== target[0]) [this.canvas.width] = target;
    if (this.canvas.height !== target[1]) [, this.canvas.height] = target;
    this.context.drawImage(this.video, (width - w) / 2, (height - h) / 2, w, h, 0, 0, target[0], target[1]);
    return this.context.getImageData(0, 0, target[0], target[1]);
  }
}

function reasonOf(error) {
  if (error.name === 'NotAllowedError' || error.name === 'SecurityError') return 'denied';
  if (error.name === 'NotFoundError' || error.name === 'OverconstrainedError') return 'missing';
  return 'busy';
}

function focusContinuously(track) {
  const abilities = track.getCapabilities ? track.getCapabilities() : {};
  if ((abilities.focusMode || []).includes('continuous')) {
    track.applyConstraints({ advanced: [{ focusMode: 'continuous' }] }).catch(() => {});
  }
}
