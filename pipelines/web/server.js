// gst-tsrec: serves a folder of recordings, and one page to watch them
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Usage: node server.js --host ADDRESS --port N [--max-connections N] DIR
//
// GET and HEAD only. What a client can hold is bounded: so many connections,
// each with little time to send a request and none to sit idle; when all are
// taken, the one that has been idle longest makes room for the next.

import { createServer } from 'node:http';
import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import send from 'send';

import { TYPES, list, playlist, resolve } from './recordings.js';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const MODULES = path.join(HERE, 'node_modules');
const PAGE = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/tsindex.js': ['tsindex.js', 'text/javascript; charset=utf-8'],
  '/hls.js': [path.join(MODULES, 'hls.js/dist/hls.light.min.mjs'), 'text/javascript; charset=utf-8'],
};
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; " +
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

function refuse(response, status, reason) {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(reason + '\n');
}

function sendFile(request, response, file, type, options = {}) {
  response.setHeader('Content-Type', type);
  send(request, file, { dotfiles: 'allow', cacheControl: false, ...options })
    .on('error', (error) => refuse(response, error.status ?? 500,
      error.status === 416 ? 'That range is not in the file.' : 'That file cannot be read.'))
    .pipe(response);
}

function sendText(request, response, text, type) {
  const body = Buffer.from(text);
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function sendRecording(folder, request, response, encoded) {
  let name;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    return refuse(response, 400, 'That is not a name.');
  }
  if (path.extname(name) === '.m3u8') {
    const text = await playlist(folder, name);
    return text === null ? refuse(response, 404, 'There is no such recording.') :
      sendText(request, response, text, TYPES['.m3u8']);
  }
  const file = await resolve(folder, name);
  if (!file)
    return refuse(response, 404, 'There is no such recording.');
  return sendFile(request, response, file, TYPES[path.extname(name)], { etag: false });
}

// A page of another site may not read from a server on this host by giving its
// own name our address (DNS rebinding): on loopback, only its names are served.
function isForUs(request, host) {
  if (host !== '127.0.0.1' && host !== '::1' && host !== 'localhost')
    return true;
  const name = (request.headers.host ?? '').replace(/:\d+$/, '');
  return ['localhost', '127.0.0.1', '[::1]'].includes(name);
}

async function answer(folder, host, request, response) {
  for (const [name, value] of Object.entries(HEADERS))
    response.setHeader(name, value);
  response.setHeader('Cache-Control', 'no-cache');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405, 'Recordings can be read, and nothing else.');
  }
  if (!isForUs(request, host))
    return refuse(response, 403, 'This server is for this machine. Start it with --host to serve others.');
  const target = request.url.split('?')[0];
  if (Object.hasOwn(PAGE, target)) {
    const [file, type] = PAGE[target];
    return sendFile(request, response, path.resolve(HERE, file), type);
  }
  if (target === '/recordings.json')
    return sendText(request, response, JSON.stringify(await list(folder)), 'application/json');
  if (target.startsWith('/recordings/'))
    return sendRecording(folder, request, response, target.slice('/recordings/'.length));
  return refuse(response, 404, 'There is nothing here. The recordings are at /');
}

// Closes the connection that has been without a request for longest, when
// there are more than `most`.
function boundConnections(server, most) {
  const idle = new Set(); // in the order in which they became idle
  let open = 0;
  server.on('connection', (socket) => {
    open++;
    idle.add(socket);
    socket.on('close', () => {
      open--;
      idle.delete(socket);
    });
    if (open > most) {
      const [oldest] = idle;
      oldest.destroy();
    }
  });
  server.on('request', (request, response) => {
    idle.delete(request.socket);
    response.on('close', () => {
      if (!request.socket.destroyed)
        idle.add(request.socket);
    });
  });
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8000' },
      'max-connections': { type: 'string', default: '256' },
    },
  });
  const folder = path.resolve(positionals[0] ?? '.');
  const { host } = values;
  statSync(folder);
  const server = createServer({
    headersTimeout: 10000,
    requestTimeout: 15000,
    connectionsCheckingInterval: 2000,
    keepAliveTimeout: 5000,
    maxHeaderSize: 8192,
  }, (request, response) => {
    answer(folder, host, request, response).catch((error) => {
      console.error(`${request.method} ${request.url}: ${error.message}`);
      if (response.headersSent)
        response.destroy();
      else
        refuse(response, 500, 'That did not work; the server has said why.');
    });
  });
  // No byte read or written for so long: the client is gone or only sits there.
  server.setTimeout(30000, (socket) => socket.destroy());
  boundConnections(server, Number(values['max-connections']));
  server.on('error', (error) => {
    console.error(error.code === 'EADDRINUSE' ?
      `Port ${values.port} of ${host} is in use. Choose another with --port.` :
      `Cannot listen on ${host}, port ${values.port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(Number(values.port), host, () => {
    const { port } = server.address();
    console.log(`Recordings of ${folder}: http://${isIP(host) === 6 ? `[${host}]` : host}:${port}/`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => process.exit(0));
}

main();
