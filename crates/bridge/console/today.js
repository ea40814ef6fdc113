// Today's numbers, as a list of figures. A number that is not known yet is a dash.

import { el, fail, fill, setText } from './dom.js';
import { get, reloading } from './api.js';
import { duration } from './format.js';

const AGAIN_MS = 30000;

const count = (value) => String(value);
const seconds = (value) => duration(value * 1000);
const speed = (value) => `${(value / 1000).toFixed(2)} s`;

const GROUPS = [
  ['Calls', [
    ['Calls', 'calls', count], ['Finished', 'finished', count], ['Escalated to a person', 'escalated', count],
    ['Answered by a person', 'answered_by_person', count], ['Median wait for a person', 'median_wait_s', seconds, 'minutes:seconds'],
  ]],
  ['Tasks', [['Open', 'open_tasks', count], ['Overdue', 'overdue_tasks', count]]],
  ['How fast Radline answers', [
    ['Half of all answers within', 'voice_to_voice_p50_ms', speed, 'voice to voice'], ['95 of 100 answers within', 'voice_to_voice_p95_ms', speed, 'voice to voice'],
  ]],
  ['Drafts', [
    ['Approved', 'drafts.approved', count], ['Edited', 'drafts.edited', count], ['Rejected', 'drafts.rejected', count], ['Time ran out', 'drafts.expired', count],
  ]],
];

const valueOf = (data, path) => path.split('.').reduce((part, name) => part?.[name], data);

export function makeToday(session) {
  const figures = [];
  const groups = GROUPS.map(([title, rows], index) => el('section', { class: 'figures', 'aria-labelledby': `figures-${index}` },
    el('h2', { id: `figures-${index}` }, title),
    el('dl', null, ...rows.map(([label, path, words, unit]) => {
      const value = el('dd', { data: { figure: path } }, '–');
      figures.push({ value, path, words });
      return el('div', { class: 'figure' }, el('dt', null, label, unit ? el('span', { class: 'unit' }, ` (${unit})`) : null), value);
    }))));
  const place = [session.site.department, session.site.hospital].filter(Boolean).join(', ');
  const node = el('div', { class: 'view-inner' },
    el('div', { class: 'view-head' }, el('h1', { tabindex: '-1' }, 'Today'), el('p', { class: 'view-sub' }, place)), el('div', { class: 'figure-groups' }, ...groups));

  const load = async () => {
    try {
      const data = await get('today');
      for (const { value, path, words } of figures) paint(value, valueOf(data, path), words);
    } catch (error) {
      fail(error);
    }
  };

  return { node, ...reloading(load, AGAIN_MS) };
}

function paint(node, value, words) {
  const known = value !== null && value !== undefined;
  if (known) setText(node, words(value));
  else if (!node.querySelector('.sr-only')) fill(node, el('span', { 'aria-hidden': 'true' }, '–'), el('span', { class: 'sr-only' }, 'not known'));
}
