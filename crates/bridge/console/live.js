// The live queue: who waits, who talks, who is there. It keeps the latest state for all views, counts the
// waiting calls in the title, and announces what is new, sparingly.

import { post, stream } from './api.js';
import { sync } from './clock.js';
import { chime } from './chime.js';
import { alarm, banner, say } from './dom.js';
import { URGENCY } from './format.js';

export const live = { calls: [], present: [], known: false };

const listeners = new Set();
const announced = new Map();
let source = null;

export function onLive(work) {
  listeners.add(work);
}

export const callOf = (id) => live.calls.find((call) => call.call === id) ?? null;

/** How often the page says that it is alive: a laptop that was closed must not keep callers waiting. */
const ALIVE_MS = 10000;

export function startLive() {
  if (!source) setInterval(() => post('alive').catch(() => {}), ALIVE_MS);
  source ??= stream('live', { queue: take }, (connected) => {
    banner('live', connected ? '' : 'The connection to Radline is lost. The list may be out of date; it comes back by itself.');
  });
}

function take(data) {
  sync(data.now);
  live.calls = data.calls;
  live.present = data.present;
  announce(live.known);
  live.known = true;
  for (const work of listeners) work(live);
}

const isWaiting = (call) => call.state === 'waiting';

/** The kind of news that a call is, so that each piece of news is told once. */
function newsOf(call) {
  if (isWaiting(call)) return call.escalation?.urgency === 'emergency' ? 'emergency' : 'waiting';
  return call.draft ? 'draft' : 'none';
}

function announce(tell) {
  const waiting = live.calls.filter(isWaiting).length;
  // The title is seen by others and kept in the browser's history: it holds a number, nothing else.
  document.title = waiting ? `(${waiting}) Radline` : 'Radline';
  const fresh = { emergency: [], waiting: [], draft: [], none: [] };
  for (const call of live.calls) {
    const news = newsOf(call);
    if (announced.get(call.call) !== news) fresh[news].push(call);
    announced.set(call.call, news);
  }
  for (const id of [...announced.keys()]) if (!callOf(id)) announced.delete(id);
  if (tell) speak(fresh);
}

function speak({ emergency, waiting, draft }) {
  if (emergency.length) {
    alarm(`New emergency: ${emergency.map((call) => call.escalation.reason_text).join('; ')}`);
    chime('emergency');
  } else if (waiting.length) {
    say(waiting.length > 1 ? `${waiting.length} new calls waiting` : `New call waiting, ${describe(waiting[0])}`);
    chime('waiting');
  } else if (draft.length) {
    say('A draft answer waits for approval');
  }
}

function describe(call) {
  const { urgency, reason_text: reason } = call.escalation ?? {};
  return [URGENCY[urgency]?.word.toLowerCase(), reason].filter(Boolean).join(': ');
}
