// Sets the remembered colour theme before the first paint. It is a classic script in the head,
// because a module would run only after the page has been shown once in the other theme.
(function () {
  'use strict';
  let theme = null;
  try {
    theme = localStorage.getItem('radline.theme');
  } catch {
    // Storage can be switched off by policy; the console then follows the system.
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}());
