// The right side of the queue view: one call with its brief, its transcript, its drafts and its controls.
// The page parts are made once; selecting another call empties and refills them.

import { banner, button, byId, el, refill, say, setText, show, tag } from './dom.js';
import { callPath, stream } from './api.js';
import { now, runSince, runUntil } from './clock.js';
import { age, day, LANGUAGES, URGENCY } from './format.js';
import { makeBrief } from './brief.js';
import { makeControls } from './controls.js';
import { makeDraft } from './draft.js';
import { makeTranscript } from './transcript.js';
import { callOf, live } from './live.js';
import { onKey, showKeys } from './keys.js';
import { hear, talk } from './talking.js';
import { verifiedMark } from './marks.js';

export function makeCallPane(session) {
  const head = makeHead();
  const brief = makeBrief();
  const transcript = makeTranscript();
  const controls = makeControls(session);
  const draft = makeDraft({ takeOver: controls.takeOver, neighbour: controls.first });
  const nothing = makeNothing();
  const desk = el('div', { class: 'desk', hidden: true },
    el('div', { class: 'call-head' }, head.node, controls.head), controls.sound,
    el('div', { class: 'call-body' }, brief.node, el('div', { class: 'talk-column' }, draft.node, transcript.node)),
    controls.wrap);
  const node = el('section', { class: 'pane', 'aria-label': 'Selected call' }, nothing, desk);
  const shown = { id: null, source: null, brief: null, state: null };

  const paint = () => {
    const row = shown.id ? callOf(shown.id) : null;
    const state = { state: shown.state?.state ?? row?.state ?? null, provider: shown.state?.provider ?? row?.provider ?? null };
    head.update(row, shown.brief, state.state, session.may.includes('calls') ? shown.id : null);
    controls.follow({ id: shown.id, ...state });
  };

  const close = () => {
    shown.source?.close();
    banner('call', '');
    brief.clear();
    transcript.clear();
    draft.open(null);
    Object.assign(shown, { id: null, source: null, brief: null, state: null });
  };

  const open = (id) => {
    if (id === shown.id) return;
    close();
    shown.id = id;
    show(desk, Boolean(id), () => byId('queue-title'));
    nothing.hidden = Boolean(id);
    draft.open(id);
    if (id) shown.source = stream(callPath(id, '/live'), handlersOf({ shown, brief, transcript, draft, paint }), (on) => banner('call', on ? '' : lossOf(id)));
    paint();
  };

  bindDraftKeys(draft, node);
  // The queue is the quicker teller of who holds a call once the call's own stream has fallen silent.
  const follow = () => {
    const row = shown.id ? callOf(shown.id) : null;
    if (row && shown.state && shown.state.state !== 'ended' && shown.state.state !== row.state) shown.state = { state: row.state, provider: row.provider };
    paint();
  };
  return { node, open, follow };
}

/** What the events of a call's stream do to the parts of the page. */
function handlersOf({ shown, brief, transcript, draft, paint }) {
  return {
    line: (line) => transcript.addLine(line),
    happening: (happening) => transcript.addHappening(happening),
    brief: (next) => {
      shown.brief = next;
      brief.update(next);
      transcript.setTrigger(next.why?.sentence);
      paint();
    },
    draft: (next) => draft.add(next),
    draft_over: (over) => draft.over(over),
    call_state: (next) => {
      const ended = next.state === 'ended' && shown.state && shown.state.state !== 'ended';
      shown.state = next;
      // A stream that has just been opened tells old states too, so only the end, which is final, counts
      // here; whose call it is, the queue says.
      if (next.state === 'ended') {
        hear(shown.id, false, true);
        // Nothing follows; a browser would ask for more.
        shown.source?.close();
      }
      if (ended && talk.call !== shown.id) say('The call has ended');
      paint();
    },
  };
}

function lossOf(id) {
  return live.known && !callOf(id) ? 'This call is no longer in the queue.' : 'The connection to this call is lost. What is shown may be out of date.';
}

function makeNothing() {
  return el('div', { class: 'nothing' },
    el('p', { class: 'nothing-title' }, 'Choose a call'),
    el('p', null, 'Pick one from the list to read its brief and listen in by transcript. ',
      el('kbd', null, 'J'), ' and ', el('kbd', null, 'K'), ' move, ', el('kbd', null, 'Enter'), ' opens, ', el('kbd', null, 'T'), ' takes the call.'),
    button('All keys', 'keyboard', { onclick: showKeys }));
}

function bindDraftKeys(draft, node) {
  const when = (verdict) => () => (node.closest('[hidden]') ? false : draft.key(verdict));
  onKey('a', when('approve'));
  onKey('Enter', when('approve'));
  onKey('e', when('edit'));
  onKey('r', when('reject'));
}

function makeHead() {
  const name = el('span');
  const verified = el('span', { class: 'head-mark' });
  const facts = el('p', { class: 'head-facts' });
  const badge = el('span', { class: 'head-badge' });
  const waited = el('span', { class: 'clock' });
  const left = el('span', { class: 'due' });
  const wait = el('span', { class: 'head-wait', hidden: true }, 'waiting ', waited, left);
  const lasted = el('span', { class: 'clock' });
  const run = el('span', { class: 'head-wait' }, 'call ', lasted);
  const record = el('a', { class: 'head-record', hidden: true }, 'Open the record');
  const node = el('div', { class: 'head-who' },
    el('h2', { id: 'call-name' }, name, verified),
    facts, el('p', { class: 'head-line' }, badge, wait, run, record));

  const update = (row, brief, state, recordOf) => {
    const who = brief?.who ?? row?.who ?? {};
    setText(name, who.name ?? 'Unknown caller');
    refill(verified, String(Boolean(who.verified)), () => verifiedMark(who.verified));
    setText(facts, factsOf(who, row));
    const waiting = state === 'waiting';
    const urgency = brief?.why?.urgency ?? row?.escalation?.urgency;
    refill(badge, `${urgency} ${state}`, () => badgeOf(urgency, state));
    wait.hidden = !waiting || !row?.escalation;
    runSince(waited, waiting ? row?.escalation?.since : null);
    runUntil(left, waiting ? row?.escalation?.due : null);
    run.hidden = !row;
    runSince(lasted, row?.began ?? null);
    record.hidden = state !== 'ended' || !recordOf;
    if (recordOf) record.href = `#/calls/${encodeURIComponent(recordOf)}`;
  };
  return { node, update };
}

function factsOf(who, row) {
  const born = who.date_of_birth;
  const years = born ? age(born, now()) : null;
  const language = row?.escalation?.language;
  return [
    born ? `born ${day(born)}${years === null ? '' : ` (${years})`}` : null,
    who.verified ? 'identity verified' : 'identity not verified',
    who.outbound === undefined ? null : who.outbound ? 'Radline called' : 'caller rang in',
    language && language !== 'en' ? `speaks ${LANGUAGES[language] ?? language}` : null,
    row?.about,
  ].filter(Boolean).join(' · ');
}

function badgeOf(urgency, state) {
  if (state === 'ended') return tag('state ended', 'hang_up', 'Ended');
  const known = URGENCY[urgency];
  if (known) return tag(`urgency ${urgency}`, known.icon, known.word);
  return state === 'with_agent' ? tag('state agent', 'agent', 'Radline is speaking') : null;
}
