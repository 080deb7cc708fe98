// gst-tsrec: serves a folder of recordings and the page that plays them
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
//   /                     the page
//   /api/recordings       the recordings as JSON
//   /files/NAME           a recording, with byte ranges
//   /hls/NAME.ts.m3u8     a playlist for a recording that has none

import http from 'node:http';
import { isIP } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import send from 'send';
import { boundConnections } from './connections.js';
import { decodeName, Folder, Refused } from './folder.js';
import { Recordings } from './recordings.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const PAGE = {
  '/': 'page/index.html',
  '/page.js': 'page/page.js',
  '/player.js': 'page/player.js',
  '/tsindex.js': 'page/tsindex.js',
  '/style.css': 'page/style.css',
  '/icon.svg': 'page/icon.svg',
  '/hls.js': 'node_modules/hls.js/dist/hls.min.mjs',
  '/hls.worker.js': 'node_modules/hls.js/dist/hls.worker.js',
};
const HEADERS = {
  // hls.js plays through a media source, whose address is a blob
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; worker-src 'self'; " +
    "style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self' blob:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;
// A file that changed so recently may still be growing: nothing about it is
// kept by a cache, since its size and its validators change all the time.
const SETTLED = 60;

const isLoopback = (host) => LOOPBACK.test(isIP(host) === 6 ? `[${host}]` : host);

function reply(response, status, type, body, headers = {}) {
  response.writeHead(status, {
    'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store', ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function refuse(response, error) {
  const known = error instanceof Refused;
  if (!known)
    console.error(`serve: ${error.stack}`);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = known ? error.status : 500;
  reply(response, status, 'text/plain; charset=utf-8',
    `${known ? error.message : 'The server failed; its terminal says why.'}\n`,
    status === 503 ? { 'Retry-After': '1' } : {});
}

// Sends a file that was opened already, whatever its name leads to by now.
function sendOpened(request, response, { handle, stat, type }) {
  const settled = Date.now() - stat.mtimeMs > SETTLED * 1000;
  const close = () => handle.close().catch(() => {});
  if (response.destroyed) { // gone while the file was opened
    close();
    return;
  }
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', settled ? 'no-cache' : 'no-store');
  response.on('close', close);
  // RFC 9110 14.1.2: the last bytes, more than there are, are all of them;
  // the parser that send uses calls them unsatisfiable
  const last = /^bytes=-(\d+)$/.exec(request.headers.range ?? '');
  if (last && Number(last[1]) > stat.size)
    request.headers.range = 'bytes=0-';
  send(request, `/proc/self/fd/${handle.fd}`, {
    cacheControl: false, etag: settled, lastModified: settled, dotfiles: 'allow', index: false,
  }).on('error', (error) => {
    const status = error.status ?? 500;
    response.removeHeader('Content-Type');
    reply(response, status, 'text/plain; charset=utf-8',
      status === 416 ? `The recording has ${stat.size} bytes; the range starts after that.\n` : `${error.message}\n`,
      status === 416 ? { 'Content-Range': `bytes */${stat.size}` } : {});
  }).pipe(response);
}

class Site {
  constructor(folder, { checkHost }) {
    this.folder = folder;
    this.recordings = new Recordings(folder);
    this.checkHost = checkHost;
  }

  async handle(request, response) {
    for (const [name, value] of Object.entries(HEADERS))
      response.setHeader(name, value);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      request.resume();
      return reply(response, 405, 'text/plain; charset=utf-8', 'Recordings can only be read here.\n',
        { Allow: 'GET, HEAD' });
    }
    // A page elsewhere whose name was made to resolve to this machine.
    const host = (request.headers.host ?? 'localhost').replace(/:\d+$/, '');
    if (this.checkHost && !LOOPBACK.test(host))
      throw new Refused(421, 'This server answers to localhost only; start it with --host to change that.');
    return this.#route(request, response, request.url.split(/[?#]/)[0]);
  }

  async #route(request, response, where) {
    if (Object.hasOwn(PAGE, where))
      return this.#page(request, response, PAGE[where]);
    if (where === '/api/recordings') {
      const recordings = await this.recordings.list();
      return reply(response, 200, 'application/json', JSON.stringify({
        folder: path.basename(this.folder.root), now: Date.now() / 1000, recordings,
      }));
    }
    if (where.startsWith('/files/') && where.endsWith('.m3u8')) {
      const text = await this.recordings.written(decodeName(where.slice(7)));
      return reply(response, 200, 'application/vnd.apple.mpegurl', text);
    }
    if (where.startsWith('/files/'))
      return sendOpened(request, response, await this.folder.open(decodeName(where.slice(7))));
    if (where.startsWith('/hls/') && where.endsWith('.ts.m3u8')) {
      const text = await this.recordings.playlist(decodeName(where.slice(5, -5)));
      return reply(response, 200, 'application/vnd.apple.mpegurl', text);
    }
    throw new Refused(404, 'There is nothing at this address.');
  }

  #page(request, response, file) {
    response.setHeader('Cache-Control', 'no-cache');
    if (file.endsWith('.mjs'))
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8');
    send(request, path.join(here, file), { cacheControl: false, dotfiles: 'allow' })
      .on('error', (error) => refuse(response, error)).pipe(response);
  }
}

// pipelines/serve has checked them.
function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'port': { type: 'string', default: '8000' },
      'host': { type: 'string', default: '127.0.0.1' },
      'max-connections': { type: 'string', default: '200' },
    },
  });
  return {
    directory: positionals[0], host: values.host, port: Number(values.port),
    max: Number(values['max-connections']),
  };
}

function fail(message) {
  console.error(`serve: ${message}`);
  process.exit(1);
}

async function main() {
  const { directory, host, port, max } = options();
  const folder = await Folder.at(directory).catch((error) =>
    fail(`cannot serve "${directory}": ${error.message}. Name a folder that this user may read.`));
  const site = new Site(folder, { checkHost: isLoopback(host) });
  const server = http.createServer({ maxHeaderSize: 8192 }, (request, response) => {
    site.handle(request, response).catch((error) => refuse(response, error));
  });
  boundConnections(server, { max, idle: 60000 });
  server.on('error', (error) => fail(error.code === 'EADDRINUSE'
    ? `port ${port} of ${host} is taken by another program; choose one with --port`
    : `cannot listen on ${host} port ${port}: ${error.message}`));
  server.listen(port, host, () => {
    const shown = isIP(host) === 6 ? `[${host}]` : host;
    console.log(`Serving ${folder.root} at http://${shown}:${server.address().port}/ (Ctrl+C ends it)`);
    if (!isLoopback(host))
      console.log('Everybody who can reach this address can watch: there is no password.');
  });
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => process.exit(0));
}

await main();
