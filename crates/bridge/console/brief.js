// The brief of a call, made to be read in five seconds: why, what next, safety, then the rest. Only the
// parts that changed are made anew, so a selection made for copying survives the next event.

import { el, fill, hiddenText, tag } from './dom.js';
import { icon } from './icons.js';
import { URGENCY } from './format.js';

const LEVELS = {
  stop: { word: 'Stop', icon: 'stop', order: 0 },
  review: { word: 'Review', icon: 'review', order: 1 },
  note: { word: 'Note', icon: 'note', order: 2 },
  clear: { word: 'Clear', icon: 'check', order: 3 },
};

const PARTS = { why: makeWhy, next: makeNext, safety: makeSafety, open: makeOpen, settled: makeSettled, plan: makePlan, feelings: makeFeelings };

export function makeBrief() {
  const parts = Object.fromEntries(Object.keys(PARTS).map((name) => [name, el('div', { class: `brief-part part-${name}`, hidden: true })]));
  const waiting = el('p', { class: 'empty' }, 'The brief is being fetched.');
  const node = el('section', { id: 'brief', class: 'brief', tabindex: '0', 'aria-labelledby': 'brief-title' },
    el('h3', { id: 'brief-title', class: 'sr-only' }, 'Brief'), waiting, ...Object.values(parts));
  const seen = new Map();

  const update = (brief) => {
    waiting.hidden = Boolean(brief);
    for (const [name, part] of Object.entries(parts)) {
      const key = brief ? JSON.stringify(dataOf(name, brief)) : '';
      if (seen.get(name) === key) continue;
      seen.set(name, key);
      const content = brief ? PARTS[name](brief) : null;
      part.hidden = !content;
      fill(part, content);
    }
  };

  return { node, update, clear: () => { update(null); node.scrollTop = 0; } };
}

const dataOf = (name, brief) => (name === 'plan' ? [brief.order, brief.appointment] : brief[name]);

const title = (text) => el('h4', null, text);

function makeWhy({ why }) {
  if (!why) return null;
  const urgency = URGENCY[why.urgency];
  return [
    title('Why'),
    el('p', { class: `why ${why.urgency ?? ''}` }, urgency ? icon(urgency.icon) : null, el('strong', null, why.reason_text ?? '')),
    why.sentence ? el('blockquote', { class: 'trigger' }, hiddenText('The caller said: '), el('mark', null, `“${why.sentence}”`)) : null,
  ];
}

function makeNext({ next }) {
  if (!next?.text) return null;
  return [title('Suggested next step'), el('p', { class: 'next-text' }, next.text), next.source ? el('p', { class: 'source' }, `Source: ${next.source}`) : null];
}

function makeSafety({ safety }) {
  if (!safety?.length) return null;
  const sorted = [...safety].sort((one, other) => rank(one) - rank(other));
  const clear = sorted.filter((row) => row.level === 'clear' && !row.quote);
  const telling = sorted.filter((row) => !clear.includes(row));
  return [title('Safety answers'), el('ul', { class: 'safety' }, ...telling.map(safetyRow), clear.length ? clearRow(clear) : null)];
}

const rank = (row) => LEVELS[row.level]?.order ?? 2;

function safetyRow({ question, answer, level, quote }) {
  const known = LEVELS[level] ?? LEVELS.note;
  return el('li', { class: `safety-row level-${level}` },
    tag(`level ${level}`, known.icon, known.word),
    el('span', { class: 'safety-text' }, question, ' ', el('strong', null, answer),
      quote ? el('q', { class: 'quote' }, quote) : null));
}

/** Answers without any concern share one row, so that the others stand out. */
function clearRow(rows) {
  const answers = rows.map(({ question, answer }) => el('span', { class: 'clear-answer' }, question, ' ', el('strong', null, answer)));
  return el('li', { class: 'safety-row level-clear' }, tag('level clear', LEVELS.clear.icon, LEVELS.clear.word), el('span', { class: 'safety-text' }, ...answers));
}

function makeOpen({ open }) {
  if (!open?.length) return null;
  return [title('Still open'), el('ul', { class: 'open' }, ...open.map((text) => el('li', null, icon('none'), text)))];
}

function makeSettled({ settled }) {
  if (!settled?.length) return null;
  return [title('Settled'), el('dl', { class: 'facts' }, ...settled.map((fact) => el('div', null,
    el('dt', null, fact.label),
    el('dd', null, fact.value, ' ', confirmation(fact)))))];
}

function confirmation({ confirmed, confidence }) {
  const sure = confidence === null || confidence === undefined ? '' : `, heard with ${Math.round(confidence * 100)} %`;
  return confirmed ? tag('fact-mark confirmed', 'check', `confirmed${sure}`) : tag('fact-mark unconfirmed', 'urgent', `not confirmed${sure}`);
}

function makePlan({ order, appointment }) {
  if (!order && !appointment) return null;
  return [title('Order and appointment'), el('dl', { class: 'facts' },
    order ? el('div', null, el('dt', null, 'Order'), el('dd', null, order.text, order.priority ? `, ${order.priority}` : '')) : null,
    appointment ? el('div', null, el('dt', null, 'Appointment'),
      el('dd', null, appointment.text, ' ', appointment.pending ? tag('fact-mark unconfirmed', 'routine', 'not final yet') : tag('fact-mark confirmed', 'check', 'booked'))) : null)];
}

function makeFeelings({ feelings }) {
  if (!feelings?.length) return null;
  return [title('In the caller’s own words'), ...feelings.map((text) => el('blockquote', { class: 'feeling' }, `“${text}”`))];
}
