// gst-tsrec: the recordings of a folder, and what can be said of each
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Only regular files directly in the folder are recordings. A name is what
// readdir() says, never a path: one with a slash, a leading dot or an unknown
// ending does not exist here, and a symbolic link counts as what it points at
// only when that is in the folder too.

import { constants } from 'node:fs';
import { open, readFile, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

export const TYPES = {
  '.ts': 'video/mp2t',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mp4': 'video/mp4',
  '.mkv': 'video/x-matroska',
};
const MEDIA = ['.ts', '.mp4', '.mkv'];
// A recorder writes many times a second; a file that has been left alone for
// so long is not growing.
const GROWING_MS = 3000;
const PACKET = 188;
const SCAN_BYTES = 1024 * PACKET;
const PCR_WRAP = 2 ** 33;

// The path behind a name of the folder, or null.
export async function resolve(folder, name) {
  if (!(path.extname(name) in TYPES) || name.startsWith('.') || /[/\\\0]/.test(name))
    return null;
  try {
    const root = await realpath(folder);
    const real = await realpath(path.join(root, name));
    if (path.dirname(real) !== root || !(await stat(real)).isFile())
      return null;
    return real;
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG'].includes(error.code))
      return null;
    throw error;
  }
}

export async function list(folder, now = Date.now()) {
  const names = (await readdir(folder)).filter((name) => MEDIA.includes(path.extname(name)));
  const found = [];
  for (const name of names) {
    const recording = await describe(folder, name, now).catch(() => null);
    if (recording)
      found.push(recording);
  }
  return found.sort((a, b) => b.modified - a.modified || (a.name < b.name ? 1 : -1));
}

async function describe(folder, name, now) {
  const file = await resolve(folder, name);
  if (!file)
    return null;
  const { size, mtimeMs } = await stat(file);
  const playlist = name.slice(0, -path.extname(name).length) + '.m3u8';
  const hasPlaylist = await resolve(folder, playlist) !== null;
  return {
    name,
    size,
    modified: Math.round(mtimeMs),
    age: Math.max(0, now - mtimeMs) / 1000,
    growing: now - mtimeMs < GROWING_MS,
    duration: await duration(file, size),
    playlist: hasPlaylist ? playlist : null,
  };
}

// Seconds between the first and the last PCR of a transport stream (ISO/IEC
// 13818-1, 2.4.3.5), null where there are not two of them near the ends.
async function duration(file, size) {
  if (path.extname(file) !== '.ts')
    return null;
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const whole = size - size % PACKET;
    const head = await read(handle, 0, Math.min(SCAN_BYTES, whole));
    const begin = Math.max(0, whole - SCAN_BYTES);
    const tail = await read(handle, begin, whole - begin);
    const first = clockReferences(head).next().value;
    let last;
    for (last of clockReferences(tail));
    if (first === undefined || last === undefined)
      return null;
    return ((last - first + PCR_WRAP) % PCR_WRAP) / 90000;
  } finally {
    await handle.close();
  }
}

async function read(handle, position, length) {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

// program_clock_reference_base of each packet that has one.
function* clockReferences(bytes) {
  for (let at = 0; at + PACKET <= bytes.length; at += PACKET) {
    const hasAdaptationField = bytes[at] === 0x47 && (bytes[at + 3] & 0x20) !== 0;
    if (hasAdaptationField && bytes[at + 4] >= 7 && (bytes[at + 5] & 0x10) !== 0)
      yield bytes.readUInt32BE(at + 6) * 2 + (bytes[at + 10] >> 7);
  }
}

// The text of a playlist. One whose recorder was killed has no end, and a
// player would wait for more for ever: it gets its end here.
export async function playlist(folder, name) {
  const file = await resolve(folder, name);
  if (!file)
    return null;
  const [text, { mtimeMs }] = [await readFile(file, 'utf8'), await stat(file)];
  if (text.includes('#EXT-X-ENDLIST'))
    return text;
  const stem = name.slice(0, -path.extname(name).length);
  const media = await Promise.all(MEDIA.map((ending) => resolve(folder, stem + ending)));
  const times = await Promise.all(media.filter(Boolean).map(async (m) => (await stat(m)).mtimeMs));
  const idle = Date.now() - Math.max(mtimeMs, ...times);
  return idle > 10 * GROWING_MS ? text + '#EXT-X-ENDLIST\n' : text;
}
