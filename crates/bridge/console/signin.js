// Signing in, and making the first account on a new installation.

import { button, el, field, fill, formError, notify, submit } from './dom.js';
import { post } from './api.js';
import { grouped } from './format.js';

const input = (id, type, autocomplete, props) => el('input', { id, type, autocomplete, required: true, ...props });

/** The page of a signed-out browser. `entered` gets the session's answer. */
export function makeSignIn(site, entered, lead) {
  const name = input('name', 'text', 'username', { autocapitalize: 'none', spellcheck: 'false' });
  const password = input('password', 'password', 'current-password');
  const code = input('code', 'text', 'one-time-code', { inputmode: 'numeric', maxlength: '8' });
  const form = el('form', { class: 'card-form', id: 'sign-in-form' },
    field('Name', name), field('Password', password), field('Code', code, 'Six digits from your authenticator app'),
    formError(), el('button', { type: 'submit', id: 'sign-in', class: 'button primary wide' }, 'Sign in'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const answer = await submit(form, () => post('session', { name: name.value.trim(), password: password.value, code: code.value.replace(/\s/g, '') }));
    code.value = '';
    if (answer) entered(answer);
    else code.focus();
  });
  return page(site, 'Sign in', lead ? el('p', { class: 'lead' }, lead) : null, form);
}

/** The first-run page. The token proves that whoever sits here can read the server's log. */
export function makeSetup(site, done) {
  const token = input('token', 'text', 'off', { spellcheck: 'false' });
  const name = input('name', 'text', 'username', { autocapitalize: 'none', spellcheck: 'false' });
  const display = input('display', 'text', 'name');
  const password = input('password', 'password', 'new-password', { minlength: '12' });
  const body = el('div');
  const form = el('form', { class: 'card-form', id: 'setup-form' },
    field('Set-up token', token, 'It stands in the server’s log'), field('Account name', name, 'For signing in, for example jo'),
    field('Your name', display, 'Colleagues see it'), field('Password', password, 'At least 12 characters'),
    formError(), el('button', { type: 'submit', id: 'set-up', class: 'button primary wide' }, 'Make the account'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const answer = await submit(form, () => post('setup', { token: token.value.trim(), name: name.value.trim(), display: display.value.trim(), password: password.value }));
    if (!answer) return;
    const next = el('button', { type: 'button', class: 'button primary wide', onclick: done }, 'I have added it: go to sign-in');
    const secret = makeSecret(answer, 'h2');
    fill(body, secret, next);
    secret.querySelector('h2').focus();
  });
  body.append(el('p', { class: 'lead' }, 'Make the first account. It can make the others.'), form);
  return page(site, 'Set up Radline', body);
}

/** Shows the secret of a new account once: the server does not tell it again. */
export function makeSecret({ totp_secret: secret, totp_uri: uri }, level) {
  const shown = el('code', { class: 'secret', id: 'totp-secret' }, grouped(secret));
  const copy = button('Copy', null, {
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(secret);
        notify('The secret is copied.');
      } catch {
        notify('The browser did not allow copying. Select the secret and copy it by hand.', true);
      }
    },
  });
  // Only the scheme of authenticator apps may become a link here.
  const link = String(uri).startsWith('otpauth://') ? el('a', { href: uri }, 'Open in an authenticator app on this device') : null;
  return el('section', { class: 'secret-box' },
    el(level, { tabindex: '-1' }, 'Add this account to an authenticator app'),
    el('p', null, 'In the app choose “enter a set-up key” and type this secret. It is shown only now.'),
    el('p', { class: 'secret-line' }, shown, copy), link ? el('p', null, link) : null);
}

function page(site, title, ...children) {
  const place = [site.department, site.hospital].filter(Boolean).join(', ');
  return el('div', { class: 'door' }, el('div', { class: 'door-card' },
    el('p', { class: 'door-brand' }, el('img', { src: 'icon.svg', alt: '', width: '32', height: '32' }), el('span', null, 'Radline')),
    el('h1', { tabindex: '-1' }, title), el('p', { class: 'door-site' }, place),
    site.demonstration ? el('p', { class: 'demo' }, 'Demonstration: no real patients') : null,
    ...children));
}
