// Call-backs and reviews, overdue first. Each is done with a note; a note being written stays while the
// list is fetched again.

import { arrange, button, el, field, fieldError, notify, fail, setText, show, tag } from './dom.js';
import { get, post, reloading } from './api.js';
import { due, words } from './format.js';

const KINDS = { callback: { word: 'Call back', icon: 'phone' }, review: { word: 'Review', icon: 'review' } };
const AGAIN_MS = 60000;

export function makeTasks(session) {
  const cards = new Map();
  const list = el('ul', { class: 'tasks', id: 'tasks' });
  const empty = el('p', { class: 'empty', hidden: true }, 'Nothing is open. New call-backs and reviews appear here.');
  const count = el('p', { class: 'view-sub' }, 'Fetching the tasks');
  const heading = el('h1', { tabindex: '-1' }, 'Tasks');
  const node = el('div', { class: 'view-inner narrow' }, el('div', { class: 'view-head' }, heading, count), list, empty);

  const load = async () => {
    try {
      paint((await get('tasks')).tasks);
    } catch (error) {
      fail(error);
    }
  };

  const paint = (tasks) => {
    const sorted = [...tasks].sort((one, other) => Number(other.overdue) - Number(one.overdue) || String(one.due).localeCompare(String(other.due)));
    const late = tasks.filter((task) => task.overdue).length;
    setText(count, `${tasks.length} open${late ? `, ${late} overdue` : ''}`);
    show(empty, tasks.length === 0);
    arrange(list, sorted.map((task) => {
      if (!cards.has(String(task.id))) cards.set(String(task.id), makeCard(task, session, done));
      const card = cards.get(String(task.id));
      card.update(task);
      return card.node;
    }));
    const alive = new Set(tasks.map((task) => String(task.id)));
    for (const id of [...cards.keys()]) if (!alive.has(id)) cards.delete(id);
  };

  const done = async (id) => {
    notify('Done. The note is saved.');
    cards.delete(String(id));
    heading.focus();
    await load();
  };

  return { node, ...reloading(load, AGAIN_MS) };
}

function makeCard(task, session, done) {
  const kind = KINDS[task.kind] ?? { word: words(task.kind), icon: 'note' };
  const when = el('span', { class: 'task-due' });
  const late = tag('overdue', 'urgent', 'Overdue');
  const update = (next) => {
    setText(when, `due ${due(next.due)}`);
    late.hidden = !next.overdue;
    node.classList.toggle('late', Boolean(next.overdue));
  };
  const node = el('li', { class: 'task', data: { task: task.id } },
    el('div', { class: 'task-main' },
      el('p', { class: 'task-line' }, tag(`kind ${task.kind}`, kind.icon, kind.word), late, when),
      el('h2', null, task.patient ?? 'Unknown caller'),
      el('p', { class: 'task-reason' }, task.reason),
      facts(task, session)),
    el('div', { class: 'task-side' },
      task.story?.length ? el('ul', { class: 'story' }, ...task.story.map((line) => el('li', null, line))) : null,
      makeDone(task, done)));
  return { node, update };
}

function facts(task, session) {
  return el('p', { class: 'task-facts' },
    task.number ? el('span', { class: 'number' }, task.number) : null,
    task.location ? el('span', null, task.location) : null,
    task.call && session.may.includes('calls') ? el('a', { href: `#/calls/${encodeURIComponent(task.call)}` }, 'Open the call') : null);
}

function makeDone(task, done) {
  const note = el('textarea', { id: `task-note-${task.id}`, rows: '2' });
  const save = button('Save and close', 'check', { class: 'primary', type: 'submit' });
  const cancel = button('Cancel', null, { onclick: () => toggle(false) });
  const form = el('form', { class: 'task-form', hidden: true }, field('What was done?', note), el('div', { class: 'buttons' }, save, cancel));
  const open = button('Done…', 'check', { class: 'task-open', 'aria-label': `Done: ${task.patient ?? 'unknown caller'}`, onclick: () => toggle(true) });
  const toggle = (on) => {
    form.hidden = !on;
    open.hidden = on;
    (on ? note : open).focus();
  };
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!note.value.trim()) {
      fieldError(note, 'Write a short note first.');
      return;
    }
    fieldError(note, '');
    try {
      await post(`tasks/${encodeURIComponent(task.id)}/done`, { note: note.value.trim() });
      await done(task.id);
    } catch (error) {
      fieldError(note, error.message);
    }
  });
  return el('div', { class: 'task-done' }, open, form);
}
