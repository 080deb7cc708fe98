// gst-tsrec: the page of the service: the recordings that run, and how one is started
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { ask, whenAllowed } from './api.js';
import { Publisher } from './whip.js';

const REFRESH = 1000;
const $ = (id) => document.getElementById(id);
const publishers = new Map(); // id → Publisher of this page
let events = null; // EventSource
let marked = false; // the options that this server lacks

const WITH_URL = ['whep', 'livekit', 'uri'];
const WITH_TOKEN = ['whep', 'livekit'];

const EVENTS = ['started', 'state', 'publisher-connected', 'publisher-disconnected', 'alert-raised',
  'alert-cleared', 'disk-full', 'disk-recovered', 'closed'];
let watchFile = null; // see onWatch()

// func(path) plays the file of an active recording; false: it is not there yet.
export const onWatch = (func) => { watchFile = func; };

const STATES = {
  'waiting': 'waiting for a publisher', 'connecting': 'connecting', 'recording': 'recording',
  'stalled': 'stalled', 'disk-full': 'disk full', 'stopping': 'stopping',
};

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function facts(status) {
  const { stats } = status;
  const shown = [clock(status.duration_seconds), `${(status.file_size_bytes / 1e6).toFixed(1)} MB`];
  if (status.is_recording)
    shown.push(`${(stats.bitrate_bps / 1e6).toFixed(1)} Mbit/s`, `streak ${stats.zero_packet_streak}`);
  return [...shown, ...status.tracks.map((track) => track.codec)].join(' · ');
}

function make(id) {
  const item = document.createElement('li');
  item.id = `running-${id}`;
  item.append(...['name', 'state', 'facts', 'alert'].map((name) => {
    const part = document.createElement('span');
    part.className = name;
    return part;
  }));
  item.querySelector('.name').textContent = id;
  item.append(button('Watch', id, () => preview(id)), button('Stop', id, (stop) => end(id, stop)));
  return item;
}

function button(text, id, func) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.className = text.toLowerCase();
  made.setAttribute('aria-label', `${text} ${id}`);
  made.onclick = () => func(made);
  return made;
}

async function preview(id) {
  const status = await ask('GET', `/api/recording/status/${encodeURIComponent(id)}`);
  if (!status.output_path || !await watchFile(status.output_path))
    say(`${id}: nothing has been recorded yet.`);
}

function put(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

function showState(item, state) {
  item.dataset.state = state;
  put(item.querySelector('.state'), STATES[state] ?? state);
}

function update(item, status) {
  const alert = status.alerts.find(({ where }) => where === 'disk') ?? status.alerts[0];
  const problem = alert?.text ?? status.fault ?? status.warning ?? '';
  showState(item, status.state);
  item.querySelector('.watch').hidden = !status.is_recording;
  put(item.querySelector('.facts'), facts(status));
  put(item.querySelector('.alert'), problem);
}

function show(recordings) {
  const list = $('running');
  const ids = Object.keys(recordings).sort();
  for (const item of [...list.children]) {
    if (!ids.includes(item.id.slice('running-'.length)))
      item.remove();
  }
  for (const id of ids) {
    let item = document.getElementById(`running-${id}`);
    if (!item)
      list.append(item = make(id));
    update(item, recordings[id]);
  }
  $('idle').hidden = ids.length > 0;
}

// A server that only shows recordings makes and deletes none.
function take({ ingest, recordings }) {
  $('service').hidden = !ingest;
  document.body.classList.toggle('ingest', ingest);
  if (!ingest) {
    clearInterval(timer);
    return;
  }
  show(recordings);
  if (!marked) {
    marked = true;
    markMissing().catch(() => { marked = false; });
  }
  subscribe();
}

// What this server lacks can be seen in the form, and not be chosen.
async function markMissing() {
  const { formats, sources } = await ask('GET', '/api/recording/formats');
  const { kind, format } = $('start-form').elements;
  const mark = (option, row) => {
    if (!row || row.available || option.disabled)
      return;
    option.disabled = true;
    option.textContent += ` (needs ${row.missing})`;
  };
  for (const option of format.options)
    mark(option, formats?.find(({ name }) => name === option.value));
  for (const option of kind.options) {
    const type = WITH_URL.includes(option.value) ? option.value : 'whip';
    mark(option, sources?.find((source) => source.type === type));
  }
}

// Changes are shown when they happen, and figures once a second.
function subscribe() {
  if (events && events.readyState !== EventSource.CLOSED)
    return;
  events = new EventSource('/api/events');
  for (const name of EVENTS)
    events.addEventListener(name, onEvent);
}

// The state is in the event, so a stall is shown before the next request.
function onEvent({ data }) {
  const { id, state } = JSON.parse(data);
  const item = document.getElementById(`running-${id}`);
  if (item && STATES[state])
    showState(item, state);
  refresh();
}

async function refresh() {
  if (document.hidden)
    return;
  try {
    const answer = await ask('GET', '/api/recording/active');
    if (answer.success)
      take(answer);
  } catch {
    // the list of files reports it
  }
}

async function end(id, button) {
  button.disabled = true;
  publishers.get(id)?.stop();
  publishers.delete(id);
  const answer = await ask('POST', '/api/recording/stop', { id });
  say(answer.success ? `${id}: ${answer.file_size_bytes} bytes, ${answer.output_path ?? 'nothing was recorded'}` : answer.detail);
  await refresh();
  $('running-title').focus(); // the button is gone
}

function say(text) {
  $('start-result').textContent = text;
}

function sourceOf(form) {
  const { kind, url, token } = form.elements;
  if (!WITH_URL.includes(kind.value))
    return undefined;
  return { type: kind.value, url: url.value, token: WITH_TOKEN.includes(kind.value) && token.value || undefined };
}

async function begin(form) {
  const { id, kind, format, quality } = form.elements;
  const answer = await ask('POST', '/api/recording/start', {
    id: id.value, output_format: format.value, video_quality: quality.value, source: sourceOf(form),
  });
  if (!answer.success)
    throw new Error(answer.detail);
  if (kind.value === 'camera' || kind.value === 'screen')
    publishers.set(id.value, await Publisher.start(id.value, kind.value));
  say(kind.value === 'whip' ? `Publish to ${answer.publish_url}` : answer.warning ?? '');
}

$('start-form').onsubmit = async (event) => {
  event.preventDefault();
  try {
    await begin(event.target);
  } catch (error) {
    say(error.message);
  }
  refresh();
};
$('kind').onchange = (event) => {
  $('url-field').hidden = !WITH_URL.includes(event.target.value);
  $('token-field').hidden = !WITH_TOKEN.includes(event.target.value);
};
addEventListener('pagehide', () => publishers.forEach((publisher) => publisher.stop()));
const timer = setInterval(refresh, REFRESH);
whenAllowed(refresh);
refresh();
