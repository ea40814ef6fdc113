// The optional sound for a new emergency or a new waiting call. It is off until the user turns it on,
// and the browser plays nothing before the first click or key anyway.

import { preference } from './dom.js';

const NOTES = { emergency: [880, 1175, 880, 1175], waiting: [660, 880] };
const NOTE_S = 0.16;

let context = null;
let wanted = preference('chime') === 'on';

export const chimeIsOn = () => wanted;

export function setChime(on) {
  wanted = on;
  preference('chime', on ? 'on' : 'off');
  if (on) chime('waiting');
}

/** A remembered switch needs one gesture before sound may play. */
export function armChime() {
  if (wanted) ready();
}

function ready() {
  context ??= new AudioContext();
  if (context.state === 'suspended') context.resume().catch(() => {});
  return context;
}

export function chime(kind) {
  if (!wanted) return;
  const output = ready();
  NOTES[kind].forEach((pitch, index) => note(output, pitch, output.currentTime + 0.02 + index * NOTE_S));
}

function note(output, pitch, start) {
  const tone = output.createOscillator();
  const gain = output.createGain();
  tone.frequency.value = pitch;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.18, start + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, start + NOTE_S * 1.6);
  tone.connect(gain).connect(output.destination);
  tone.start(start);
  tone.stop(start + NOTE_S * 1.7);
}
