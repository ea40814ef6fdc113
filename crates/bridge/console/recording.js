// The sound of one past call: a waveform of both voices on a canvas, a playhead, and the slider that the
// keyboard moves. The audio element has no controls of its own, because the waveform is the control.

import { button, el, fail, setText } from './dom.js';
import { icon } from './icons.js';
import { address, callPath, get } from './api.js';
import { duration } from './format.js';

const STEP_S = 5;
const LEAP_S = 30;

/** `length` in ms is what the timeline says; the audio may know better. `moved` hears every new place. */
export function makePlayer(id, length, marks, moved) {
  const state = { length, wave: null, marks, colours: null, coloursAt: 0 };
  const audio = el('audio', { preload: 'metadata', src: address(callPath(id, '/recording')) });
  const canvas = el('canvas', { class: 'wave-canvas', 'aria-hidden': 'true' });
  const head = el('span', { class: 'playhead' });
  const slider = el('div', { class: 'wave', id: 'wave', role: 'slider', tabindex: '0', 'aria-label': 'Place in the recording', 'aria-valuemin': '0' },
    canvas, el('span', { class: 'wave-name upper' }, 'Caller'), el('span', { class: 'wave-name lower' }, 'Radline'), head);
  const play = button('Play', 'play', { id: 'play', class: 'primary' });
  const clock = el('span', { class: 'play-clock' });
  const rate = el('select', { id: 'rate' }, ...['1', '1.25', '1.5', '2'].map((value) => el('option', { value }, `${value} ×`)));
  const node = el('section', { class: 'player', 'aria-label': 'Recording' }, slider,
    el('div', { class: 'player-row' }, play, clock, el('label', { for: 'rate' }, 'Speed'), rate), audio);

  const at = () => audio.currentTime * 1000;
  const paint = () => {
    const place = at();
    const share = Math.min(1, place / state.length);
    head.style.transform = `translateX(${(share * slider.clientWidth).toFixed(1)}px)`;
    slider.setAttribute('aria-valuemax', String(Math.round(state.length / 1000)));
    slider.setAttribute('aria-valuenow', String(Math.round(place / 1000)));
    slider.setAttribute('aria-valuetext', `${duration(place)} of ${duration(state.length)}`);
    setText(clock, `${duration(place)} / ${duration(state.length)}`);
    draw(canvas, state, share);
    moved(place, !audio.paused);
  };
  const seek = (ms) => {
    audio.currentTime = Math.min(state.length, Math.max(0, ms)) / 1000;
    paint();
  };
  const toggle = () => (audio.paused ? audio.play().catch(() => fail({ message: 'The recording cannot be played.' })) : audio.pause());

  followAudio(audio, play, paint, state);
  steer(slider, { at, seek, toggle, length: () => state.length });
  play.addEventListener('click', toggle);
  rate.addEventListener('change', () => { audio.playbackRate = Number(rate.value); });
  const sized = new ResizeObserver(paint);
  sized.observe(slider);
  loadWave(id, state).then(paint, fail);
  return {
    node,
    seek(ms) {
      seek(ms);
      if (audio.paused) toggle();
    },
    close() {
      sized.disconnect();
      audio.pause();
      audio.removeAttribute('src');
      audio.load();
    },
  };
}

async function loadWave(id, state) {
  const wave = await get(callPath(id, '/waveform'));
  state.wave = wave;
  state.length = Math.max(state.length, wave.caller.length * wave.step_ms);
}

function followAudio(audio, play, paint, state) {
  const frame = () => {
    if (audio.paused) return;
    paint();
    requestAnimationFrame(frame);
  };
  const painted = () => {
    const on = !audio.paused;
    play.querySelector('.icon').replaceWith(icon(on ? 'pause' : 'play'));
    setText(play.querySelector('.label'), on ? 'Pause' : 'Play');
    paint();
  };
  audio.addEventListener('loadedmetadata', () => {
    if (Number.isFinite(audio.duration)) state.length = audio.duration * 1000;
    paint();
  });
  audio.addEventListener('play', () => { painted(); requestAnimationFrame(frame); });
  audio.addEventListener('pause', painted);
  audio.addEventListener('seeked', paint);
  audio.addEventListener('error', () => { if (audio.getAttribute('src')) fail({ message: 'The recording could not be fetched.' }); });
}

function steer(slider, { at, seek, toggle, length }) {
  const steps = {
    ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S, PageDown: -LEAP_S, PageUp: LEAP_S,
  };
  slider.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) seek(at() + steps[event.key] * 1000);
    else if (event.key === 'Home') seek(0);
    else if (event.key === 'End') seek(length());
    else if (event.key === ' ') toggle();
    else return;
    event.preventDefault();
  });
  const point = (event) => seek(((event.clientX - slider.getBoundingClientRect().left) / slider.clientWidth) * length());
  slider.addEventListener('pointerdown', (event) => {
    slider.setPointerCapture(event.pointerId);
    point(event);
  });
  slider.addEventListener('pointermove', (event) => { if (slider.hasPointerCapture(event.pointerId)) point(event); });
}

const COLOURS_MS = 1000;

/** Reads the theme's colours from the page now and then, so that the canvas follows light and dark. */
function coloursOf(node, state) {
  if (state.colours && performance.now() - state.coloursAt < COLOURS_MS) return state.colours;
  const resolved = (name) => {
    node.style.color = `var(${name})`;
    return getComputedStyle(node).color;
  };
  state.colours = { caller: resolved('--voice-caller'), agent: resolved('--voice-agent'), line: resolved('--line'), mark: resolved('--danger') };
  state.coloursAt = performance.now();
  return state.colours;
}

function draw(canvas, state, share) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return;
  const { caller, agent, line, mark } = coloursOf(canvas, state);
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = line;
  pen.fillRect(0, height / 2 - 0.5, width, 1);
  if (state.wave) {
    lane(pen, state, state.wave.caller, caller, height / 4, height / 4 - 4, width, share);
    lane(pen, state, state.wave.agent, agent, (height * 3) / 4, height / 4 - 4, width, share);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = mark;
  for (const place of state.marks) flag(pen, (place / state.length) * width);
}

/** One voice as bars of two pixels; what has been played stands out. */
function lane(pen, { wave, length }, samples, colour, middle, reach, width, share) {
  pen.fillStyle = colour;
  const perPixel = length / wave.step_ms / width;
  for (let x = 0; x < width; x += 3) {
    const from = Math.floor(x * perPixel);
    const to = Math.max(from + 1, Math.floor((x + 3) * perPixel));
    let peak = 0;
    for (let index = from; index < to && index < samples.length; index += 1) peak = Math.max(peak, samples[index]);
    const size = Math.max(0.75, (peak / 255) * reach);
    pen.globalAlpha = x / width <= share ? 1 : 0.5;
    pen.fillRect(x, middle - size, 2, size * 2);
  }
}

function flag(pen, x) {
  pen.beginPath();
  pen.moveTo(x - 4, 0);
  pen.lineTo(x + 4, 0);
  pen.lineTo(x, 7);
  pen.fill();
}
