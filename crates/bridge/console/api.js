// The console's way to the server: requests with the session's token, and event streams that come back
// by themselves. Nothing here is logged, because paths and bodies may concern a patient.

const base = new URL('api/', import.meta.url);
const UNREACHABLE = 'The server cannot be reached. Check the network, then try again.';

let csrf = '';
let onSessionOver = () => {};

export const address = (path) => new URL(path, base).href;
export const setToken = (token) => { csrf = token ?? ''; };
export const whenSessionOver = (work) => { onSessionOver = work; };

export class RequestError extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

async function request(method, path, body) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Radline-Csrf'] = csrf;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(address(path), {
      method, headers, credentials: 'same-origin', cache: 'no-store', body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new RequestError(0, UNREACHABLE);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  // A wrong password is also a 401, but there the session was not lost.
  if (response.status === 401 && path !== 'session') onSessionOver();
  throw new RequestError(response.status, answer.error ?? `The server answered with an error (${response.status}).`);
}

export const get = (path) => request('GET', path);
export const post = (path, body = {}) => request('POST', path, body);
export const remove = (path) => request('DELETE', path);

/** A view that fetches what it shows when it is opened, and again and again while it is open. */
export function reloading(load, everyMs) {
  let timer = 0;
  return {
    open() {
      load();
      timer = setInterval(load, everyMs);
    },
    close() { clearInterval(timer); },
  };
}

/** The path of a call. Identifiers are escaped although the server makes them. */
export const callPath = (id, rest = '') => `calls/${encodeURIComponent(id)}${rest}`;

const streams = new Set();

/** While nobody is signed in, nothing may arrive; afterwards the same streams are opened again. */
export const parkStreams = () => { for (const one of streams) one.park(); };
export const resumeStreams = () => { for (const one of streams) one.open(); };

/**
 * Opens an event stream. The browser reconnects after most failures by itself and then sends the last
 * event id; after an answer that ends the stream for good (a refused session, a restarted proxy) it is
 * opened anew here, and those who listen drop what they have already seen.
 */
export function stream(path, handlers, onConnected) {
  let source = null;
  let timer = 0;
  let tries = 0;

  const open = () => {
    park();
    source = new EventSource(address(path));
    source.onopen = () => { tries = 0; onConnected(true); };
    source.onerror = () => {
      onConnected(false);
      if (source.readyState === EventSource.CLOSED) again();
    };
    for (const [name, work] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => work(JSON.parse(event.data)));
    }
  };

  const park = () => {
    clearTimeout(timer);
    source?.close();
  };

  const again = () => {
    tries += 1;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const session = await get('session').catch(() => null);
      if (!streams.has(handle)) return;
      if (session && session.state !== 'signed_in') onSessionOver();
      else open();
    }, Math.min(1000 * 2 ** tries, 15000));
  };

  const handle = {
    open,
    park,
    close() {
      streams.delete(handle);
      park();
    },
  };
  streams.add(handle);
  open();
  return handle;
}
