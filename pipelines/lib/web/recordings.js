// gst-tsrec: what the recordings in a folder are: size, duration, still growing
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeName, Refused } from './folder.js';
import { playlistOf, targetDurationOf, TsIndex, TsReader } from './page/tsindex.js';

const CHUNK = 1 << 20;
const HEAD = 1 << 20; // where the first time stamps are looked for
const TAIL = 1 << 19; // where the last ones are
const CLOCK = 90000;
const WRAP = 2 ** 33;
// A file that nobody holds locked is complete when it was left alone so long.
const GROWING_AGE = 5;
const ENDED_AGE = 15;
// Seconds after which an entry of a growing file ends at the next PAT.
const LIMIT = 9;
const TARGET_DURATION = 10;
// How long one request may read on in a file that is not indexed yet.
const BUDGET = 1500;
const MAX_CACHED = 256;
// A recording that takes long to read; bytes.
const LARGE = 2 ** 31;
const MAX_PLAYLIST = 16 << 20;

async function readAt(handle, position, length) {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0)
      break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

const secondsSince = (stat) => (Date.now() - stat.mtimeMs) / 1000;

// Whether somebody holds a lock on the file, as recfilesink does while it
// records: { "device:inode", … }, in the way /proc/locks writes them.
async function lockedFiles() {
  const locked = new Set();
  try {
    for (const line of (await readFile('/proc/locks', 'utf8')).split('\n')) {
      const match = /WRITE\s+-?\d+\s+([0-9a-f]+):([0-9a-f]+):(\d+)/.exec(line);
      if (match)
        locked.add(`${parseInt(match[1], 16)}:${parseInt(match[2], 16)}:${match[3]}`);
    }
  } catch {
    // no /proc: the age of the file has to do
  }
  return locked;
}

function isLocked(locked, stat) {
  const major = (stat.dev >> 8) & 0xfff;
  const minor = (stat.dev & 0xff) | ((stat.dev >> 12) & 0xfff00);
  return locked.has(`${major}:${minor}:${stat.ino}`);
}

// A Map that forgets what was used longest ago.
class Cache extends Map {
  use(key, make) {
    const value = this.get(key) ?? make();
    this.delete(key);
    this.set(key, value);
    if (this.size > MAX_CACHED)
      this.delete(this.keys().next().value);
    return value;
  }
}

const keyOf = (stat) => `${stat.dev}:${stat.ino}`;

export class Recordings {
  constructor(folder) {
    this.folder = folder;
    this.indexes = new Cache(); // key → { index, turn, targetDuration }
    this.facts = new Cache(); // key → { version, value }
  }

  // What the page shows, the newest first.
  async list() {
    const locked = await lockedFiles();
    const files = new Map();
    for (const name of await this.folder.names()) {
      const facts = await this.#look(name, locked);
      if (facts)
        files.set(name, facts);
    }
    const recordings = this.#group(files);
    recordings.sort((a, b) => b.modified - a.modified || (a.name < b.name ? -1 : 1));
    return recordings;
  }

  // Playlists are shown as what they name; fragments are not shown again.
  #group(files) {
    const recordings = [];
    const hidden = new Set();
    for (const [name, file] of files) {
      if (!file.playlist)
        continue;
      const parts = file.playlist.uris.map((uri) => path.posix.join(path.posix.dirname(name), uri))
        .filter((part) => files.has(part));
      hidden.add(name);
      if (parts.length === 1) {
        const [only] = parts;
        const ts = files.get(only);
        // Otherwise an index of our own is better: it has the end of a
        // recording that was killed.
        if (ts.bytes > LARGE && (file.playlist.ended || ts.growing))
          ts.hls = file.url;
      } else if (parts.length > 1) {
        parts.forEach((part) => hidden.add(part));
        recordings.push(this.#fragments(name, file, parts.map((part) => files.get(part))));
      }
    }
    for (const [name, file] of files) {
      if (!hidden.has(name))
        recordings.push(file);
    }
    return recordings.map(({ playlist, ...shown }) => shown);
  }

  #fragments(name, file, parts) {
    return {
      ...file,
      name, hls: file.url, fragments: parts.length,
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      duration: file.playlist.duration,
      tracks: parts[0].tracks,
      modified: Math.max(...parts.map((part) => part.modified)),
      growing: parts.some((part) => part.growing),
    };
  }

  async #look(name, locked) {
    let opened;
    try {
      opened = await this.folder.open(name);
    } catch {
      return null; // cannot be played, so it is not listed
    }
    const { handle, stat, type } = opened;
    try {
      const url = `/files/${encodeName(name)}`;
      const facts = {
        name, url, bytes: stat.size, modified: stat.mtimeMs / 1000, duration: null, tracks: [],
        growing: secondsSince(stat) < GROWING_AGE || isLocked(locked, stat),
      };
      if (type === 'application/vnd.apple.mpegurl')
        return { ...facts, playlist: await this.#fact(stat, () => readPlaylist(handle, stat)) };
      if (type !== 'video/mp2t')
        return facts;
      const { duration, tracks } = await this.#fact(stat, () => probe(handle, stat));
      return { ...facts, duration, tracks, hls: `/hls/${encodeName(name)}.m3u8` };
    } finally {
      await handle.close();
    }
  }

  // make() again only when the file has changed.
  async #fact(stat, make) {
    const version = `${stat.size}:${stat.mtimeMs}`;
    const cached = this.facts.use(keyOf(stat), () => ({}));
    if (cached.version !== version) {
      cached.value = await make();
      cached.version = version;
    }
    return cached.value;
  }

  // The playlist of a recording that has none, or one that a crash cut short.
  async generate(name) {
    const { handle, stat } = await this.folder.open(name);
    try {
      const ended = secondsSince(stat) >= ENDED_AGE && !isLocked(await lockedFiles(), stat);
      const state = this.indexes.use(keyOf(stat), () => ({ turn: Promise.resolve() }));
      const turn = state.turn.then(() => this.#advance(state, handle, stat, ended));
      state.turn = turn.catch(() => {});
      return await turn;
    } finally {
      await handle.close();
    }
  }

  async #advance(state, handle, stat, ended) {
    if (!state.index || stat.size < state.index.offset) { // new, or written anew
      state.index = new TsIndex();
      state.position = 0;
      state.targetDuration = 0;
    }
    const { index } = state;
    const deadline = Date.now() + BUDGET;
    index.limit = ended ? Infinity : LIMIT * CLOCK;
    while (state.position < stat.size && Date.now() < deadline) {
      const chunk = await readAt(handle, state.position, Math.min(CHUNK, stat.size - state.position));
      if (chunk.length === 0)
        break;
      index.push(chunk);
      state.position += chunk.length;
    }
    const complete = ended && state.position >= stat.size;
    const last = complete ? index.lastEntry(stat.size) : null;
    const entries = last ? [...index.entries, last] : index.entries;
    if (entries.length === 0) {
      throw ended ? new Refused(422, 'No picture and no sound was found in this file.')
        : new Refused(503, 'The recording has only begun; try again in a moment.');
    }
    if (!state.targetDuration || complete)
      state.targetDuration = targetDurationOf(entries, TARGET_DURATION);
    return { entries, ended: complete, targetDuration: state.targetDuration };
  }

  // A playlist as its recorder wrote it; one whose recorder was killed gets
  // the end that it lacks, so that players do not wait for more.
  async written(name) {
    const { handle, stat } = await this.folder.open(name);
    try {
      const text = (await readAt(handle, 0, Math.min(stat.size, MAX_PLAYLIST))).toString('utf8');
      const uris = text.split('\n').filter((line) => line.trim() && !line.startsWith('#'));
      if (text.includes('#EXT-X-ENDLIST') || !uris.length || secondsSince(stat) < ENDED_AGE)
        return text;
      const last = path.posix.join(path.posix.dirname(name), decodedUri(uris.at(-1).trim()));
      return await this.#grows(last) ? text : `${text.trimEnd()}\n#EXT-X-ENDLIST\n`;
    } finally {
      await handle.close();
    }
  }

  async #grows(name) {
    try {
      const { handle, stat } = await this.folder.open(name);
      await handle.close();
      return secondsSince(stat) < ENDED_AGE || isLocked(await lockedFiles(), stat);
    } catch {
      return false;
    }
  }

  async playlist(name) {
    const { entries, ended, targetDuration } = await this.generate(name);
    return playlistOf(entries, { uri: `/files/${encodeName(name)}`, ended, targetDuration });
  }
}

// RFC 8216, as much of a playlist as the list of recordings needs.
async function readPlaylist(handle, stat) {
  const uris = new Set();
  let duration = 0;
  let ended = false;
  const text = (await readAt(handle, 0, Math.min(stat.size, MAX_PLAYLIST))).toString('utf8');
  for (const line of text.split('\n').map((l) => l.trim())) {
    if (line.startsWith('#EXTINF:'))
      duration += Number.parseFloat(line.slice(8)) || 0;
    else if (line === '#EXT-X-ENDLIST')
      ended = true;
    else if (line !== '' && !line.startsWith('#') && uris.size < 100000)
      uris.add(decodedUri(line));
  }
  return { uris: [...uris], duration, ended };
}

function decodedUri(uri) {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

// The tracks of a recording and its duration, from its two ends.
async function probe(handle, stat) {
  let first = null;
  const last = new Map();
  const head = new TsReader({ onPes: ({ pts }) => { first ??= pts; } });
  head.push(await readAt(handle, 0, Math.min(HEAD, stat.size)));
  const order = ['video', 'audio', 'data'];
  const tracks = [...new Set([...head.tracks.values()]
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)).map((t) => t.codec))];
  if (first === null)
    return { duration: null, tracks };

  const from = Math.max(0, stat.size - TAIL);
  const tail = new TsReader({ onPes: ({ pid, pts }) => { last.set(pid, Math.max(last.get(pid) ?? 0, pts)); } });
  tail.tracks = head.tracks;
  tail.push(await readAt(handle, from - (from % 188), stat.size - from + (from % 188)));
  const spans = [...last.values()].map((pts) => (pts - first + WRAP) % WRAP)
    .filter((span) => span < WRAP / 2);
  return { duration: spans.length ? Math.max(...spans) / CLOCK : null, tracks };
}
