// Drafts of a supervised call: what Radline wants to say next, the time left to decide, and the four
// answers to it. A text being edited is never thrown away, even when the time has run out meanwhile.

import { button, el, fail, say, setText, show } from './dom.js';
import { callPath, post } from './api.js';
import { now, onTick } from './clock.js';

const POLICIES = {
  speak: 'Without an answer Radline says this.',
  hold: 'Without an answer Radline asks the caller to wait.',
  person: 'Without an answer the call goes to a person.',
};
const VERDICTS = { approved: 'Approved', edited: 'Sent as edited', rejected: 'Rejected', expired: 'Time ran out', withdrawn: 'The caller went on', taken_over: 'Taken over' };

/** A key pressed for something else must not approve a draft that has only just appeared. */
const GUARD_MS = 700;

export const makeDraft = (links) => new DraftDesk(links);

class DraftDesk {
  #parts = makeParts();
  #drafts = new Map();
  #call = null;
  #current = null;
  #editing = false;
  #sending = false;
  #shownAt = 0;
  #neighbour;

  /** `takeOver` takes the call; `neighbour` answers the node that gets the focus when the draft goes. */
  constructor({ takeOver, neighbour }) {
    this.#neighbour = neighbour;
    this.#listen(takeOver);
    onTick(() => countDown(this.#parts, this.#current));
  }

  get node() {
    return this.#parts.node;
  }

  /** Begins anew with another call, or with none. */
  open(call) {
    this.#drafts.clear();
    this.#leaveEditor();
    this.#call = call;
    this.#next();
  }

  add(draft) {
    // A stream that was opened anew tells the same draft again.
    if (this.#drafts.has(draft.draft)) return;
    this.#drafts.set(draft.draft, { ...draft, began: now() });
    this.#next();
    sayMore(this.#parts, this.#drafts.size);
  }

  /** The server says that a draft is decided, here or elsewhere, or that its time ran out. */
  over({ draft, verdict }) {
    if (!this.#drafts.has(draft)) return;
    if (this.#editing && this.#current?.draft === draft) {
      this.#drafts.delete(draft);
      paintLate(this.#parts, VERDICTS[verdict] ?? verdict);
      return;
    }
    say(`Draft: ${VERDICTS[verdict] ?? verdict}`);
    this.#finish(draft);
  }

  /** Answers a key; false when there is no draft to which it could belong. */
  key(verdict) {
    if (!this.#current || this.#editing) return false;
    if (performance.now() - this.#shownAt < GUARD_MS) return true;
    if (verdict === 'edit') this.#edit();
    else this.#decide(verdict);
    return true;
  }

  #listen(takeOver) {
    const { approve, sendEdit, editButton, reject, take, editor } = this.#parts;
    approve.addEventListener('click', () => this.#decide('approve'));
    sendEdit.addEventListener('click', () => this.#decide('edit'));
    reject.addEventListener('click', () => this.#decide('reject'));
    take.addEventListener('click', takeOver);
    editButton.addEventListener('click', () => (this.#editing ? this.#stopEditing() : this.#edit()));
    editor.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.#decide('edit');
      } else if (event.key === 'Escape' && editor.value === this.#current?.text) {
        this.#stopEditing();
      }
    });
  }

  /** Shows the draft that has the least time left, unless somebody is writing. */
  #next() {
    if (this.#editing) return;
    const first = [...this.#drafts.values()].sort((one, other) => one.deadline - other.deadline)[0] ?? null;
    if (first?.draft === this.#current?.draft) return;
    this.#current = first;
    this.#shownAt = performance.now();
    paint(this.#parts, first, this.#neighbour);
    sayMore(this.#parts, this.#drafts.size);
    if (first && first.deadline > now()) say('A draft answer waits for approval');
  }

  #edit() {
    this.#editing = true;
    this.#parts.editor.value = this.#current.text;
    paintEditor(this.#parts, true);
    this.#parts.editor.focus();
  }

  #stopEditing() {
    this.#leaveEditor();
    this.#parts.editButton.focus();
    this.#next();
  }

  #leaveEditor() {
    this.#editing = false;
    paintEditor(this.#parts, false);
  }

  async #decide(verdict) {
    const text = this.#parts.editor.value.trim();
    if (this.#sending || !this.#current || (verdict === 'edit' && !text)) return;
    const { draft } = this.#current;
    this.#sending = true;
    try {
      await post(callPath(this.#call, `/drafts/${encodeURIComponent(draft)}`), verdict === 'edit' ? { verdict, text } : { verdict });
      this.#finish(draft);
    } catch (error) {
      fail(error);
    } finally {
      this.#sending = false;
    }
  }

  #finish(draft) {
    this.#drafts.delete(draft);
    if (this.#current?.draft === draft) this.#leaveEditor();
    this.#next();
    sayMore(this.#parts, this.#drafts.size);
  }
}

function makeParts() {
  const verdict = (name, label, iconName, keys, extra) => button(label, iconName, { class: extra, data: { verdict: name }, 'aria-keyshortcuts': keys });
  const parts = {
    number: el('span', { class: 'draft-number' }),
    bar: el('span', { class: 'draft-fill' }),
    more: el('span', { class: 'draft-more' }),
    question: el('p', { class: 'draft-question' }),
    text: el('p', { class: 'draft-text' }),
    sources: el('p', { class: 'source' }),
    policy: el('p', { class: 'draft-policy' }),
    editor: el('textarea', { id: 'draft-editor', rows: '3' }),
    approve: verdict('approve', 'Approve', 'check', 'A Enter', 'primary'),
    sendEdit: button('Send', 'check', { class: 'primary', data: { verdict: 'send' }, hidden: true, 'aria-keyshortcuts': 'Control+Enter' }),
    editButton: verdict('edit', 'Edit', 'draft', 'E'),
    reject: verdict('reject', 'Reject', 'close', 'R'),
    take: verdict('take_over', 'Take over', 'phone', 'T'),
  };
  parts.editWord = parts.editButton.querySelector('.label');
  parts.edit = el('div', { class: 'draft-edit', hidden: true }, el('label', { for: 'draft-editor' }, 'What Radline will say (Ctrl+Enter sends)'), parts.editor);
  parts.node = el('section', { id: 'draft', class: 'draft', 'aria-labelledby': 'draft-title', hidden: true },
    el('div', { class: 'draft-head' }, el('h3', { id: 'draft-title' }, 'Draft: may Radline say this?'), parts.more, parts.number),
    el('div', { class: 'draft-bar', 'aria-hidden': 'true' }, parts.bar),
    parts.question, parts.text, parts.edit, parts.sources, parts.policy,
    el('div', { class: 'draft-buttons' }, parts.approve, parts.sendEdit, parts.editButton, parts.reject, parts.take));
  return parts;
}

function paint(parts, draft, neighbour) {
  show(parts.node, Boolean(draft), neighbour);
  if (!draft) return;
  setText(parts.question, draft.question ? `The caller said: “${draft.question}”` : '');
  setText(parts.text, draft.text);
  setText(parts.sources, draft.sources?.length ? `Source: ${draft.sources.join('; ')}` : 'No source');
  setText(parts.policy, POLICIES[draft.policy] ?? '');
  countDown(parts, draft);
}

function paintEditor(parts, on) {
  parts.node.classList.remove('late');
  show(parts.edit, on, () => parts.editButton);
  parts.text.hidden = on;
  show(parts.sendEdit, on, () => parts.editButton);
  show(parts.approve, !on, () => parts.editor);
  setText(parts.editWord, on ? 'Stop editing' : 'Edit');
}

/** The time ran out while somebody was writing: what is written stays until it is closed. */
function paintLate(parts, verdict) {
  parts.node.classList.add('late');
  setText(parts.policy, `${verdict}. Your text was not sent; you can still copy it.`);
  setText(parts.editWord, 'Close');
}

const sayMore = (parts, count) => setText(parts.more, count > 1 ? `${count - 1} more` : '');

function countDown(parts, draft) {
  if (!draft) return;
  const left = Math.max(0, draft.deadline - now());
  const whole = Math.max(1, draft.deadline - draft.began);
  setText(parts.number, left ? `${Math.ceil(left / 1000)} s` : 'Time is up');
  parts.bar.style.transform = `scaleX(${Math.min(1, left / whole)})`;
  parts.node.classList.toggle('hurry', left < 4000);
}
