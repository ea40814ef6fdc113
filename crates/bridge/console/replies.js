// Replies: how providers judged each kind of draft, and which kinds are spoken without asking. Granting is a
// decision of a named person; the numbers it rests on stand beside the button.

import { button, dialog, el, fill, fail, notify, setText, show } from './dom.js';
import { get, post, remove } from './api.js';
import { when, words } from './format.js';

const percent = (share) => `${Math.floor(share * 100)} %`;

export function makeReplies() {
  const rows = el('tbody');
  const heading = el('h1', { tabindex: '-1' }, 'Replies');
  const lead = el('p', { class: 'view-sub' }, 'Fetching the replies');
  const empty = el('p', { class: 'empty', hidden: true }, 'No reply has been drafted yet. Drafts are made where the site asks for approval.');
  const table = el('table', { class: 'table' }, el('caption', { class: 'sr-only' }, 'Replies and how they were judged'),
    el('thead', null, el('tr', null,
      ...['Reply', 'Judged', 'Approved', 'At least', 'Edited', 'Rejected', 'Too late'].map((text) => el('th', { scope: 'col' }, text)),
      el('th', { scope: 'col' }, 'Spoken without asking'), el('td', null))), rows);
  const holder = el('div', { class: 'table-holder' }, table);

  const blockRows = el('tbody');
  const blocks = el('section', { class: 'blocked', 'aria-labelledby': 'blocked-wordings', hidden: true }, el('h2', { id: 'blocked-wordings' }, 'Words that were not spoken'),
    el('p', { class: 'view-sub' }, 'They say something else than the record. If they are right, the record has to be changed.'),
    el('div', { class: 'table-holder' }, el('table', { class: 'table' }, el('caption', { class: 'sr-only' }, 'Words that were not spoken'),
      el('thead', null, el('tr', null, ...['When', 'Whose', 'What differs', 'Their words', 'The record’s words'].map((text) => el('th', { scope: 'col' }, text)))), blockRows)));

  const change = async (work, text) => {
    try {
      await work();
      notify(text);
      heading.focus();
      await load();
    } catch (error) {
      fail(error);
    }
  };
  const ask = makeQuestion((state) => change(() => post(path(state)), 'Granted. It holds from the next call on.'));
  const takeBack = (state) => change(() => remove(path(state)), 'Taken back. It holds from the next call on.');

  const load = async () => {
    try {
      const { replies, drafts_min: least, blocked } = await get('replies');
      setText(lead, `A reply can be granted once ${least} drafts of it were judged. “At least” is what the share of approved drafts truly is, with 97.5 % certainty.`);
      show(empty, replies.length === 0);
      show(holder, replies.length > 0);
      show(blocks, blocked.length > 0);
      fill(blockRows, ...blocked.map(blockRow));
      fill(rows, ...replies.map((reply) => row(reply, ask, takeBack)));
    } catch (error) {
      fail(error);
    }
  };

  const node = el('div', { class: 'view-inner' }, el('div', { class: 'view-head' }, heading), lead, holder, empty, blocks);
  return { node, open: load };
}

const path = (state) => `replies/${encodeURIComponent(state)}/grant`;

function row(reply, ask, takeBack) {
  const { state, decided, approved, at_least: share, edited, rejected, expired, grantable, granted_by: by, granted_at: at } = reply;
  const name = words(state);
  const choice = by ? button('Take back', null, { class: 'small', 'aria-label': `Take back: ${name}`, onclick: () => takeBack(state) })
    : grantable ? button('Grant…', null, { class: 'small', 'aria-label': `Grant: ${name}`, onclick: () => ask(reply, name) }) : null;
  return el('tr', null, el('th', { scope: 'row' }, name),
    ...[decided, approved, share === null ? '–' : percent(share), edited, rejected, expired].map((value) => el('td', null, String(value))),
    el('td', null, by ? `since ${when(at)}, by ${by}` : el('span', { class: 'quiet-text' }, 'no')), el('td', { class: 'end' }, choice));
}

function blockRow({ call, at, by, because, words: said, approved }) {
  return el('tr', null, el('th', { scope: 'row' }, el('a', { href: `#/calls/${encodeURIComponent(call)}` }, when(at))),
    ...[by, because, said, approved].map((text) => el('td', null, text)));
}

function makeQuestion(yes) {
  const text = el('p');
  let state = null;
  const node = dialog('grant-reply', 'Speak this reply without asking?', text, el('div', { class: 'dialog-choices' },
    button('Grant', null, { class: 'primary', onclick: () => { node.close(); yes(state); } }),
    button('Keep asking', null, { onclick: () => node.close() })));
  return (reply, name) => {
    state = reply.state;
    text.textContent = `“${name}”: ${reply.approved} of ${reply.decided} drafts were approved as they were, ${reply.edited} edited, ${reply.rejected} rejected. It will be granted in your name, and can be taken back at any time.`;
    node.showModal();
  };
}
