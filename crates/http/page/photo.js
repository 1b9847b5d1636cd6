// A photo of the card, where there is no camera to look through: several sizes, each tried in every way,
// the last one thoroughly.

import { decode, decodeThoroughly, PASSES } from './engine.js';
import { pause } from './format.js';

// Longest edges in pixels. A card photographed from near needs less, one on a table more.
const EDGES = [900, 1400, 640, 2400, 1800];

/** The text of the code on a photo, or null. The photo stays on the device. */
export async function readPhoto(file) {
  const picture = await upright(file);
  const width = picture.width || picture.naturalWidth;
  const height = picture.height || picture.naturalHeight;
  const longest = Math.max(width, height);
  const edges = EDGES.filter((edge, place) => edge <= longest || place === 0).map((edge) => Math.min(edge, longest));
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  try {
    for (const edge of edges) {
      canvas.width = Math.max(1, Math.round((width * edge) / longest));
      canvas.height = Math.max(1, Math.round((height * edge) / longest));
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
      for (let pass = 0; pass < PASSES; pass += 1) {
        const text = decode(pixels, pass);
        if (text) return text;
        // The screen has to stay alive meanwhile.
        await pause(0);
      }
      if (edge === edges[edges.length - 1]) return decodeThoroughly(pixels);
    }
    return null;
  } finally {
    if (picture.close) picture.close();
  }
}

/** The picture the way it was taken. */
async function upright(file) {
  if (window.createImageBitmap) {
    try {
      return await createImageBitmap(file, { imageOrientation: 'from-image' });
    } catch (_) { /* an older browser, or a format that only images know */ }
  }
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(address);
  }
}
