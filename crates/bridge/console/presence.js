// The switch "I am available", the skills and languages that go with it, and who else is there.

import { fail, el, fill, preference, setText, tag } from './dom.js';
import { post } from './api.js';
import { LANGUAGES, SKILLS } from './format.js';
import { live, onLive } from './live.js';

/** Makes the block above the list. `me` is the account name of the signed-in provider. */
export function makePresence(me) {
  const word = el('span', { class: 'switch-word' }, 'Away');
  const toggle = el('button', { type: 'button', id: 'presence', class: 'switch', role: 'switch', 'aria-checked': 'false' },
    el('span', { class: 'knob', 'aria-hidden': 'true' }), el('span', null, 'I am available'));
  const skills = checks('skill', SKILLS, ['clinical', 'scheduling']);
  const languages = checks('language', LANGUAGES, ['en']);
  const chosen = el('span', { class: 'chosen' });
  const others = el('p', { class: 'others' });
  let sending = false;

  const tell = async (present) => {
    sending = true;
    paint(present);
    try {
      await post('presence', { present, skills: skills.values(), languages: languages.values() });
    } catch (error) {
      paint(!present);
      fail(error);
    } finally {
      sending = false;
    }
  };

  const paint = (present) => {
    toggle.setAttribute('aria-checked', String(present));
    setText(word, present ? 'Calls come to you' : 'No calls come to you');
  };

  const remember = () => {
    setText(chosen, [...skills.words(), ...languages.words()].join(', ') || 'none chosen');
  };

  const change = () => {
    remember();
    skills.keep();
    languages.keep();
    if (toggle.getAttribute('aria-checked') === 'true') tell(true);
  };

  toggle.addEventListener('click', () => tell(toggle.getAttribute('aria-checked') !== 'true'));
  for (const one of [skills, languages]) one.node.addEventListener('change', change);
  remember();
  onLive(() => {
    // The server's word counts: it may have ended the presence, for instance after a lost connection.
    if (!sending) paint(live.present.some((person) => person.name === me));
    paintOthers(others, me);
  });
  const node = el('div', { class: 'presence' },
    el('div', { class: 'presence-row' }, toggle, word),
    el('details', { class: 'skills' },
      el('summary', null, el('span', { class: 'summary-word' }, 'Skills'), chosen),
      skills.node, languages.node));
  return { node, others };
}

function paintOthers(node, me) {
  const people = live.present.filter((person) => person.name !== me);
  const shown = people.map((person) => tag(person.busy ? 'busy' : 'free', person.busy ? 'phone' : 'check',
    `${person.display}, ${person.busy ? 'on a call' : 'free'}`));
  const key = JSON.stringify(people);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  fill(node, el('span', { class: 'others-title' }, people.length ? 'Also available: ' : 'Nobody else is available.'), ...shown);
}

function checks(name, options, fallback) {
  const kept = preference(`${name}s`)?.split(',') ?? fallback;
  const boxes = Object.entries(options).map(([value, label]) => {
    const box = el('input', { type: 'checkbox', id: `${name}-${value}`, value });
    box.checked = kept.includes(value);
    return { box, label };
  });
  const on = () => boxes.filter(({ box }) => box.checked);
  const values = () => on().map(({ box }) => box.value);
  return {
    node: el('fieldset', { class: 'checks' }, el('legend', null, name === 'skill' ? 'Skills' : 'Languages'),
      ...boxes.map(({ box, label }) => el('label', { class: 'check' }, box, label))),
    values,
    words: () => on().map(({ label }) => label),
    keep: () => preference(`${name}s`, values().join(',')),
  };
}
