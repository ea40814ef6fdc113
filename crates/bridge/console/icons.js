// The console's icons as line drawings on a 24 x 24 grid. They are built as SVG nodes, because the
// content security policy allows neither data: images nor markup from strings.

const OCTAGON = 'M8 2h8l6 6v8l-6 6H8l-6-6V8z';
const SHIELD = 'M12 2l8 3v6c0 5-3.5 9-8 11-4.5-2-8-6-8-11V5z';
const CIRCLE = 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z';
const MICROPHONE = 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z M5 11a7 7 0 0 0 14 0 M12 18v3';
const BELL = 'M6 17V11a6 6 0 0 1 12 0v6l2 1H4z M10 21h4';

const PATHS = {
  emergency: `${OCTAGON} M12 7v6 M12 16.5v.5`,
  urgent: 'M12 3 22 20H2z M12 9v5 M12 16.5v.5',
  routine: `${CIRCLE} M12 7v5l3 2`,
  agent: 'M5 8h14v11H5z M12 8V4 M9.5 12v3 M14.5 12v3',
  provider: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M4 21c0-4 4-6 8-6s8 2 8 6',
  caller: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M4 21c0-4 4-6 8-6s8 2 8 6',
  check: 'M4 12l5 5L20 6',
  verified: `${SHIELD} M8.5 12l2.5 2.5L16 9`,
  unverified: `${SHIELD} M9 15l6-6 M9 9l6 6`,
  phone: 'M5 3h4l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2z',
  hang_up: 'M3 15c5-6 13-6 18 0l-2 3-4-1.5V14a9 9 0 0 0-6 0v2.5L5 18z',
  mic: MICROPHONE,
  mic_off: `${MICROPHONE} M3 3l18 18`,
  back: 'M9 6l-5 5 5 5 M4 11h10a6 6 0 0 1 6 6v2',
  stop: `${OCTAGON} M8 12h8`,
  review: 'M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  note: 'M5 3h10l4 4v14H5z M9 12h6 M9 16h6',
  info: `${CIRCLE} M12 11v6 M12 7v.5`,
  bell: BELL,
  bell_off: `${BELL} M3 3l18 18`,
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2v2 M12 20v2 M2 12h2 M20 12h2 M5 5l1.4 1.4 M17.6 17.6 19 19 M19 5l-1.4 1.4 M6.4 17.6 5 19',
  moon: 'M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z',
  system: `${CIRCLE} M12 2v20 M12 7h4.5 M12 12h6 M12 17h4.5`,
  keyboard: 'M2 6h20v12H2z M6 10h.5 M10 10h.5 M14 10h.5 M18 10h.5 M7 14h10',
  exit: 'M14 4H5v16h9 M10 12h11 M17 8l4 4-4 4',
  play: 'M7 4l13 8-13 8z',
  pause: 'M8 5v14 M16 5v14',
  draft: 'M4 20l1-5L16 4l4 4L9 19z M14 6l4 4',
  close: 'M6 6l12 12 M18 6L6 18',
  lost: 'M2 8a15 15 0 0 1 20 0 M6 12.5a9 9 0 0 1 12 0 M12 18v.5 M3 3l18 18',
  down: 'M12 5v14 M6 13l6 6 6-6',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z M16 16l5 5',
  none: 'M6 12h12',
};

const SVG = 'http://www.w3.org/2000/svg';

/** A decorative icon: whoever places it also says its meaning in words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('focusable', 'false');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name] ?? PATHS.info);
  svg.append(path);
  return svg;
}
