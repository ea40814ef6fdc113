// The running transcript of a call with both voices. It follows the conversation as long as the reader
// is at its end, and never moves what somebody is reading further up.

import { button, el, show } from './dom.js';
import { icon } from './icons.js';
import { duration, HAPPENINGS } from './format.js';

export const SPEAKERS = { caller: 'Caller', agent: 'Radline', provider: 'Provider' };
const NEAR_END_PX = 48;

export function makeTranscript() {
  const log = el('div', { id: 'transcript', class: 'transcript', role: 'log', tabindex: '0', 'aria-labelledby': 'transcript-title' });
  const newer = button('New lines', 'down', { class: 'newer', hidden: true, onclick: () => toEnd() });
  const nothing = el('p', { class: 'empty' }, 'Nothing has been said yet.');
  const seen = new Set();
  let trigger = '';
  let pinned = true;

  const toEnd = () => {
    pinned = true;
    log.scrollTop = log.scrollHeight;
    show(newer, false, () => log);
  };
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;

  const add = (entry, make) => {
    // A stream that was opened anew tells everything from the start.
    if (seen.has(entry.seq)) return;
    seen.add(entry.seq);
    nothing.remove();
    const row = make(entry);
    highlight(row, trigger);
    log.append(row);
    if (pinned) toEnd();
    else show(newer, true);
  };

  log.addEventListener('scroll', () => {
    pinned = atEnd();
    if (pinned) show(newer, false, () => log);
  }, { passive: true });
  // The controls of a call take room when they appear; the newest line must stay in sight.
  new ResizeObserver(() => { if (pinned) toEnd(); }).observe(log);
  const node = el('section', { class: 'talk', 'aria-labelledby': 'transcript-title' },
    el('h3', { id: 'transcript-title' }, 'Transcript'), log, newer);

  return {
    node,
    addLine: (line) => add(line, lineRow),
    addHappening: (happening) => add(happening, happeningRow),
    /** The sentence that triggered the escalation is marked here as in the brief. */
    setTrigger(sentence) {
      if (!sentence || sentence === trigger) return;
      trigger = sentence;
      for (const row of log.children) highlight(row, trigger);
    },
    clear() {
      seen.clear();
      trigger = '';
      pinned = true;
      log.replaceChildren(nothing);
      newer.hidden = true;
    },
  };
}

function lineRow({ at_ms: at, who, text, source, cut }) {
  return el('p', { class: `line from-${who}` },
    el('span', { class: 'line-time' }, duration(at)),
    el('span', { class: 'line-who' }, icon(who), SPEAKERS[who] ?? who),
    el('span', { class: 'line-text' },
      text === null ? el('em', { class: 'unrecorded' }, '(not recorded)') : el('span', { class: 'said' }, text),
      cut ? [' ', el('span', { class: 'cut' }, 'cut off, only part was heard')] : null,
      source ? [' ', el('span', { class: 'source' }, source)] : null));
}

function happeningRow({ at_ms: at, what, text }) {
  return el('p', { class: `happening happening-${what}` },
    el('span', { class: 'line-time' }, duration(at)), icon(HAPPENINGS[what] ?? 'info'), el('span', null, text));
}

function highlight(row, trigger) {
  const said = row.querySelector('.from-caller .said, .said');
  if (!trigger || !said || !row.classList.contains('from-caller') || said.querySelector('mark')) return;
  const text = said.textContent;
  const at = text.toLowerCase().indexOf(trigger.toLowerCase());
  if (at < 0) return;
  const end = at + trigger.length;
  said.replaceChildren(text.slice(0, at), el('mark', null, text.slice(at, end)), text.slice(end));
}
