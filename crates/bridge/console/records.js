// Past calls: the search and its list. What is searched for stays in memory and goes to the server only;
// it is never put into the address of the page or into storage.

import { el, field, fill, formError, hiddenText, setText, show, submit, tag } from './dom.js';
import { post } from './api.js';
import { duration, OUTCOMES, when, words } from './format.js';

const COLUMNS = ['Started', 'Lasted', 'Patient', 'Outcome', 'Person', 'Recording'];

export function makeRecords() {
  const inputs = {
    patient: el('input', { id: 'search-patient', autocomplete: 'off', spellcheck: 'false' }),
    words: el('input', { id: 'search-words', autocomplete: 'off' }),
    outcome: el('input', { id: 'search-outcome', autocomplete: 'off', list: 'outcomes' }),
    day: el('input', { id: 'search-day', type: 'date' }),
  };
  const known = el('datalist', { id: 'outcomes' }, ...['finished', ...Object.keys(OUTCOMES)].map((value) => el('option', { value })));
  const form = el('form', { class: 'search', role: 'search', 'aria-label': 'Past calls' },
    field('Patient', inputs.patient), field('Words said', inputs.words), field('Outcome', inputs.outcome), field('Day', inputs.day), known,
    el('button', { type: 'submit', class: 'button primary' }, 'Search'), formError());
  const found = el('p', { class: 'view-sub', role: 'status' });
  const rows = el('tbody');
  const table = el('table', { class: 'table linked' }, el('caption', { class: 'sr-only' }, 'Past calls'),
    el('thead', null, el('tr', null, ...COLUMNS.map((text) => el('th', { scope: 'col' }, text)))), rows);
  const holder = el('div', { class: 'table-holder' }, table);
  const node = el('div', { class: 'view-inner' }, el('div', { class: 'view-head' }, el('h1', { tabindex: '-1' }, 'Past calls'), found), form, holder);
  let latest = 0;

  const search = () => submit(form, async () => {
    latest += 1;
    const mine = latest;
    const { calls, more } = await post('calls/search', wanted(inputs));
    if (mine !== latest) return;
    fill(rows, ...calls.map(row));
    show(holder, calls.length > 0);
    setText(found, sentence(calls.length, more));
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    search();
  });
  return { node, open: search, close() {} };
}

function wanted(inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]));
}

function sentence(count, more) {
  if (!count) return 'No call matches.';
  return more ? `The latest ${count} calls are shown. Search for fewer to see older ones.` : `${count} ${count === 1 ? 'call' : 'calls'}`;
}

function row({ id, started, ended, outcome, patient, escalated, recording }) {
  const no = () => [el('span', { 'aria-hidden': 'true' }, '–'), hiddenText('no')];
  return el('tr', { data: { record: id } },
    el('th', { scope: 'row' }, el('a', { href: `#/calls/${encodeURIComponent(id)}` }, when(started))),
    el('td', { class: 'figures-cell' }, ended ? duration(ended - started) : 'going on'),
    el('td', null, patient ?? el('span', { class: 'quiet-text' }, 'unknown')),
    el('td', null, words(outcome) || '–'),
    el('td', null, escalated ? tag('yes', 'provider', 'escalated') : no()),
    el('td', null, recording ? tag('yes', 'play', 'recorded') : no()));
}
