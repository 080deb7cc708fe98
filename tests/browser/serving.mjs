// gst-tsrec: helpers of the tests of pipelines/serve
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const SLOW = process.env.REC_SLOW_MACHINE ? 4 : 1;

export function scratch(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gst-tsrec-serve-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export async function until(condition, what, seconds = 60) {
  const end = Date.now() + seconds * 1000 * SLOW;
  for (;;) {
    const value = await condition();
    if (value)
      return value;
    if (Date.now() > end)
      throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(50);
  }
}

// A process that ends with the test, whatever happens.
export function start(t, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => { child.said += data; });
  child.ended = new Promise((resolve) => { child.on('close', (code, signal) => resolve(code ?? signal)); });
  t.after(async () => {
    child.kill('SIGKILL');
    await child.ended;
  });
  return child;
}

// pipelines/serve or pipelines/server on a free port.
export async function serveWith(t, command, folder, ...args) {
  const child = start(t, path.join(top, 'pipelines', command), ['--port', '0', ...args, folder], { detached: true });
  t.after(() => { // with what it has started
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      // it has ended
    }
  });
  const [, port] = await until(() => /:(\d+)\/ \(Ctrl\+C/.exec(child.said) ||
    (child.exitCode !== null && ['', NaN]), 'the server');
  return { child, port: Number(port), url: `http://127.0.0.1:${port}` };
}

export const serve = (t, folder, ...args) => serveWith(t, 'serve', folder, ...args);

// A request as it is, without a client that tidies up what it sends.
export function raw(port, lines, { wait = 15000 } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), wait * SLOW);
    socket.on('connect', () => socket.write(lines.join('\r\n') + '\r\n\r\n'));
    socket.on('data', (data) => { answer += data.toString('latin1'); });
    socket.on('error', reject);
    socket.on('close', () => { clearTimeout(timer); resolve(answer); });
  });
}

export const get = (port, target, ...headers) =>
  raw(port, [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers]);

export const statusOf = (answer) => Number(answer.split(' ')[1]);

// A source of so many buffers a second for so many seconds (0: without end),
// on one clock, and none of them from one second to another.
function source(name, properties, rate, seconds, muted) {
  const part = (from, to) => [name, ...properties, `timestamp-offset=${from * 1e9}`,
    ...(to ? [`num-buffers=${Math.ceil((to - from) * rate)}`] : [])];
  if (!muted || muted.to === Infinity)
    return { head: part(0, muted ? muted.from : seconds), tail: [] };
  if (muted.from === 0)
    return { head: part(muted.to, seconds), tail: [] };
  return {
    head: ['concat', `name=${name}s`, 'adjust-base=false'],
    tail: [...part(0, muted.from), '!', `${name}s.`, ...part(muted.to, seconds), '!', `${name}s.`],
  };
}

// Records a moving picture and a tone to file. camera and microphone: when they
// are muted, { from, to } in seconds (live: to is Infinity).
export function record(t, file, { live = true, seconds = 0, extra = [], pattern = 'ball', width = 320,
  camera = null, microphone = null, codec = 'h264' } = {}) {
  const video = source('videotestsrc', [`is-live=${live}`, `pattern=${pattern}`], 30, seconds, camera);
  const audio = source('audiotestsrc', [`is-live=${live}`, 'volume=0.1'], 44100 / 1024, seconds, microphone);
  return start(t, 'gst-launch-1.0', ['-q', '-e',
    ...video.head, '!',
    `video/x-raw,format=I420,width=${width},height=${width * 9 / 16},framerate=30/1`, '!',
    'timeoverlay', 'shaded-background=true', '!',
    codec.replace('h', 'x') + 'enc', 'tune=zerolatency', 'speed-preset=ultrafast', 'bitrate=500', 'key-int-max=30', '!',
    `${codec}parse`, '!', 'queue', '!',
    'tsrecsink', 'name=rec', `location=${file}`, ...extra,
    ...audio.head, '!', 'audioconvert', '!',
    'avenc_aac', '!', 'aacparse', '!', 'queue', '!', 'rec.',
    ...video.tail, ...audio.tail]);
}
