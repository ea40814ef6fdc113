// Accounts: who may sign in. A new account's secret for the authenticator app is shown once.

import { button, dialog, el, field, fill, formError, notify, fail, submit } from './dom.js';
import { get, post, remove } from './api.js';
import { when, words } from './format.js';
import { makeSecret } from './signin.js';

const ROLES = {
  provider: 'Provider: takes over calls', supervisor: 'Supervisor: calls and accounts', operator: 'Operator: today’s numbers', researcher: 'Researcher: today’s numbers',
};

export function makeAccounts(session) {
  const rows = el('tbody');
  const heading = el('h1', { tabindex: '-1' }, 'Accounts');
  const secret = el('div');
  const table = el('table', { class: 'table' },
    el('caption', { class: 'sr-only' }, 'Accounts'),
    el('thead', null, el('tr', null, ...['Name', 'Shown as', 'Role', 'Made'].map((text) => el('th', { scope: 'col' }, text)), el('td', null))), rows);
  const ask = makeQuestion(async (name) => {
    try {
      await remove(`accounts/${encodeURIComponent(name)}`);
      notify('The account is removed.');
      heading.focus();
      await load();
    } catch (error) {
      fail(error);
    }
  });

  const load = async () => {
    try {
      const { accounts } = await get('accounts');
      fill(rows, ...accounts.map((account) => row(account, session.user.name, ask)));
    } catch (error) {
      fail(error);
    }
  };

  const form = makeForm(async (answer) => {
    const box = makeSecret(answer, 'h2');
    fill(secret, box);
    box.querySelector('h2').focus();
    await load();
  });
  const node = el('div', { class: 'view-inner' }, el('div', { class: 'view-head' }, heading),
    el('div', { class: 'two-columns' }, el('div', { class: 'table-holder' }, table), el('div', null, secret, form)));
  return { node, open: load, close: () => fill(secret) };
}

function row({ name, display, role, created }, me, ask) {
  const gone = name === me ? el('span', { class: 'quiet-text' }, 'you')
    : button('Remove…', null, { class: 'small', 'aria-label': `Remove ${display}`, onclick: () => ask(name, display) });
  return el('tr', null, el('th', { scope: 'row' }, name), el('td', null, display), el('td', null, words(role)),
    el('td', null, Number(created) ? when(Number(created)) : String(created ?? '–')), el('td', { class: 'end' }, gone));
}

function makeQuestion(yes) {
  const text = el('p');
  let name = null;
  const node = dialog('remove-account', 'Remove this account?', text, el('div', { class: 'dialog-choices' },
    button('Remove', null, { class: 'danger', onclick: () => { node.close(); yes(name); } }),
    button('Keep', null, { onclick: () => node.close() })));
  return (account, display) => {
    name = account;
    text.textContent = `${display} can then no longer sign in. Calls and notes stay as they are.`;
    node.showModal();
  };
}

function makeForm(made) {
  const name = el('input', { id: 'account-name', required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
  const display = el('input', { id: 'account-display', required: true, autocomplete: 'off' });
  const role = el('select', { id: 'account-role' }, ...Object.entries(ROLES).map(([value, label]) => el('option', { value }, label)));
  const password = el('input', { id: 'account-password', type: 'password', required: true, minlength: '12', autocomplete: 'new-password' });
  const form = el('form', { class: 'card-form boxed', id: 'account-form' }, el('h2', null, 'New account'),
    field('Name for signing in', name), field('Shown as', display), field('Role', role), field('First password', password, 'At least 12 characters'),
    formError(), el('button', { type: 'submit', class: 'button primary' }, 'Make the account'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const answer = await submit(form, () => post('accounts', { name: name.value.trim(), display: display.value.trim(), role: role.value, password: password.value }));
    if (!answer) return;
    form.reset();
    made(answer);
  });
  return form;
}
