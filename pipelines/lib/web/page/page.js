// gst-tsrec: the page of the service: the list of files, the player, the drop
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { ask, whenAllowed } from './api.js';
import { Player } from './player.js';
import { onWatch } from './service.js';

const REFRESH = 2000;
const PAGE = 50; // files in the list
const $ = (id) => document.getElementById(id);
const video = $('video');
let recordings = [];
let offset = 0; // of the page of the list that is shown
let total = 0;
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
  facts.append(when, element('span', '', duration(recording.duration_seconds ?? null)), element('span', '', size(recording.file_size_bytes)));
  if (recording.fragments)
    facts.append(element('span', '', `${recording.fragments} files`));
  if (recording.tracks?.length)
    facts.append(element('span', '', recording.tracks.join(' + ')));
  item.append(link, actions(recording));
  return item;
}

const encoded = (name) => name.split('/').map(encodeURIComponent).join('/');

function download(recording, format, url) {
  const link = element('a', 'button', `Download ${format}`);
  link.href = url;
  link.download = '';
  link.setAttribute('aria-label', `Download ${format}: ${recording.name}`);
  return link;
}

// MPEG-TS can be downloaded as MP4, too: the server remuxes it.
function downloads(recording) {
  const { name, url } = recording;
  const format = name.split('.').pop().toUpperCase();
  const links = [download(recording, format, url)];
  if (format === 'TS')
    links.push(download(recording, 'MP4', `/api/recordings/${encoded(name)}/clip?format=mp4`));
  return links;
}

function remover(recording) {
  const button = element('button', '', 'Delete');
  button.type = 'button';
  button.setAttribute('aria-label', `Delete ${recording.name}`);
  button.onclick = () => remove(recording.name);
  return button;
}

// Rows are kept while the list changes; data-state tells when to replace them.
function actions(recording) {
  const bar = element('div', 'actions', '');
  bar.dataset.state = `${recording.growing} ${recording.fragments ?? 0}`;
  if (!recording.fragments)
    bar.append(...downloads(recording));
  if (!recording.growing && !recording.fragments)
    bar.append(remover(recording));
  return bar;
}

async function remove(name) {
  if (!window.confirm(`Delete ${name}? This cannot be undone.`))
    return;
  const answer = await ask('DELETE', `/api/recordings/${encoded(name)}`);
  if (!answer.success)
    window.alert(answer.detail);
  await refresh();
  $('list-title').focus(); // the button is gone
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
    else if (old.firstChild.href === link.href && old.lastChild.dataset.state === fresh.lastChild.dataset.state)
      updateLink(old.firstChild, link);
    else
      old.replaceWith(fresh);
  });
  while (list.children.length > rows.length)
    list.lastChild.remove();
  $('empty').hidden = total > 0;
  $('pages').hidden = total <= PAGE;
  $('newer').disabled = offset === 0;
  $('older').disabled = offset + PAGE >= total;
  const text = `${offset + 1}–${offset + rows.length} of ${total}`;
  if ($('shown').textContent !== text)
    $('shown').textContent = text;
}

async function turn(by) {
  offset = Math.max(0, offset + by);
  await refresh();
  $('list-title').focus();
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
    const listed = await ask('GET', `/api/recordings?limit=${PAGE}&offset=${offset}`);
    if (!listed.success) {
      $('offline').textContent = listed.detail;
      $('offline').hidden = false;
      return;
    }
    ({ recordings, total } = listed);
    $('folder').textContent = listed.folder;
    $('offline').hidden = true;
    if (recordings.length === 0 && total > 0) { // the last page has been deleted
      offset = Math.max(0, offset - PAGE);
      await refresh();
      return;
    }
    await follow();
    show(listed.now);
  } catch {
    $('offline').textContent = 'The server does not respond. Trying again.';
    $('offline').hidden = false;
  }
}

// Returns the recording, also if it is on another page of the list.
async function find(name) {
  const listed = recordings.find((recording) => recording.name === name);
  if (listed || !name)
    return listed;
  const answer = await ask('GET', `/api/recordings?name=${encodeURIComponent(name)}`);
  return answer.recordings?.[0];
}

// The recording that plays may have ended, or continued after a pause that looked
// like its end.
async function follow() {
  const before = current;
  if (!current || current instanceof File)
    return;
  const now = await find(current.name);
  if (!now || before !== current)
    return;
  if (now.growing && !current.growing && player.hls && !player.isLive)
    player.play(now, video.currentTime);
  current = now;
}

async function open() {
  const name = decodeURIComponent(location.hash.slice(1));
  const recording = await find(name);
  if (!recording || recording.name === current?.name)
    return;
  current = recording;
  watch(recording.name);
  player.play(recording);
  refresh();
}

// Plays the file of an active recording. Files of a recording in fragments are
// listed by the name of their playlist.
async function preview(path) {
  const { recordings: newest } = await ask('GET', `/api/recordings?limit=${PAGE}`);
  const recording = newest?.find(({ name, fragments }) => (fragments
    ? path.split('/').pop().startsWith(name.split('/').pop().replace(/\.m3u8$/, ''))
    : path.endsWith(`/${name}`)));
  if (!recording)
    return false;
  if (current?.name === recording.name)
    watch(recording.name);
  location.hash = encodeURIComponent(recording.name);
  return true;
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
$('newer').onclick = () => turn(-PAGE);
$('older').onclick = () => turn(PAGE);
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
whenAllowed(refresh);
onWatch(preview);
await refresh();
open();
