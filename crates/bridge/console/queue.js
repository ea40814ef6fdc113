// The queue view: the list of calls on the left, the selected call on the right. Rows are made once and
// then only changed, so the list can be read and walked through while calls come and go.

import { arrange, el, refill, setText, show, tag } from './dom.js';
import { runSince, runUntil } from './clock.js';
import { LANGUAGES, SKILLS, URGENCY } from './format.js';
import { live, onLive } from './live.js';
import { onKey } from './keys.js';
import { makePresence } from './presence.js';
import { makeCallPane } from './call.js';
import { verifiedMark } from './marks.js';

const GROUPS = [
  { id: 'mine', title: 'Your call', takes: (call) => call.mine },
  { id: 'waiting', title: 'Waiting for a person', takes: (call) => call.state === 'waiting' },
  { id: 'agent', title: 'Talking with Radline', takes: (call) => call.state === 'with_agent' },
  { id: 'provider', title: 'With a colleague', takes: () => true },
];

export function makeQueue(session) {
  const rows = new Map();
  const presence = makePresence(session.user.name);
  const groups = GROUPS.map(makeGroup);
  const nothing = el('p', { class: 'empty' }, 'No calls at the moment. New calls appear here by themselves.');
  const list = el('div', { class: 'list', id: 'calls' }, ...groups.map((group) => group.node), nothing);
  const pane = makeCallPane(session);
  const node = el('div', { class: 'queue' },
    el('section', { class: 'side', 'aria-labelledby': 'queue-title' },
      el('div', { class: 'side-head' }, el('h1', { id: 'queue-title', tabindex: '-1' }, 'Calls'), groups.count),
      presence.node, list, presence.others),
    pane.node);
  let selected = null;

  const paint = () => {
    const left = new Set(live.calls);
    for (const group of groups) {
      const calls = [...left].filter(group.takes);
      calls.forEach((call) => left.delete(call));
      arrange(group.list, calls.map((call) => rowOf(rows, call, selected)));
      setText(group.count, String(calls.length));
      show(group.node, calls.length > 0);
    }
    const alive = new Set(live.calls.map((call) => call.call));
    for (const id of [...rows.keys()]) if (!alive.has(id)) rows.delete(id);
    show(nothing, live.known && live.calls.length === 0);
    pane.follow();
  };

  onLive(paint);
  walkByKeys(list, node);
  return {
    node,
    select(id) {
      selected = id;
      for (const [call, row] of rows) mark(row, call === selected);
      pane.open(id);
    },
  };
}

function makeGroup({ id, title, takes }) {
  const count = el('span', { class: 'count' });
  const list = el('ul', { class: 'rows', 'aria-labelledby': `group-${id}` });
  const node = el('div', { class: `group group-${id}`, hidden: true },
    el('h2', { id: `group-${id}` }, title, ' ', count), list);
  return { node, list, count, takes };
}

function rowOf(rows, call, selected) {
  let row = rows.get(call.call);
  if (!row) {
    row = makeRow(call.call);
    rows.set(call.call, row);
  }
  update(row, call);
  mark(row, call.call === selected);
  return row.node;
}

function makeRow(id) {
  const parts = {};
  for (const name of ['badge', 'due', 'name', 'mark', 'clock', 'clockWord', 'reason', 'about', 'extra']) {
    parts[name] = el('span', { class: `row-${name}` });
  }
  const link = el('a', { href: `#/queue/${encodeURIComponent(id)}`, class: 'row' },
    el('span', { class: 'row-line' }, parts.badge, parts.due),
    el('span', { class: 'row-line' }, el('span', { class: 'row-who' }, parts.name, parts.mark), el('span', { class: 'row-time' }, parts.clockWord, parts.clock)),
    parts.reason, el('span', { class: 'row-line row-last' }, parts.about, parts.extra));
  return { ...parts, link, node: el('li', { data: { call: id } }, link) };
}

function mark(row, on) {
  if (on) row.link.setAttribute('aria-current', 'true');
  else row.link.removeAttribute('aria-current');
}

function update(row, call) {
  const { escalation } = call;
  const waiting = call.state === 'waiting';
  const urgency = escalation?.urgency ?? 'none';
  row.link.dataset.urgency = waiting ? urgency : 'none';
  setText(row.name, call.who?.name ?? 'Unknown caller');
  row.name.classList.toggle('unknown', !call.who?.name);
  refill(row.mark, String(Boolean(call.who?.verified)), () => verifiedMark(call.who?.verified));
  refill(row.badge, `${call.state} ${urgency} ${call.provider}`, () => badge(call, urgency));
  setText(row.clockWord, waiting ? 'waiting' : 'on for');
  runSince(row.clock, waiting ? escalation?.since ?? call.began : call.began);
  runUntil(row.due, waiting ? escalation?.due : null);
  setText(row.reason, escalation?.reason_text ?? '');
  setText(row.about, call.about ?? '');
  refill(row.extra, `${call.draft} ${escalation?.language} ${escalation?.skills}`, () => extras(call));
}

function badge(call, urgency) {
  if (call.state === 'waiting') return tag(`urgency ${urgency}`, URGENCY[urgency]?.icon ?? 'phone', URGENCY[urgency]?.word ?? 'Waiting');
  if (call.mine) return tag('state mine', 'phone', 'You are speaking');
  if (call.state === 'with_provider') return tag('state provider', 'provider', call.provider ?? 'A colleague');
  return tag('state agent', 'agent', 'Radline is speaking');
}

function extras(call) {
  const { language, skills } = call.escalation ?? {};
  return [
    call.draft && tag('note draft-waits', 'draft', 'Draft waits'),
    language && language !== 'en' && tag('note language', 'info', LANGUAGES[language] ?? language.toUpperCase()),
    call.state === 'waiting' && skills?.length ? el('span', { class: 'skill' }, skills.map((skill) => SKILLS[skill] ?? skill).join(', ')) : null,
  ];
}

/** J, K and the arrows walk through the links of the list; Enter on a link opens it as links do. */
function walkByKeys(list, view) {
  const move = (step) => {
    if (view.closest('[hidden]')) return false;
    const links = [...list.querySelectorAll('a.row')];
    if (!links.length) return false;
    const at = links.indexOf(document.activeElement);
    const from = at >= 0 ? at : links.findIndex((link) => link.hasAttribute('aria-current'));
    const next = links[Math.min(links.length - 1, Math.max(0, from + step))];
    next.focus();
    return true;
  };
  // Elsewhere the arrows scroll what has the focus, for instance the transcript.
  const arrow = (step) => () => (list.contains(document.activeElement) || document.activeElement === document.body ? move(step) : false);
  onKey('j', () => move(1));
  onKey('k', () => move(-1));
  onKey('ArrowDown', arrow(1));
  onKey('ArrowUp', arrow(-1));
}
