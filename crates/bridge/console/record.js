// One past call: its recording, the transcript with the latency of every answer, and its events. The
// current line is marked while the recording plays, and every time in the lists leads to its sound.

import { el, fail, fill, setText, tag } from './dom.js';
import { icon } from './icons.js';
import { callPath, get } from './api.js';
import { duration, HAPPENINGS, when, words } from './format.js';
import { makePlayer } from './recording.js';
import { SPEAKERS } from './transcript.js';

/** Answers slower than this are felt as a pause on the telephone. */
const SLOW_MS = 1000;

export function makeRecord() {
  const heading = el('h1', { tabindex: '-1' }, 'Call');
  const facts = el('p', { class: 'view-sub' });
  const body = el('div', { class: 'record' });
  const node = el('div', { class: 'view-inner' },
    el('p', { class: 'way-back' }, el('a', { href: '#/calls' }, icon('back'), 'All past calls')),
    el('div', { class: 'view-head' }, heading, facts), body);
  let player = null;
  let asked = null;

  const open = async (id) => {
    asked = id;
    fill(body, el('p', { class: 'empty' }, 'The call is being fetched.'));
    try {
      const call = await get(callPath(id));
      if (asked !== id) return;
      setText(heading, `Call of ${when(call.started)}`);
      setText(facts, factsOf(call));
      player = paint(body, call);
    } catch (error) {
      fill(body, el('p', { class: 'empty' }, error.message));
      fail(error);
    }
  };

  return {
    node,
    open,
    close() {
      asked = null;
      player?.close();
      player = null;
      fill(body);
    },
  };
}

function factsOf({ started, ended, outcome, scenario }) {
  return [ended ? `lasted ${duration(ended - started)}` : 'going on', outcome ? `outcome: ${words(outcome)}` : null, scenario ? `scenario: ${words(scenario)}` : null].filter(Boolean).join(' · ');
}

function paint(body, call) {
  const lines = call.timeline.filter((entry) => entry.kind === 'line');
  const events = call.timeline.filter((entry) => entry.kind === 'happening');
  const latencies = pair(lines, call.timeline.filter((entry) => entry.kind === 'timing'));
  const rows = lines.map((line) => lineRow(line, latencies.get(line), call.recording, (ms) => player?.seek(ms)));
  const length = call.ended ? call.ended - call.started : (call.timeline.at(-1)?.at_ms ?? 0) + 1000;
  const player = call.recording
    ? makePlayer(call.id, length, events.map((event) => event.at_ms), (place, playing) => markCurrent(rows, place, playing)) : null;
  fill(body, player?.node ?? el('p', { class: 'no-recording' }, icon('mic_off'), 'This call was not recorded, so there is no sound to play.'),
    el('div', { class: 'record-columns' },
      el('section', { 'aria-labelledby': 'lines-title' }, el('h2', { id: 'lines-title' }, 'Transcript'), lineTable(rows)),
      el('section', { 'aria-labelledby': 'events-title' }, el('h2', { id: 'events-title' }, 'Events'), eventList(events, call.recording, (ms) => player?.seek(ms)))));
  return player;
}

/** Gives each timing to the answer of Radline that stands nearest to where the answer began. */
function pair(lines, timings) {
  const answers = lines.filter((line) => line.who === 'agent');
  const found = new Map();
  for (const timing of timings) {
    const began = timing.to_ms ?? timing.at_ms;
    const distance = (line) => Math.abs(line.at_ms - began);
    const nearest = answers.filter((line) => !found.has(line)).sort((one, other) => distance(one) - distance(other))[0];
    if (nearest && timing.voice_to_voice_ms !== undefined) found.set(nearest, timing.voice_to_voice_ms);
  }
  return found;
}

function lineTable(rows) {
  return el('div', { class: 'table-holder' }, el('table', { class: 'table lines' }, el('caption', { class: 'sr-only' }, 'What was said'),
    el('thead', null, el('tr', null, ...['Time', 'Who', 'Said', 'Voice to voice'].map((text) => el('th', { scope: 'col' }, text)))),
    el('tbody', null, ...rows.map((row) => row.node))));
}

const timeOf = (ms, playable, seek, what) => (playable
  ? el('button', { type: 'button', class: 'time-link', 'aria-label': `Play ${what} from ${duration(ms)}`, onclick: () => seek(ms) }, duration(ms)) : duration(ms));

function lineRow({ at_ms: at, who, text }, latency, playable, seek) {
  const said = text === null || text === undefined ? el('em', { class: 'unrecorded' }, '(not recorded)') : text;
  const node = el('tr', { class: `said-by-${who}`, data: { at } },
    el('td', { class: 'time-cell' }, timeOf(at, playable, seek, 'this line')),
    el('td', { class: 'who-cell' }, icon(who), SPEAKERS[who] ?? who),
    el('td', { class: 'said-cell' }, said), el('td', { class: 'latency-cell' }, latencyOf(latency)));
  if (playable) {
    node.classList.add('playable');
    // The button in the row is for the keyboard; a click anywhere in the row does the same, unless it ends a selection.
    node.addEventListener('click', (event) => { if (!event.target.closest('button') && !String(getSelection())) seek(at); });
  }
  return { at, node };
}

function latencyOf(ms) {
  if (ms === undefined) return null;
  const slow = ms > SLOW_MS;
  return el('span', { class: slow ? 'latency slow' : 'latency' }, slow ? icon('urgent') : null, `${Math.round(ms)} ms${slow ? ', slow' : ''}`);
}

function eventList(events, playable, seek) {
  if (!events.length) return el('p', { class: 'empty' }, 'Nothing out of the ordinary happened.');
  return el('ol', { class: 'events' }, ...events.map(({ at_ms: at, what, text }) => el('li', null,
    el('span', { class: 'event-time' }, timeOf(at, playable, seek, 'the recording')), tag(`event event-${what}`, HAPPENINGS[what] ?? 'info', text ?? words(what)))));
}

let current = null;

function markCurrent(rows, place, playing) {
  const row = rows.filter(({ at }) => at <= place).at(-1) ?? null;
  if (current === row?.node) return;
  current?.removeAttribute('aria-current');
  current = row?.node ?? null;
  current?.setAttribute('aria-current', 'true');
  if (playing) current?.scrollIntoView({ block: 'nearest' });
}
