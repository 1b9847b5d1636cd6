// Requests to the server that this page came from, and its problem documents.

const BASE = new URL('../', import.meta.url);
const TIMEOUT_MS = 20_000;

/** What went wrong. `offline`: nothing was heard from the server; else `status`, `code` and the server's own words. */
export class RequestError extends Error {
  constructor(message, { offline = false, status = 0, code = '', retryAfter = 0, body = null } = {}) {
    super(message);
    Object.assign(this, { offline, status, code, retryAfter, body });
  }
}

/** Sends one request below the server's base path; resolves with the response for 2xx and 304 only. */
export async function request(path, { method = 'GET', token = '', json, headers = {} } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  const all = { ...headers };
  if (token) all.Authorization = `Bearer ${token}`;
  if (json !== undefined) all['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(new URL(path, BASE), {
      method,
      headers: all,
      body: json === undefined ? undefined : JSON.stringify(json),
      signal: abort.signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
    if (response.ok || response.status === 304) {
      // Read it here, so that the time limit covers the whole of it.
      const body = response.status === 304 ? new ArrayBuffer(0) : await response.arrayBuffer();
      return { status: response.status, headers: response.headers, bytes: new Uint8Array(body) };
    }
  } catch (_) {
    throw new RequestError('没有网络，或服务器没有应答', { offline: true });
  } finally {
    clearTimeout(timer);
  }
  throw await problemOf(response);
}

/** The same, with JSON coming back. */
export async function requestJson(path, options) {
  const { bytes } = await request(path, options);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (_) {
    // A hotel's or a shop's log-in page in place of the server.
    throw new RequestError('网络没有真正接通：应答的不是联合会的服务器', { offline: true });
  }
}

async function problemOf(response) {
  let problem = {};
  try {
    problem = await response.json();
  } catch (_) { /* not one of ours: the status has to do */ }
  const { status } = response;
  // Gateways in front of a stopped server answer so; for the counter that is the same as no network.
  const offline = [502, 503, 504].includes(status) && !problem.code;
  const words = [problem.title, problem.detail].filter(Boolean).join('。');
  return new RequestError(words || `服务器没有办成（${status}）`, {
    offline,
    status,
    code: problem.code || '',
    retryAfter: Number(response.headers.get('Retry-After')) || 0,
    body: problem,
  });
}
