// The start of the console: who is here, which view the address asks for, and what happens when a
// session begins or ends.

import { get, parkStreams, resumeStreams, setToken, whenSessionOver } from './api.js';
import { makeAccounts } from './accounts.js';
import { armChime } from './chime.js';
import { byId, el, fail, fill } from './dom.js';
import { startKeys } from './keys.js';
import { startLive } from './live.js';
import { makeQueue } from './queue.js';
import { makeRecord } from './record.js';
import { makeRecords } from './records.js';
import { makeReplies } from './replies.js';
import { buildMessages, buildShell, closeShell, markView } from './shell.js';
import { makeSetup, makeSignIn } from './signin.js';
import { audio } from './audio.js';
import { makeTasks } from './tasks.js';
import { makeToday } from './today.js';

const MAKERS = { queue: makeQueue, tasks: makeTasks, calls: makeRecords, call: makeRecord, today: makeToday, replies: makeReplies, accounts: makeAccounts };

let session = null;
let shown = null;
const views = new Map();

/** "#/calls/ID" is the view of one call; the rest of an address names a view and perhaps a call. */
function route() {
  const [, name = '', id = ''] = location.hash.split('/').map(decodeURIComponent);
  const shownViews = session.may.filter((one) => one in MAKERS);
  const allowed = shownViews.includes(name) ? name : ['queue', 'today', ...shownViews].find((one) => shownViews.includes(one));
  const known = name === allowed ? id : '';
  return { nav: allowed, view: allowed === 'calls' && known ? 'call' : allowed, id: known || null };
}

function viewOf(name) {
  if (!views.has(name)) {
    const view = MAKERS[name](session);
    view.holder = el('div', { class: `view view-${name}`, hidden: true }, view.node);
    byId('main').append(view.holder);
    views.set(name, view);
  }
  return views.get(name);
}

/** Views are hidden rather than thrown away, so a half-written note and the place in a list survive. */
function go() {
  if (!session || (location.hash && !location.hash.startsWith('#/'))) return;
  const { nav, view: name, id } = route();
  const view = viewOf(name);
  const key = name === 'call' ? `call ${id}` : name;
  if (shown?.key !== key) {
    shown?.view.close?.();
    for (const other of views.values()) other.holder.hidden = other !== view;
    view.open?.(id);
    document.body.dataset.view = name;
    if (shown) {
      scrollTo(0, 0);
      view.holder.querySelector('h1')?.focus();
    }
    shown = { key, view };
  }
  view.select?.(id);
  markView(nav);
}

function enter(answer) {
  // Somebody else at the same desk must not find what the last user saw or wrote.
  if (session && session.user.name !== answer.user.name) {
    location.reload();
    return;
  }
  const back = Boolean(session);
  session = answer;
  setToken(answer.csrf);
  byId('door')?.remove();
  if (back) {
    byId('top').hidden = false;
    resumeStreams();
  } else {
    buildShell(session);
  }
  if (session.may.includes('queue')) startLive();
  shown?.view.close?.();
  shown = null;
  go();
  byId('main').focus({ preventScroll: true });
}

function leave(page) {
  closeShell();
  for (const view of views.values()) view.holder.hidden = true;
  byId('door')?.remove();
  byId('main').append(el('div', { id: 'door' }, page));
  document.body.dataset.view = 'door';
  byId('door').querySelector('input')?.focus();
}

function sessionOver() {
  if (byId('door')) return;
  parkStreams();
  document.title = 'Radline';
  const lead = audio.call
    ? 'Your session has ended. Your call is still connected: sign in again to go on.' : 'Your session has ended. Sign in again to go on where you were.';
  leave(makeSignIn(session.site, enter, lead));
}

async function start() {
  const answer = await get('session').catch((error) => {
    fail(error);
    return null;
  });
  if (!answer) {
    fill(byId('main'), el('div', { class: 'plain' }, el('h1', null, 'Radline cannot be reached'),
      el('p', null, 'Check the network.'), el('button', { type: 'button', class: 'button', onclick: () => location.reload() }, 'Try again')));
  } else if (answer.state === 'setup') {
    leave(makeSetup(answer.site, () => leave(makeSignIn(answer.site, enter))));
  } else if (answer.state === 'signed_out') {
    leave(makeSignIn(answer.site, enter));
  } else {
    enter(answer);
  }
}

function skipToMain(event) {
  // The address names the view; an ordinary jump would change it.
  event.preventDefault();
  byId('main').focus();
}

buildMessages();
startKeys();
whenSessionOver(sessionOver);
addEventListener('hashchange', go);
addEventListener('pointerdown', armChime, { once: true });
addEventListener('keydown', armChime, { once: true });
byId('skip').addEventListener('click', skipToMain);
start();
