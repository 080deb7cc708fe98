// gst-tsrec: the page of pipelines/serve
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import Hls from './hls.js';
import { TsIndex } from './tsindex.js';

const REFRESH_MS = 2000;
// Far enough behind what is being written for the next entry of the playlist
// to be there when the player needs it.
const LIVE_DELAY = 10;
const CHUNK = 4 << 20;

const $ = (id) => document.getElementById(id);
const video = $('video');
let hls = null;
let playing = null; // name of the recording in the player

// --- words

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; bytes >= 999.5 && unit < units.length - 1; unit++)
    bytes /= 1000;
  return `${bytes.toFixed(unit && bytes < 100 ? 1 : 0)} ${units[unit]}`;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function age(seconds) {
  for (const [length, unit] of [[86400, 'day'], [3600, 'hour'], [60, 'minute']]) {
    const n = Math.floor(seconds / length);
    if (n)
      return `${n} ${unit}${n > 1 ? 's' : ''} ago`;
  }
  return 'just now';
}

// --- the list

function element(tag, text, attributes = {}) {
  const node = Object.assign(document.createElement(tag), attributes);
  node.textContent = text;
  return node;
}

function newItem(name) {
  const item = document.createElement('li');
  item.dataset.name = name;
  const open = element('button', name, { type: 'button' });
  open.addEventListener('click', () => playRecording(item.recording));
  item.append(open, element('div', '', { className: 'facts' }));
  return item;
}

function updateItem(item, recording) {
  item.recording = recording;
  const facts = [
    element('span', size(recording.size)),
    element('span', recording.duration === null ? '' : clock(recording.duration)),
    recording.growing ? element('span', 'recording', { className: 'growing' }) :
      element('span', age(recording.age)),
    element('a', 'download', {
      href: url(recording.name), download: recording.name,
      ariaLabel: `download ${recording.name}` }),
  ];
  item.lastChild.replaceChildren(...facts.filter((fact) => fact.textContent));
  if (recording.name === playing)
    item.setAttribute('aria-current', 'true');
  else
    item.removeAttribute('aria-current');
}

// Items are kept, so that the keyboard focus stays where it is.
function showList(recordings) {
  const items = new Map([...$('list').children].map((item) => [item.dataset.name, item]));
  recordings.forEach((recording, index) => {
    const item = items.get(recording.name) ?? newItem(recording.name);
    items.delete(recording.name);
    updateItem(item, recording);
    if ($('list').children[index] !== item)
      $('list').insertBefore(item, $('list').children[index] ?? null);
  });
  for (const gone of items.values())
    gone.remove();
  $('empty').hidden = recordings.length > 0;
}

async function refresh() {
  try {
    const answer = await fetch('recordings.json');
    if (!answer.ok)
      throw new Error(await answer.text());
    showList(await answer.json());
  } catch {
    // The server is away; the list of before stays, and is tried again.
  }
  setTimeout(refresh, REFRESH_MS);
}

const url = (name) => new URL('recordings/' + encodeURIComponent(name), location.href).href;

// --- the player

function complain(text) {
  $('problem').textContent = text;
}

function openPlayer(title) {
  hls?.destroy();
  hls = null;
  complain('');
  video.removeAttribute('src');
  $('now-playing').textContent = title;
  $('player').hidden = false;
  $('to-live').hidden = true;
  $('position').textContent = '';
}

function playHls(source, config = {}) {
  if (!Hls.isSupported()) {
    // Safari plays playlists by itself.
    video.src = source;
    return video.play();
  }
  hls = new Hls({
    liveSyncDuration: LIVE_DELAY,
    liveMaxLatencyDuration: Infinity,
    liveDurationInfinity: false,
    backBufferLength: 60,
    ...config,
  });
  let recoveries = 0;
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal)
      return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && recoveries++ < 3)
      hls.recoverMediaError();
    else
      complain(`This recording cannot be played: ${data.details}. ` +
        'Your browser may not know its codecs; ffplay and VLC do.');
  });
  hls.on(Hls.Events.LEVEL_UPDATED, (_, data) => {
    $('to-live').hidden = !data.details.live;
  });
  hls.loadSource(source);
  hls.attachMedia(video);
  return video.play().catch(() => { /* the browser wants a click first */ });
}

function playRecording(recording) {
  playing = recording.name;
  openPlayer(recording.name);
  for (const item of $('list').children)
    updateItem(item, item.recording);
  if (recording.playlist)
    return playHls(url(recording.playlist));
  if (recording.name.endsWith('.ts'))
    return playIndexed(new RemoteFile(recording));
  video.src = url(recording.name);
  return video.play().catch(() => complain('Your browser cannot play this file.'));
}

function playLocal(file) {
  playing = null;
  openPlayer(file.name);
  return playIndexed(new LocalFile(file));
}

// --- files without a playlist: one is made by reading the file once

class LocalFile {
  constructor(file) {
    this.file = file;
    this.size = file.size;
  }

  read(begin, end) {
    return this.file.slice(begin, end).arrayBuffer();
  }
}

class RemoteFile {
  constructor(recording) {
    this.name = recording.name;
    this.size = recording.size;
  }

  async read(begin, end) {
    const answer = await fetch(url(this.name), { headers: { Range: `bytes=${begin}-${end - 1}` } });
    if (!answer.ok)
      throw new Error(await answer.text());
    return answer.arrayBuffer();
  }
}

async function playIndexed(file) {
  const index = new TsIndex();
  const title = $('now-playing').textContent;
  for (let at = 0; at < file.size; at += CHUNK) {
    const bytes = new Uint8Array(await file.read(at, Math.min(at + CHUNK, file.size)));
    if (!index.push(bytes))
      break;
    if ($('now-playing').textContent !== title)
      return; // something else is playing by now
    $('position').textContent = `reading ${Math.round(100 * (at + bytes.length) / file.size)} %`;
  }
  index.finish();
  $('position').textContent = '';
  if (index.entries.length === 0)
    return complain('This is not an MPEG transport stream with a start that can be played.');
  const text = index.playlist('file.ts');
  return playHls(new URL('local/file.m3u8', location.href).href, {
    loader: class extends Loader {
      constructor(config) {
        super(config, file, text);
      }
    },
  });
}

// The loader interface of hls.js, over a file that is read in ranges.
class Loader {
  constructor(_, file, text) {
    this.file = file;
    this.text = text;
    this.stats = newStats();
    this.context = null;
  }

  load(context, _, callbacks) {
    this.context = context;
    this.callbacks = callbacks;
    this.stats.loading.start = performance.now();
    this.fetch(context).then((data) => this.done(data), (error) => {
      if (!this.stats.aborted)
        callbacks.onError({ code: 0, text: error.message }, context, null, this.stats);
    });
  }

  async fetch(context) {
    if (context.responseType !== 'arraybuffer')
      return this.text;
    return this.file.read(context.rangeStart ?? 0, context.rangeEnd ?? this.file.size);
  }

  done(data) {
    if (this.stats.aborted)
      return;
    this.stats.loading.first = this.stats.loading.end = performance.now();
    this.stats.loaded = this.stats.total = data.byteLength ?? data.length;
    this.callbacks.onSuccess({ url: this.context.url, data, code: 200 }, this.stats, this.context, null);
  }

  abort() {
    this.stats.aborted = true;
  }

  destroy() {
    this.abort();
  }
}

function newStats() {
  const times = () => ({ start: 0, first: 0, end: 0 });
  return { aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0,
    loading: times(), parsing: { start: 0, end: 0 }, buffering: times() };
}

// --- what people do

$('to-start').addEventListener('click', () => {
  video.currentTime = video.seekable.length ? video.seekable.start(0) : 0;
  video.play();
});

$('to-live').addEventListener('click', () => {
  if (hls?.liveSyncPosition != null)
    video.currentTime = hls.liveSyncPosition;
  video.play();
});

video.addEventListener('timeupdate', () => {
  const behind = hls?.levels[hls.currentLevel]?.details?.live ? hls.latency : 0;
  $('position').textContent = clock(video.currentTime) +
    (behind > 0 ? `, ${Math.round(behind)} s behind` : '');
});

video.addEventListener('error', () => {
  if (video.src && video.error)
    complain(`This recording cannot be played: ${video.error.message || 'unknown codec'}.`);
});

$('file').addEventListener('change', () => {
  if ($('file').files.length)
    playLocal($('file').files[0]);
});

const drop = $('drop');
for (const kind of ['dragenter', 'dragover']) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
}
for (const kind of ['dragleave', 'drop'])
  drop.addEventListener(kind, () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length)
    playLocal(event.dataTransfer.files[0]);
});
// A file that misses the target must not replace the page.
for (const kind of ['dragover', 'drop'])
  addEventListener(kind, (event) => event.preventDefault());

refresh();
