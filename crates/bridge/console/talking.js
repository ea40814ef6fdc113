// What a provider does with a call: take it, give it back, end it. The steps run here, apart from the
// page that shows them, because a call goes on while another view is open.

import { audio, closeMicrophone, connect, expectAudio, openMicrophone, stop, tryAgain } from './audio.js';
import { callPath, post } from './api.js';
import { now } from './clock.js';
import { closeMessage, fail, notify, say } from './dom.js';
import { callOf, live, onLive } from './live.js';

/** call: the id of the call this provider holds; confirmed: the server's queue has said so too. */
export const talk = { call: null, claiming: null, confirmed: false, since: 0, busy: false };

/** Calls that ended under the provider's hands and still want a note. */
export const unfinished = new Set();

const listeners = new Set();
const notes = new Map();

/** For a moment after giving a call away, an older word that it is still ours may arrive. */
const STALE_MS = 3000;
let given = { call: null, at: 0 };

/** The call that the server last said is ours; its word may come before its answer to the claim. */
let said = null;

export function onTalk(work) {
  listeners.add(work);
}

function told() {
  for (const work of listeners) work(talk);
}

function hold(call) {
  Object.assign(talk, { call, confirmed: said === call, since: now() });
  told();
}

function letGo() {
  stop();
  Object.assign(talk, { call: null, confirmed: false });
  told();
}

/** What is being written about a call stays here until it is sent, whatever happens on the page. */
export function noteOf(call) {
  if (!notes.has(call)) notes.set(call, { note: '', outcome: '' });
  return notes.get(call);
}

/** Takes a call. The microphone is asked for in the same moment, so that no second is lost. */
export async function take(call) {
  if (talk.busy) return;
  if (talk.call) {
    notify('You are already on a call. Hand it back or end it first.', true);
    return;
  }
  const microphone = openMicrophone();
  talk.claiming = call;
  closeMessage();
  expectAudio(call);
  await guarded(async () => {
    try {
      await post(callPath(call, '/claim'));
    } catch (error) {
      closeMicrophone(microphone);
      stop();
      throw error;
    }
    hold(call);
    say('You have taken the call');
  });
  talk.claiming = null;
  told();
  if (talk.call === call) await connect(call, microphone);
}

export const retrySound = () => (talk.call ? tryAgain(talk.call) : undefined);

export function handBack() {
  const { call } = talk;
  if (!call) return false;
  guarded(async () => {
    await post(callPath(call, '/hand_back'), { note: noteOf(call).note.trim() });
    done(call);
    notify('Radline has the caller again.');
  });
  return true;
}

export function finish(call) {
  const { outcome, note } = noteOf(call);
  return guarded(async () => {
    await post(callPath(call, '/finish'), { outcome, note: note.trim() });
    done(call);
    notify('The call is finished and your note is saved.');
    return true;
  });
}

export const decline = (call, reason) => guarded(async () => {
  await post(callPath(call, '/decline'), { reason });
  notify('You have declined this call.');
});

function done(call) {
  notes.delete(call);
  unfinished.delete(call);
  given = { call, at: Date.now() };
  if (talk.call === call) letGo();
}

async function guarded(work) {
  if (talk.busy) return undefined;
  talk.busy = true;
  told();
  try {
    return await work();
  } catch (error) {
    fail(error);
    return undefined;
  } finally {
    talk.busy = false;
    told();
  }
}

/** The server's word about whose call it is. A word that is older than the claim changes nothing. */
export function hear(call, mine, ended = false) {
  if (mine) said = call;
  else if (said === call) said = null;
  const stale = given.call === call && Date.now() - given.at < STALE_MS;
  if (mine && !talk.call && !talk.busy && !stale) {
    // The page was loaded again during a call: the call is still held, only the sound is missing.
    hold(call);
  } else if (mine && talk.call === call) {
    talk.confirmed = true;
  } else if (!mine && talk.call === call && talk.confirmed && !talk.busy) {
    if (ended) unfinished.add(call);
    letGo();
    notify(ended ? 'The caller has hung up. You can still save your note.' : 'You are no longer on this call.', !ended);
  }
}

onLive(() => {
  for (const call of live.calls) hear(call.call, call.mine);
  if (talk.call && !callOf(talk.call)) hear(talk.call, false, true);
});

window.addEventListener('beforeunload', (event) => {
  if (talk.call && audio.state !== 'off') event.preventDefault();
});
