// gst-tsrec: plays recordings from the server, also growing ones, and local files
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { playlistOf, targetDurationOf, TsIndex } from './tsindex.js';

// Loaded when it is needed first: the page does not wait for it, and works without.
let Hls = null;

// Distance of the player to the end of a growing recording, seconds. Entries of
// 2 s are added one by one, and a key frame may be late.
export const BEHIND = 10;
// Stalled playback is moved forward after this time, ms.
const STANDSTILL = 1500;
// If playback stalls because a track was muted for longer than this, s, most of
// the muted time is skipped.
const LONG = 60;
const LOCAL = 'local://disk/';
const CHUNK = 4 << 20;

const RETRY = { maxNumRetry: 60, retryDelayMs: 1000, maxRetryDelayMs: 4000 };
const POLICY = {
  default: { maxTimeToFirstByteMs: 20000, maxLoadTimeMs: 60000, timeoutRetry: RETRY, errorRetry: RETRY },
};

// Loads the dropped file for hls.js, in place of the network.
function loaderFor(file, playlist) {
  return class LocalLoader {
    constructor() {
      const span = () => ({ start: 0, first: 0, end: 0 });
      this.stats = {
        aborted: false, loaded: 0, total: 0, retry: 0, chunkCount: 0, bwEstimate: 0,
        loading: span(), parsing: { start: 0, end: 0 }, buffering: span(),
      };
    }

    async load(context, config, callbacks) {
      const { stats } = this;
      stats.loading.start = performance.now();
      try {
        // hls.js does not support an answer before its call of load() has returned
        await new Promise((resolve) => { setTimeout(resolve); });
        const data = context.url.endsWith('.m3u8') ? playlist
          : await file.slice(context.rangeStart, context.rangeEnd).arrayBuffer();
        if (stats.aborted)
          return;
        stats.loading.first = stats.loading.end = performance.now();
        stats.loaded = stats.total = data.byteLength ?? data.length;
        callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null);
      } catch (error) {
        callbacks.onError({ code: 0, text: error.message }, context, null, stats);
      }
    }

    abort() { this.stats.aborted = true; }
    destroy() { this.abort(); }
    getCacheAge() { return null; }
    getResponseHeader() { return null; }
  };
}

async function indexOf(file, onProgress) {
  const index = new TsIndex();
  for (let at = 0; at < file.size; at += CHUNK) {
    index.push(new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer()));
    onProgress(Math.min(1, (at + CHUNK) / file.size));
  }
  const last = index.lastEntry(file.size);
  return { tracks: index.tracks.map((t) => t.codec), entries: last ? [...index.entries, last] : index.entries };
}

// Moves playback forward if it stalls before a hole in the buffer. Examples: the
// video stopped before the audio, or a seek to 0 if the first picture is at 0.1
// (such a seek never ends).
class Skipper {
  constructor(player) {
    this.player = player;
    this.time = -1;
    this.since = 0;
  }

  look(now) {
    const { video, hls } = this.player;
    const playing = hls && !video.paused && !video.ended;
    if (!playing || video.currentTime !== this.time) {
      this.time = video.currentTime;
      this.since = now;
    } else if (now - this.since > STANDSTILL) {
      this.since = now;
      this.#skip(video);
    }
  }

  #skip(video) {
    const at = video.currentTime;
    for (let i = 0; i < video.buffered.length; i++) {
      const [start, end] = [video.buffered.start(i), video.buffered.end(i)];
      const hole = start > at && (start < at + 1 || !video.seeking);
      if (hole || (start <= at && end > at + 1.5 && !video.seeking)) {
        video.currentTime = Math.max(hole ? at : at + 1, start + 0.05);
        return;
      }
    }
    // more audio than the browser buffers without video, or vice versa
    const { from, to } = this.player.lacking;
    if (at > from - 1 && to > at + LONG)
      video.currentTime = to - BEHIND;
  }
}

export class Player {
  // say(kind, text): kind is "state", "problem" or "note"; "" clears it.
  constructor(video, say) {
    this.video = video;
    this.say = say;
    this.hls = null;
    this.skipper = new Skipper(this);
    setInterval(() => this.skipper.look(performance.now()), 250);
    this.turn = 0; // number of the last request; older answers are dropped
    video.addEventListener('error', () => {
      if (!this.hls && video.error)
        this.say('problem', `The browser cannot play this: ${video.error.message || 'unknown format'}.`);
    });
  }

  get isLive() { return this.hls?.latestLevelDetails?.live ?? false; }

  // Position of the player while it follows the recording.
  get livePosition() { return this.hls?.liveSyncPosition ?? null; }

  // Seconds from the current picture to the end of the playlist.
  get behind() {
    const edge = this.hls?.latestLevelDetails?.edge;
    return edge === undefined ? null : Math.max(0, edge - this.video.currentTime);
  }

  stop() {
    this.turn += 1;
    this.begun = null;
    this.hls?.destroy();
    this.hls = null;
    if (this.objectUrl)
      URL.revokeObjectURL(this.objectUrl);
    this.objectUrl = null;
    this.video.removeAttribute('src');
    this.video.load();
    ['state', 'problem', 'note'].forEach((kind) => this.say(kind, ''));
  }

  // A recording of the server; at: seconds, or -1 for the live edge.
  play(recording, at = recording.growing ? -1 : 0) {
    this.stop();
    if (recording.playlist_url)
      this.#attach(recording.playlist_url, {}, at);
    else
      this.#native(recording.url);
    this.#noteOn(recording.tracks);
  }

  async playFile(file) {
    this.stop();
    const { turn } = this;
    if (!/\.(m?ts|m2t)$/i.test(file.name) && file.type !== 'video/mp2t') {
      this.objectUrl = URL.createObjectURL(file);
      this.#native(this.objectUrl);
      return;
    }
    const { tracks, entries } = await indexOf(file, (done) => {
      if (turn === this.turn)
        this.say('state', `Reading ${file.name}: ${Math.floor(done * 100)} %`);
    });
    if (turn !== this.turn)
      return;
    this.say('state', '');
    if (entries.length === 0) {
      this.say('problem', `"${file.name}" has no video and no audio that could be found: is it MPEG-TS?`);
      return;
    }
    const playlist = playlistOf(entries, { uri: 'file.ts', ended: true, targetDuration: targetDurationOf(entries) });
    this.#attach(`${LOCAL}file.m3u8`, { loader: loaderFor(file, playlist) }, 0);
    this.#noteOn(tracks);
  }

  #native(url) {
    this.video.src = url;
    this.#begin();
  }

  async #attach(url, config, at) {
    const { turn } = this;
    try {
      Hls ??= (await import('./hls.js')).default;
    } catch {
      this.say('problem', 'This server has no hls.js, which plays MPEG-TS. Download the recording instead.');
      return;
    }
    if (turn !== this.turn)
      return;
    if (!Hls.isSupported()) {
      this.video.src = url; // Safari on a phone plays HLS itself
      this.#begin();
      return;
    }
    const hls = new Hls({
      workerPath: '/hls.worker.js', liveSyncDuration: BEHIND, startPosition: at,
      backBufferLength: 60, enableInterstitialPlayback: false, maxBufferHole: 0.5,
      manifestLoadPolicy: POLICY, playlistLoadPolicy: POLICY, ...config,
    });
    this.hls = hls;
    this.recovered = 0;
    this.tracks = {};
    this.live = false;
    this.refused = false;
    this.lacking = { from: Infinity, to: 0 }; // loaded seconds without one of the tracks
    hls.on(Hls.Events.BUFFER_CREATED, (event, { tracks }) => { this.tracks = tracks; });
    hls.on(Hls.Events.FRAG_PARSED, (event, { frag }) => this.#parsed(frag));
    hls.on(Hls.Events.LEVEL_UPDATED, (event, { details }) => this.#updated(hls, details, config));
    hls.on(Hls.Events.ERROR, (event, data) => this.#error(hls, data, config));
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.#begin());
    hls.on(Hls.Events.MEDIA_ATTACHED, () => hls.loadSource(url));
    hls.attachMedia(this.video);
  }

  #begin() {
    this.video.play().catch(() => {
      if (this.video.paused && !this.video.error)
        this.say('state', 'Press play to start.');
    });
  }

  // hls.js does not get past segments without video or without audio (a muted
  // camera or microphone). If the segments are marked as a gap it continues, and
  // fills the gap with the next picture or with silence.
  #parsed(frag) {
    const { audio, video } = frag.elementaryStreams;
    if (!this.tracks.audio || !this.tracks.video || (audio && video))
      return;
    frag.gap = !frag.endList;
    const { from, to } = this.lacking;
    const goesOn = frag.start > from - 1 && frag.start < to + 1;
    this.lacking = { from: goesOn ? from : frag.start, to: frag.end };
  }

  // The recording has ended while a track was muted. To play the end, its last
  // segment must not be marked as a gap, so it is loaded again.
  #updated(hls, details, config) {
    const { live } = this;
    this.live = details.live;
    if (live && !details.live && details.fragments.at(-1)?.gap)
      this.#restart(hls, config, this.video.currentTime);
  }

  // hls.js must return from its event before it is destroyed.
  #restart(hls, config, at) {
    const { url } = hls;
    setTimeout(() => {
      if (hls !== this.hls)
        return;
      hls.destroy();
      this.#attach(url, config, at);
    });
  }

  #refuse(hls, mimeType) {
    const codec = /hvc1|hev1/.test(mimeType) ? 'H.265' : mimeType;
    this.refused = true;
    this.say('problem', `This browser cannot play the recording: it does not decode ${codec}.`);
    hls.stopLoad();
  }

  #error(hls, data, config) {
    if (hls !== this.hls || this.refused)
      return;
    if (data.details === Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR) {
      this.#refuse(hls, data.mimeType ?? '');
      return;
    }
    // One track begins later than the other. The browser cannot add a track during
    // playback, so playback restarts where both tracks are available.
    const { sourceBufferName: track, frag } = data;
    if (frag && track && !this.tracks[track] && this.begun !== frag.sn) {
      this.begun = frag.sn;
      this.#restart(hls, config, frag.start + Math.min(0.3, frag.duration / 2));
      return;
    }
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR)
      this.video.dataset.mediaErrors = Number(this.video.dataset.mediaErrors ?? 0) + (data.fatal ? 1 : 0);
    if (!data.fatal)
      return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.recovered++ < 3) {
      hls.recoverMediaError();
      return;
    }
    const body = data.networkDetails?.responseText ?? data.response?.text ?? '';
    this.say('problem', `Playback stopped: ${body.trim() || data.error?.message || data.details}.`
      .replace(/\.\.$/, '.'));
    hls.stopLoad();
  }

  #noteOn(tracks = []) {
    if (tracks.includes('Opus')) {
      this.say('note', 'Browsers do not play Opus audio from MPEG-TS, so this recording is silent here. ' +
        'ffplay and VLC play it, and pipelines/ts-to-mp4 makes an MP4 that keeps the audio.');
    }
  }
}
