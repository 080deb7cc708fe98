// gst-tsrec: the page of pipelines/serve: the list, the buttons, the drop
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { Player } from './player.js';

const REFRESH = 2000;
const $ = (id) => document.getElementById(id);
const video = $('video');
let recordings = [];
let current = null; // the recording that is playing: { name, growing, … } or a File

const player = new Player(video, (kind, text) => {
  $(kind).textContent = text;
  if (kind !== 'state')
    $(kind).hidden = text === '';
});

function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds))
    return '–';
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; bytes >= 999.5 && unit < units.length - 1; unit++)
    bytes /= 1000;
  return `${bytes >= 100 || unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function age(seconds) {
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [unit, length] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (seconds >= length)
      return format.format(-Math.floor(seconds / length), unit);
  }
  return 'just now';
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function row(recording, now) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  const facts = element('span', 'facts', '');
  link.href = `#${encodeURIComponent(recording.name)}`;
  link.append(element('span', 'name', recording.name), facts);
  const when = element('time', recording.growing ? 'growing' : '',
    recording.growing ? 'recording now' : age(now - recording.modified));
  when.dateTime = new Date(recording.modified * 1000).toISOString();
  when.title = new Date(recording.modified * 1000).toLocaleString();
  facts.append(when, element('span', '', duration(recording.duration)), element('span', '', size(recording.bytes)));
  if (recording.fragments)
    facts.append(element('span', '', `${recording.fragments} files`));
  if (recording.tracks.length)
    facts.append(element('span', '', recording.tracks.join(' + ')));
  item.append(link);
  return item;
}

// Replaces only rows that have changed, so that the focus is kept.
function show(now) {
  const list = $('list');
  const rows = recordings.map((recording) => row(recording, now));
  rows.forEach((fresh, i) => {
    const link = fresh.firstChild;
    if (recordings[i].name === current?.name && !(current instanceof File))
      link.setAttribute('aria-current', 'true');
    const old = list.children[i];
    if (!old)
      list.append(fresh);
    else if (old.firstChild.href === link.href)
      updateLink(old.firstChild, link);
    else
      old.replaceWith(fresh);
  });
  while (list.children.length > rows.length)
    list.lastChild.remove();
  $('empty').hidden = rows.length > 0;
}

function updateLink(old, fresh) {
  if (old.innerHTML !== fresh.innerHTML)
    old.replaceChildren(...fresh.childNodes);
  if (fresh.hasAttribute('aria-current'))
    old.setAttribute('aria-current', 'true');
  else
    old.removeAttribute('aria-current');
}

async function refresh() {
  try {
    const response = await fetch('/api/recordings', { signal: AbortSignal.timeout(10000) });
    const listed = await response.json();
    recordings = listed.recordings;
    $('folder').textContent = listed.folder;
    $('offline').hidden = true;
    follow();
    show(listed.now);
  } catch {
    $('offline').hidden = false;
  }
}

// The recording that plays may have ended, or continued after a pause that looked
// like its end.
function follow() {
  if (!current || current instanceof File)
    return;
  const now = recordings.find((recording) => recording.name === current.name);
  if (!now)
    return;
  if (now.growing && !current.growing && player.hls && !player.isLive)
    player.play(now, video.currentTime);
  current = now;
}

function open() {
  const name = decodeURIComponent(location.hash.slice(1));
  const recording = recordings.find((r) => r.name === name);
  if (!recording || recording.name === current?.name)
    return;
  current = recording;
  watch(recording.name);
  player.play(recording);
  refresh();
}

function watch(title) {
  $('watch').hidden = false;
  $('title').textContent = title;
  document.title = `${title} – Recordings`;
  $('title').focus();
}

function openFile(file) {
  if (!file)
    return;
  current = file;
  history.replaceState(null, '', location.pathname);
  watch(file.name);
  player.playFile(file);
  refresh();
}

function seek(seconds) {
  const { seekable } = video;
  if (seekable.length === 0)
    return;
  const last = seekable.end(seekable.length - 1);
  // 1 ms: hls.js finds no segment if rounding gives a time before the first one
  video.currentTime = Math.min(Math.max(seconds, seekable.start(0) + 0.001), last);
  video.play().catch(() => {});
}

function tick() {
  const live = player.isLive;
  const behind = player.behind;
  const following = live && behind !== null && behind < 15;
  $('live').hidden = !live;
  $('live').setAttribute('aria-pressed', String(following));
  $('live').textContent = following ? 'Live' : 'Go live';
  const text = live && behind !== null
    ? `${duration(video.currentTime)}, ${Math.round(behind)} s behind`
    : `${duration(video.currentTime)} of ${duration(video.duration)}`;
  if ($('clock').textContent !== text)
    $('clock').textContent = text;
}

$('start').onclick = () => seek(0);
$('back').onclick = () => seek(video.currentTime - 10);
$('forward').onclick = () => seek(video.currentTime + 10);
$('live').onclick = () => seek(player.livePosition ?? 0);
$('file').onchange = (event) => openFile(event.target.files[0]);

let inside = 0; // dragenter and dragleave are sent for every element below the pointer
const dropping = (change) => {
  inside = change === 0 ? 0 : Math.max(0, inside + change);
  document.body.classList.toggle('dropping', inside > 0);
};
addEventListener('dragenter', (event) => { event.preventDefault(); dropping(1); });
addEventListener('dragleave', () => dropping(-1));
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  dropping(0);
  openFile(event.dataTransfer.files[0]);
});
addEventListener('hashchange', open);
setInterval(tick, 250);
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH);
await refresh();
open();
