// One clock for the whole console. It follows the server's time and once a second rewrites the text of
// the marked nodes; it never makes nodes, so focus, selections and screen readers are left in peace.

import { setText } from './dom.js';
import { duration } from './format.js';

let offset = 0;

/** The server says its time with each queue event; the browser's clock may be wrong. */
export function sync(serverNow) {
  offset = serverNow - Date.now();
}

export const now = () => Date.now() + offset;

/** The node shows the time since the moment. */
export function runSince(node, moment) {
  set(node, 'since', moment);
}

/** The node shows what is left until the moment, then how much it is over. */
export function runUntil(node, moment) {
  set(node, 'until', moment);
}

function set(node, name, moment) {
  if (moment === null || moment === undefined) {
    delete node.dataset[name];
    node.classList.remove('over', 'soon');
    setText(node, '');
    return;
  }
  node.dataset[name] = String(moment);
  paint(node, now());
}

function paint(node, time) {
  if (node.dataset.since) setText(node, duration(time - Number(node.dataset.since)));
  if (!node.dataset.until) return;
  const left = Number(node.dataset.until) - time;
  node.classList.toggle('over', left < 0);
  node.classList.toggle('soon', left >= 0 && left < 10000);
  setText(node, left < 0 ? `${duration(-left)} over` : `${duration(left + 999)} left`);
}

const each = new Set();

/** Calls the function with every tick; the answer stops that. */
export function onTick(work) {
  each.add(work);
  return () => each.delete(work);
}

function tick() {
  const time = now();
  for (const node of document.querySelectorAll('[data-since], [data-until]')) paint(node, time);
  for (const work of each) work(time);
}

setInterval(tick, 1000);
