// Building and changing the page: elements with text nodes only (never markup from data), lists that
// keep their nodes, forms, and the places where the console says something.

import { icon } from './icons.js';

export const byId = (id) => document.getElementById(id);

/** Makes an element. Data goes in as text nodes, so nothing a caller says can become markup. */
export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(node, name, value);
  node.append(...present(children));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'class') node.className = value;
  else if (name === 'data') Object.assign(node.dataset, value);
  else if (typeof value === 'function') node.addEventListener(name.slice(2), value);
  else node.setAttribute(name, value === true ? '' : value);
}

const present = (children) => children.flat().filter((child) => child !== null && child !== undefined && child !== false);

export function fill(node, ...children) {
  node.replaceChildren(...present(children));
  return node;
}

/** Changes a text only when it differs, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  const wanted = text ?? '';
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Rebuilds a small part of the page only when what it shows has changed. */
export function refill(node, key, make) {
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  fill(node, make());
}

export const hiddenText = (text) => el('span', { class: 'sr-only' }, text);

/** A word with its icon: meaning is never carried by colour or shape alone. */
export const tag = (kind, iconName, text) => el('span', { class: `tag ${kind}` }, icon(iconName), el('span', null, text));

/** Hides or shows a node; when the focus was inside what disappears, it moves to the given neighbour. */
export function show(node, visible, neighbour) {
  if (node.hidden === !visible) return;
  const held = !visible && node.contains(document.activeElement);
  node.hidden = !visible;
  if (held) neighbour?.()?.focus();
}

/** Puts the given nodes into the list in order, moving as few as possible and keeping the focus. */
export function arrange(list, nodes) {
  const focused = list.ownerDocument.activeElement;
  const wanted = new Set(nodes);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

/** A labelled field. `control` is the input, select or textarea; a hint and an error can stand below it. */
export function field(label, control, hint) {
  const error = el('p', { class: 'field-error', id: `${control.id}-error`, hidden: true });
  const parts = [el('label', { for: control.id }, label), control];
  if (hint) {
    parts.push(el('p', { class: 'hint', id: `${control.id}-hint` }, hint));
    control.setAttribute('aria-describedby', `${control.id}-hint`);
  }
  return el('div', { class: 'field' }, ...parts, error);
}

/** Says next to a field what is wrong with it and moves the focus there; an empty sentence clears it. */
export function fieldError(control, sentence) {
  const error = byId(`${control.id}-error`);
  setText(error, sentence);
  error.hidden = !sentence;
  control.setAttribute('aria-invalid', String(Boolean(sentence)));
  const describers = [byId(`${control.id}-hint`)?.id, sentence ? error.id : null].filter(Boolean);
  if (describers.length) control.setAttribute('aria-describedby', describers.join(' '));
  else control.removeAttribute('aria-describedby');
  if (sentence) control.focus();
}

export function button(label, iconName, props) {
  const { class: extra, ...rest } = props ?? {};
  return el('button', { type: 'button', class: `button ${extra ?? ''}`.trim(), ...rest },
    iconName ? icon(iconName) : null, el('span', { class: 'label' }, label));
}

/** Runs one request of a form: the button is held meanwhile, and a failure is said next to the form. */
export async function submit(form, work) {
  const holder = form.querySelector('.form-error');
  const buttons = [...form.querySelectorAll('button')];
  setText(holder, '');
  for (const one of buttons) one.setAttribute('aria-disabled', 'true');
  try {
    return await work();
  } catch (error) {
    setText(holder, error.message);
    return undefined;
  } finally {
    for (const one of buttons) one.removeAttribute('aria-disabled');
  }
}

export const formError = () => el('p', { class: 'form-error', role: 'status' });

let toastTimer = 0;

/** Shows a message at the edge of the page. Failures stay until they are closed; news leaves by itself. */
export function notify(text, failed = false) {
  clearTimeout(toastTimer);
  byId('toast').hidden = false;
  byId('toast').classList.toggle('failed', failed);
  byId('status').textContent = text;
  if (!failed) toastTimer = setTimeout(closeMessage, 7000);
}

export function closeMessage() {
  byId('toast').hidden = true;
  byId('status').textContent = '';
}

/** A lost session is told on the sign-in page. */
export function fail(error) {
  if (error.status !== 401) notify(error.message, true);
}

/** Tells a screen reader something that the page shows anyway. */
export const say = (text) => { byId('quiet').textContent = text; };

/** Interrupts a screen reader. Only a new emergency may do that. */
export const alarm = (text) => { byId('alarm').textContent = text; };

const failures = new Map();

/** The banner stands as long as any of its reasons stands. */
export function banner(reason, text) {
  if (text) failures.set(reason, text);
  else failures.delete(reason);
  setText(byId('banner'), [...new Set(failures.values())].join(' '));
}

export function dialog(id, title, ...children) {
  const heading = el('h2', { id: `${id}-title` }, title);
  const close = button('Close', 'close', { class: 'quiet', onclick: () => node.close() });
  const node = el('dialog', { id, 'aria-labelledby': `${id}-title` },
    el('div', { class: 'dialog-head' }, heading, close), ...children);
  document.body.append(node);
  return node;
}

/** Reads and keeps a preference. Preferences only: nothing about a caller may ever be kept here. */
export function preference(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(`radline.${name}`);
    localStorage.setItem(`radline.${name}`, value);
  } catch {
    // Without storage the preference holds until the page is closed.
  }
  return value ?? null;
}
