// The controls of the selected call: take and decline, and during a call the sound, the note and the
// ways to end it. Buttons are made once and then shown or hidden; the focus never falls off the page.

import { button, byId, dialog, el, field, fieldError, setText, show } from './dom.js';
import { icon } from './icons.js';
import { audio, level, onAudio, setMuted } from './audio.js';
import { OUTCOMES } from './format.js';
import { onKey } from './keys.js';
import { decline, finish, handBack, noteOf, onTalk, retrySound, take, talk, unfinished } from './talking.js';

const SOUND = {
  off: { icon: 'mic_off', word: 'Sound off' },
  connecting: { icon: 'routine', word: 'Connecting' },
  connected: { icon: 'mic', word: 'Sound on' },
  lost: { icon: 'lost', word: 'Sound lost' },
  refused: { icon: 'mic_off', word: 'Microphone refused' },
};

const REASONS = { busy: 'I am busy', not_mine: 'Not for me', other: 'Another reason' };

export function makeControls(session) {
  const mayTalk = session.may.includes('talk');
  const context = { id: null, state: null, provider: null, mine: false };
  const buttons = makeButtons(context);
  const sound = makeSound();
  const wrap = makeWrapUp(context);
  const says = el('p', { class: 'who-speaks' });

  const follow = () => {
    const { id, state, provider } = context;
    const mine = id !== null && talk.call === id;
    // While the claim is on its way the button stays, whatever the queue says meanwhile, and keeps the focus.
    const open = state === 'waiting' || state === 'with_agent' || talk.claiming === id;
    const claimable = mayTalk && id !== null && !mine && open;
    const firstShown = () => [buttons.mute, buttons.take, wrap.first()].find((one) => one && !one.hidden && one.offsetParent) ?? byId('transcript');
    // What appears is shown before what goes, so that the focus has a place to move to.
    for (const one of [buttons.mute, buttons.handBack]) if (mine) show(one, true);
    if (claimable) show(buttons.take, true);
    wrap.follow(id, mine, state === 'ended');
    show(sound.node, mine);
    show(buttons.take, claimable, firstShown);
    show(buttons.decline, claimable && state === 'waiting', firstShown);
    for (const one of [buttons.mute, buttons.handBack]) show(one, mine, firstShown);
    setText(buttons.take.querySelector('.label'), state === 'with_agent' ? 'Take over' : 'Take call');
    buttons.take.setAttribute('aria-disabled', String(talk.busy || Boolean(talk.call)));
    setText(says, spoken(state, provider, mine));
    says.hidden = !says.textContent;
    sound.follow();
    paintMute(buttons.mute);
  };

  onAudio(follow);
  onTalk(follow);
  bindKeys(context, buttons);
  return {
    head: el('div', { class: 'controls' }, says, buttons.take, buttons.decline, buttons.mute, buttons.handBack),
    sound: sound.node,
    wrap: wrap.node,
    follow: (next) => { Object.assign(context, next); follow(); },
    takeOver: () => take(context.id),
    first: () => [buttons.take, buttons.mute].find((one) => !one.hidden) ?? byId('transcript'),
  };
}

function spoken(state, provider, mine) {
  if (mine) return '';
  if (state === 'with_provider') return `${provider ?? 'A colleague'} is speaking with the caller.`;
  if (state === 'ended') return 'This call has ended.';
  return '';
}

function makeButtons(context) {
  const reasons = declineDialog(context);
  return {
    take: button('Take call', 'phone', { id: 'take', class: 'primary', hidden: true, 'aria-keyshortcuts': 'T', onclick: () => take(context.id) }),
    decline: button('Decline', 'close', { id: 'decline', hidden: true, 'aria-haspopup': 'dialog', onclick: () => reasons.showModal() }),
    mute: button('Mute', 'mic', { id: 'mute', hidden: true, 'aria-pressed': 'false', 'aria-keyshortcuts': 'M', onclick: () => setMuted(!audio.muted) }),
    handBack: button('Hand back', 'back', { id: 'hand-back', hidden: true, 'aria-keyshortcuts': 'H', onclick: handBack }),
  };
}

function declineDialog(context) {
  const choices = Object.entries(REASONS).map(([reason, label]) => button(label, null, {
    data: { decline: reason },
    onclick: () => {
      node.close();
      decline(context.id, reason);
    },
  }));
  const node = dialog('decline-dialog', 'Why do you decline?',
    el('p', null, 'The call goes on waiting for somebody else.'), el('div', { class: 'dialog-choices' }, ...choices));
  return node;
}

function paintMute(node) {
  const on = audio.muted;
  if (node.getAttribute('aria-pressed') === String(on)) return;
  node.setAttribute('aria-pressed', String(on));
  node.querySelector('.icon').replaceWith(icon(on ? 'mic_off' : 'mic'));
  setText(node.querySelector('.label'), on ? 'Muted' : 'Mute');
}

function makeSound() {
  const word = el('strong');
  const text = el('span', { class: 'sound-text' });
  const state = el('div', { id: 'audio-state', class: 'audio-state', role: 'status', data: { state: 'off' } }, el('span', { class: 'sound-icon' }), word, text);
  const bar = el('span', { class: 'meter-fill' });
  const meter = el('div', { id: 'level', class: 'meter', role: 'meter', 'aria-label': 'Level of your microphone', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-valuenow': '0' }, bar);
  const again = button('Try the microphone again', 'mic', { id: 'audio-retry', onclick: retrySound });
  const back = button('Hand back', 'back', { data: { action: 'hand-back' }, onclick: handBack });
  const node = el('div', { class: 'sound', hidden: true }, state, meter, again, back);
  runMeter(meter, bar);

  const follow = () => {
    const shown = SOUND[audio.state];
    if (state.dataset.state !== audio.state) {
      state.dataset.state = audio.state;
      state.firstChild.replaceChildren(icon(shown.icon));
    }
    setText(word, shown.word);
    setText(text, audio.state === 'off' ? 'You hold this call, but your microphone is not connected.' : audio.text);
    const broken = ['off', 'lost', 'refused'].includes(audio.state);
    show(meter, !broken);
    show(again, broken, () => byId('mute'));
    show(back, broken, () => byId('mute'));
    node.classList.toggle('broken', broken && audio.state !== 'off');
  };

  return { node, follow };
}

/** Moves the bar a few times a second; the spoken value follows once a second, which is often enough. */
function runMeter(meter, bar) {
  let turn = 0;
  setInterval(() => {
    if (audio.state !== 'connected' && audio.state !== 'connecting') return;
    const now = level();
    bar.style.transform = `scaleX(${now.toFixed(2)})`;
    turn += 1;
    if (turn % 10 === 0) meter.setAttribute('aria-valuenow', String(Math.round(now * 100)));
  }, 100);
}

function makeWrapUp(context) {
  const note = el('textarea', { id: 'note', rows: '2' });
  const outcome = el('select', { id: 'outcome' }, el('option', { value: '' }, 'Choose…'),
    ...Object.entries(OUTCOMES).map(([value, label]) => el('option', { value }, label)));
  const end = button('End call', 'hang_up', { id: 'finish', class: 'danger', type: 'submit' });
  const hint = el('p', { class: 'hint' });
  const node = el('form', { class: 'wrap-up', id: 'wrap-up', hidden: true, novalidate: true, 'aria-label': 'Note and outcome' },
    field('Note', note), field('Outcome', outcome), el('div', { class: 'wrap-end' }, end, hint));
  let shown = null;

  note.addEventListener('input', () => { noteOf(context.id).note = note.value; });
  outcome.addEventListener('change', () => {
    noteOf(context.id).outcome = outcome.value;
    fieldError(outcome, '');
  });
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!outcome.value) fieldError(outcome, 'Choose an outcome first.');
    else finish(context.id);
  });

  const follow = (id, mine, ended) => {
    // When the caller has hung up, what was written can still be saved.
    const late = !mine && ended && unfinished.has(id);
    if (mine || late) fillIn(id, noteOf(id));
    else shown = null;
    setText(end.querySelector('.label'), late ? 'Save the note' : 'End call');
    setText(hint, late ? 'The caller has hung up.' : '');
    show(node, mine || late, () => byId('transcript'));
  };

  const fillIn = (id, kept) => {
    if (shown === id) return;
    shown = id;
    note.value = kept.note;
    outcome.value = kept.outcome;
    fieldError(outcome, '');
  };

  return { node, follow, first: () => (node.hidden ? null : note) };
}

function bindKeys(context, buttons) {
  const usable = (one) => !one.hidden && one.offsetParent !== null;
  onKey('t', () => (usable(buttons.take) ? take(context.id) : false));
  onKey('m', () => (talk.call ? setMuted(!audio.muted) : false));
  onKey('h', () => (usable(buttons.handBack) ? handBack() : false));
  onKey('n', () => {
    if (!usable(byId('note'))) return false;
    byId('note').focus();
    return true;
  });
}
