// Keyboard shortcuts, and the dialog that lists them. Single letters never fire while somebody types or
// a dialog is open, and they can be switched off for people whose software speaks or types for them.

import { dialog, el, preference } from './dom.js';

const LIST = [
  ['Calls', [['J or ↓', 'Next call in the list'], ['K or ↑', 'Previous call in the list'], ['Enter', 'Open the call']]],
  ['Open call', [['T', 'Take the call'], ['M', 'Mute or unmute'], ['H', 'Hand the caller back to Radline'], ['N', 'Go to the note']]],
  ['Draft answer', [['A or Enter', 'Approve'], ['E', 'Edit; Ctrl+Enter sends, Esc goes back'], ['R', 'Reject'], ['T', 'Take over']]],
  ['Recording', [['← and →', 'Back or on by 5 seconds, on the waveform'], ['Space', 'Play or pause, on the waveform']]],
  ['Everywhere', [['?', 'Show this list']]],
];

const actions = new Map();
let lettersOn = preference('keys') !== 'off';
let sheet = null;

/** Names what a key does. The work answers false when the key means nothing at that moment. */
export function onKey(key, work) {
  actions.set(key, work);
}

const typing = (node) => node.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable]');

/** Enter on a button or a link belongs to that button or link. */
const pressable = (node) => node.closest?.('button, a, summary, input, [role=slider]');

function onKeydown(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!lettersOn || typing(event.target) || document.querySelector('dialog[open]')) return;
  if (event.key === 'Enter' && pressable(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const work = actions.get(key);
  if (!work || event.repeat && !'jk'.includes(key)) return;
  if (work(event) !== false) event.preventDefault();
}

export function startKeys() {
  sheet = makeSheet();
  document.addEventListener('keydown', onKeydown);
  onKey('?', showKeys);
}

export function showKeys() {
  sheet.showModal();
}

function makeSheet() {
  const groups = LIST.map(([title, keys]) => el('section', { class: 'key-group' },
    el('h3', null, title),
    el('dl', null, ...keys.map(([key, does]) => el('div', null, el('dt', null, el('kbd', null, key)), el('dd', null, does))))));
  const letters = el('input', { type: 'checkbox', id: 'letters', onchange: () => switchLetters(letters.checked) });
  letters.checked = lettersOn;
  return dialog('keys', 'Keys', el('div', { class: 'key-groups' }, ...groups),
    el('p', { class: 'check' }, letters, el('label', { for: 'letters' }, 'Use these keys. Switch them off if you steer the computer by voice.')));
}

function switchLetters(on) {
  lettersOn = on;
  preference('keys', on ? 'on' : 'off');
}
