// gst-tsrec: requests of the page to the service, with a token where one is needed
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// The token is a cookie of this session, so that the player can use it as well:
// it is sent to this server only, and never by pages of other sites.
const waiting = [];
const form = document.getElementById('login');

// Calls func again when a token has been given.
export const whenAllowed = (func) => waiting.push(func);

export async function ask(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body ? JSON.stringify(body) : undefined,
    signal: AbortSignal.timeout(method === 'POST' ? 600000 : 10000),
  });
  if (response.status === 401)
    form.hidden = false;
  return response.json();
}

form.onsubmit = (event) => {
  event.preventDefault();
  const token = document.getElementById('token');
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `tsrec=${encodeURIComponent(token.value)}; SameSite=Strict; Path=/${secure}`;
  token.value = '';
  form.hidden = true;
  waiting.forEach((func) => func());
};
