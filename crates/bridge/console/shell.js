// The frame around the views: navigation, the strip of the call one is on, and the small switches.

import { byId, el, fill, notify, preference, closeMessage, setText, show } from './dom.js';
import { icon } from './icons.js';
import { audio, onAudio, setMuted } from './audio.js';
import { remove } from './api.js';
import { chimeIsOn, setChime } from './chime.js';
import { runSince } from './clock.js';
import { showKeys } from './keys.js';
import { onTalk, talk } from './talking.js';
import { callOf } from './live.js';

const VIEWS = [['queue', 'Queue'], ['tasks', 'Tasks'], ['calls', 'Past calls'], ['today', 'Today'], ['replies', 'Replies'], ['accounts', 'Accounts']];
const THEMES = { system: { icon: 'system', word: 'as the system' }, light: { icon: 'sun', word: 'light' }, dark: { icon: 'moon', word: 'dark' } };

export function buildShell(session) {
  fill(byId('nav'), ...VIEWS.filter(([name]) => session.may.includes(name))
    .map(([name, label]) => el('li', null, el('a', { href: `#/${name}`, data: { view: name } }, label))));
  fill(byId('tools'),
    session.site.demonstration ? el('span', { class: 'demo', title: 'No real patients' }, 'Demonstration') : null,
    chimeSwitch(session), themeButton(), iconButton('keyboard', 'Keys', showKeys),
    el('span', { class: 'me' }, session.user.display), iconButton('exit', 'Sign out', signOut));
  buildCallBar(byId('call-bar'));
  byId('top').hidden = false;
}

export function markView(name) {
  for (const link of byId('nav').querySelectorAll('a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  paintCallBar?.();
}

function iconButton(name, label, work) {
  return el('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick: work }, icon(name));
}

function chimeSwitch(session) {
  if (!session.may.includes('queue')) return null;
  const node = el('button', { type: 'button', id: 'chime', class: 'icon-button', role: 'switch', 'aria-label': 'Chime for new calls' });
  const paint = () => {
    node.setAttribute('aria-checked', String(chimeIsOn()));
    node.title = chimeIsOn() ? 'Chime for new calls: on' : 'Chime for new calls: off';
    fill(node, icon(chimeIsOn() ? 'bell' : 'bell_off'));
  };
  node.addEventListener('click', () => {
    setChime(!chimeIsOn());
    paint();
  });
  paint();
  return node;
}

function themeButton() {
  const names = Object.keys(THEMES);
  const node = el('button', { type: 'button', id: 'theme', class: 'icon-button' });
  const root = document.documentElement;
  const paint = () => {
    const shown = THEMES[root.dataset.theme ?? 'system'];
    node.setAttribute('aria-label', `Colours: ${shown.word}`);
    node.title = `Colours: ${shown.word}`;
    fill(node, icon(shown.icon));
  };
  node.addEventListener('click', () => {
    const next = names[(names.indexOf(root.dataset.theme ?? 'system') + 1) % names.length];
    if (next === 'system') delete root.dataset.theme;
    else root.dataset.theme = next;
    preference('theme', next);
    paint();
    notify(`Colours: ${THEMES[next].word}`);
  });
  paint();
  return node;
}

async function signOut() {
  if (talk.call) {
    notify('You are on a call. Hand it back or end it before you sign out.', true);
    return;
  }
  try {
    await remove('session');
  } catch (error) {
    notify(error.message, true);
    return;
  }
  // A fresh page holds nothing of what was seen before.
  location.reload();
}

let paintCallBar = null;

/** The strip for somebody who is on a call and looks at something else. */
function buildCallBar(node) {
  const who = el('span');
  const name = el('a', { class: 'call-bar-name' }, el('span', { class: 'call-bar-word' }, 'On a call: '), who);
  const clock = el('span', { class: 'clock' });
  const mute = el('button', { type: 'button', class: 'button small', 'aria-pressed': 'false', onclick: () => setMuted(!audio.muted) }, 'Mute');
  fill(node, icon('phone'), name, clock, mute);
  paintCallBar = () => {
    const away = Boolean(talk.call) && location.hash !== `#/queue/${encodeURIComponent(talk.call)}`;
    show(node, away, () => byId('main'));
    if (!away) return;
    name.href = `#/queue/${encodeURIComponent(talk.call)}`;
    setText(who, callOf(talk.call)?.who?.name ?? 'unknown caller');
    runSince(clock, talk.since);
    setText(mute, audio.muted ? 'Muted' : 'Mute');
    mute.setAttribute('aria-pressed', String(audio.muted));
  };
  onTalk(paintCallBar);
  onAudio(paintCallBar);
}

export function closeShell() {
  byId('top').hidden = true;
}

export function buildMessages() {
  fill(byId('status-close'), icon('close'));
  byId('status-close').addEventListener('click', closeMessage);
}
