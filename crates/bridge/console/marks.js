// Marks that several views share.

import { el, hiddenText } from './dom.js';
import { icon } from './icons.js';

/** The mark beside a name: an icon with its meaning in words for those who do not see it. */
export function verifiedMark(verified) {
  return el('span', { class: verified ? 'mark verified' : 'mark unverified', title: verified ? 'Identity verified' : 'Identity not verified' },
    icon(verified ? 'verified' : 'unverified'), hiddenText(verified ? ', verified' : ', not verified'));
}
