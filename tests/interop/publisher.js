/* gst-tsrec: a WHIP publisher whose recording can be judged from the file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every picture carries a bar code of its number and of the time it was drawn,
 * every second begins with a beep whose pitch names it; both count from the
 * same instant, the load of this page. pattern.py is the reader.
 *
 * Everything a scenario does is a method of `publisher`, called from outside.
 */
'use strict';

const COLUMNS = 16;
const ROWS = 3;
const ROW_OF_HEIGHT = 8;
const BEEP_SECONDS = 0.1;
const BEEP_BASE = 500;
const BEEP_STEP = 125;
const BEEP_PITCHES = 16;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function crc8(bytes) {
  let crc = 0x5a;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++)
      crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  return crc;
}

class Picture {
  constructor(epoch) {
    this.epoch = epoch;
    this.canvas = document.getElementById('picture');
    this.context = this.canvas.getContext('2d', {willReadFrequently: false});
    this.sequence = 0;
    this.drawn = [];
    this.frozen = false;
    this.noise = Array.from({length: 8}, () => this.#noiseTile());
  }

  #noiseTile() {
    const tile = new ImageData(48, 32);
    for (let i = 0; i < tile.data.length; i += 4) {
      tile.data[i] = tile.data[i + 1] = tile.data[i + 2] = Math.random() * 256;
      tile.data[i + 3] = 255;
    }
    return tile;
  }

  draw() {
    const {width, height} = this.canvas;
    const now = Math.round(performance.now() - this.epoch) & 0xffffff;
    const number = this.sequence++ & 0xffff;
    this.drawn.push([number, now]);
    const bytes = [number >> 8, number & 0xff, now >> 16, (now >> 8) & 0xff, now & 0xff];
    bytes.push(crc8(bytes));
    this.context.fillStyle = '#456';
    this.context.fillRect(0, 0, width, height);
    const cellWidth = width / COLUMNS;
    const cellHeight = height / ROW_OF_HEIGHT;
    for (let i = 0; i < COLUMNS * ROWS; i++) {
      this.context.fillStyle = bytes[i >> 3] & (0x80 >> (i & 7)) ? '#fff' : '#000';
      this.context.fillRect((i % COLUMNS) * cellWidth, Math.floor(i / COLUMNS) * cellHeight,
          cellWidth + 1, cellHeight + 1);
    }
    const x = ((now / 10) % (width + 60)) - 60;
    this.context.fillStyle = '#fc0';
    this.context.fillRect(x, height * 0.5, 60, 60);
    this.context.putImageData(this.noise[number % this.noise.length],
        Math.floor(width / 2) - 24, height - 34);
  }
}

/* Hands a picture to the track every 40 ms. A late timer leaves pictures out
 * rather than bunching them, and `skipped` says how many. */
class VideoSource {
  constructor(picture, rate = 25) {
    this.picture = picture;
    this.interval = 1000 / rate;
    this.skipped = 0;
    this.start();
  }

  start() {
    this.generator = new MediaStreamTrackGenerator({kind: 'video'});
    this.track = this.generator;
    this.writer = this.generator.writable.getWriter();
    this.running = true;
    this.next = performance.now();
    this.#tick();
  }

  stop() {
    this.running = false;
    this.track.stop();
  }

  #tick() {
    if (!this.running)
      return;
    const now = performance.now();
    const late = Math.floor((now - this.next) / this.interval);
    if (late > 0) {
      this.skipped += late;
      this.next += late * this.interval;
    }
    this.next += this.interval;
    if (!this.picture.frozen) {
      this.picture.draw();
      const frame = new VideoFrame(this.picture.canvas,
          {timestamp: Math.round(performance.now() * 1000)});
      this.writer.write(frame).catch(() => {});
    }
    setTimeout(() => this.#tick(), Math.max(0, this.next - performance.now()));
  }
}

/* Beeps at full seconds since the epoch. The clock of the audio context is
 * compared with performance.now() all the time; it advances in steps, and the
 * smallest difference is the one right after a step. left: the right channel is
 * silent. */
class AudioSource {
  constructor(epoch, left) {
    this.epoch = epoch;
    this.context = new AudioContext({sampleRate: 48000});
    this.destination = this.context.createMediaStreamDestination();
    this.gain = this.context.createGain();
    this.gain.gain.value = 0.6;
    if (left) {
      const merger = this.context.createChannelMerger(2);
      this.gain.connect(merger, 0, 0);
      merger.connect(this.destination);
    } else {
      this.gain.connect(this.destination);
    }
    this.track = this.destination.stream.getAudioTracks()[0];
    this.differences = [];   // [performance.now() / 1000, difference]
    this.scheduled = -1;
    this.beeps = [];         // [second, time of the context]
    this.heard = [];         // [second, ms since the epoch when it really began]
    this.context.resume();
    this.timer = setInterval(() => this.#tick(), 15);
  }

  #tick() {
    const now = performance.now();
    this.differences.push([now / 1000, now / 1000 - this.context.currentTime]);
    if (this.differences.length > 200)
      this.differences.shift();
    this.#look(now / 1000);
    const second = Math.floor((now - this.epoch + 300) / 1000);
    if (second <= this.scheduled || this.differences.length < 20)
      return;
    this.scheduled = second;
    this.#beep(second);
  }

  /* When the clock of the context stutters, a beep comes later than it was
   * meant to; the times around it tell when it did. */
  #look(now) {
    while (this.beeps.length) {
      const [second, at] = this.beeps[0];
      const real = at + this.differences[this.differences.length - 1][1];
      if (now < real + 0.2)
        return;
      const near = this.differences.filter(([t]) => Math.abs(t - real) < 0.15).map(([, d]) => d);
      if (near.length)
        this.heard.push([second, (at + Math.min(...near)) * 1000 - this.epoch]);
      this.beeps.shift();
    }
  }

  #beep(second) {
    const difference = Math.min(...this.differences.slice(-40).map(([, d]) => d));
    const at = (this.epoch / 1000 + second) - difference;
    if (at < this.context.currentTime)
      return;
    this.beeps.push([second, at]);
    const oscillator = this.context.createOscillator();
    oscillator.frequency.value = BEEP_BASE + BEEP_STEP * (second % BEEP_PITCHES);
    oscillator.connect(this.gain);
    oscillator.start(at);
    oscillator.stop(at + BEEP_SECONDS);
  }
}

/* The part of a description for a fragment that restarts ICE (RFC 8840
 * section 9): the credentials and the first m-line with its candidates. */
function fragmentOf(sdp) {
  const [session, media] = sdp.split(/^(?=m=)/m);
  const lines = (session + media).split('\r\n').filter((line) =>
    /^(m=|a=(group|ice-options|ice-ufrag|ice-pwd|mid|candidate|end-of-candidates)\b)/.test(line));
  return lines.join('\r\n') + '\r\n';
}

/* Simulcast as it was before rids: the SSRC of the video becomes the smallest
 * of three layers, each with its stream of retransmissions. */
function withLayers(sdp) {
  const [, media, repair] = sdp.match(/^a=ssrc-group:FID (\d+) (\d+)/m).map(Number);
  const value = (name) => sdp.match(new RegExp(`^a=ssrc:${media} ${name}:(.*?)\r?$`, 'm'))[1];
  const cname = value('cname');
  const msid = value('msid');
  const layers = [0, 1, 2].map((i) => [media + i, repair + i]);
  const lines = [`a=ssrc-group:SIM ${layers.map(([ssrc]) => ssrc).join(' ')}`];
  for (const layer of layers.slice(1)) {
    lines.push(`a=ssrc-group:FID ${layer.join(' ')}`);
    for (const ssrc of layer)
      lines.push(`a=ssrc:${ssrc} cname:${cname}`, `a=ssrc:${ssrc} msid:${msid}`);
  }
  const at = sdp.indexOf('a=ssrc-group:FID');
  const end = sdp.indexOf('\r\nm=', at);
  return end < 0 ? sdp + lines.join('\r\n') + '\r\n' :
      sdp.slice(0, end + 2) + lines.join('\r\n') + '\r\n' + sdp.slice(end + 2);
}

/* The answer of a session with the credentials and candidates of a fragment. */
function withFragment(sdp, fragment) {
  const value = (name) => fragment.match(new RegExp(`^a=${name}:(.*?)\r?$`, 'm'))[1];
  const candidates = fragment.match(/^a=candidate:.*$/mg).map((line) => line.trim());
  const sections = sdp.split(/^(?=m=)/m).map((section, index) => {
    let lines = section.split('\r\n').filter((line) => line && !line.startsWith('a=candidate:'));
    lines = lines.map((line) => line.replace(/^(a=ice-(ufrag|pwd)):.*/,
        (_, key, name) => `${key}:${value('ice-' + name)}`));
    if (index === 1)
      lines.push(...candidates);
    return lines.join('\r\n') + '\r\n';
  });
  return sections.join('');
}

class Publisher {
  constructor() {
    this.epoch = performance.now();
    this.picture = new Picture(this.epoch);
    this.events = [];
  }

  note(event, detail = '') {
    this.events.push({time: (performance.timeOrigin + performance.now()) / 1000, event, detail});
  }

  /* options: audio, video, videoLate (sender without a track), codec (MIME
   * subtype), url, token, bitrate (bit/s), trickle, left (sound on the left
   * only), encodings (sendEncodings of simulcast), layers (simulcast of SSRCs
   * without names), size ([width, height]) */
  async start(options) {
    this.options = {audio: true, video: true, codec: 'H264', url: '/whip', ...options};
    if (this.options.size)
      this.size(...this.options.size);
    this.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    this.pc.onconnectionstatechange = () => this.note('connection', this.pc.connectionState);
    if (this.options.video)
      await this.#addVideo();
    if (this.options.audio)
      this.#addAudio();
    if (this.sources !== (this.sources = Boolean(this.audio) + 2 * Boolean(this.video)))
      await sleep(1000);      // a source that was just made stutters
    await this.#negotiate();
    await this.connected();
    if (this.options.bitrate)
      await this.encoding({maxBitrate: this.options.bitrate});
    return {location: this.location};
  }

  #addAudio() {
    this.audio ??= new AudioSource(this.epoch, this.options.left);
    this.audioSender = this.pc.addTransceiver(this.audio.track, {direction: 'sendonly'}).sender;
  }

  async #addVideo() {
    if (!this.options.videoLate)
      this.video ??= new VideoSource(this.picture);
    const transceiver = this.pc.addTransceiver(
        this.options.videoLate ? 'video' : this.video.track,
        {direction: 'sendonly', sendEncodings: this.options.encodings ?? []});
    this.videoSender = transceiver.sender;
    const codecs = RTCRtpSender.getCapabilities('video').codecs;
    const wanted = `video/${this.options.codec}`.toLowerCase();
    const chosen = codecs.filter((c) => c.mimeType.toLowerCase() === wanted);
    if (!chosen.length)
      throw new Error(`this browser does not send ${this.options.codec}`);
    transceiver.setCodecPreferences(
        [...chosen, ...codecs.filter((c) => /rtx$/i.test(c.mimeType))]);
  }

  async #negotiate() {
    const offer = await this.pc.createOffer();
    if (this.options.layers)
      offer.sdp = withLayers(offer.sdp);
    await this.pc.setLocalDescription(offer);
    while (this.pc.iceGatheringState !== 'complete')
      await sleep(10);
    const headers = {'Content-Type': 'application/sdp'};
    if (this.options.token)
      headers.Authorization = `Bearer ${this.options.token}`;
    this.note('post');
    const response = await fetch(this.options.url,
        {method: 'POST', headers, body: this.pc.localDescription.sdp});
    const body = await response.text();
    this.note('answer', String(response.status));
    if (response.status !== 201)
      throw new Error(`POST was answered ${response.status}: ${body}`);
    this.location = response.headers.get('Location');
    this.etag = response.headers.get('ETag');
    await this.pc.setRemoteDescription({type: 'answer', sdp: body});
  }

  /* RFC 9725 section 4.3.3; resolves when ICE is connected again. Returns both
   * sides' user name fragments. */
  async restartIce() {
    this.note('restartIce');
    const before = this.#selectedUfrags();
    this.pc.restartIce();
    await this.pc.setLocalDescription();
    while (this.pc.iceGatheringState !== 'complete')
      await sleep(10);
    const response = await fetch(this.location, {method: 'PATCH', body:
        fragmentOf(this.pc.localDescription.sdp), headers:
        {'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': this.etag}});
    const fragment = await response.text();
    if (response.status !== 200)
      throw new Error(`PATCH was answered ${response.status}: ${fragment}`);
    this.etag = response.headers.get('ETag');
    await this.pc.setRemoteDescription(
        {type: 'answer', sdp: withFragment(this.pc.currentRemoteDescription.sdp, fragment)});
    const after = this.#selectedUfrags();
    for (const end = performance.now() + 10000; performance.now() < end; await sleep(10)) {
      if (await this.#isUsing(after.local))
        return {before, after};
    }
    throw new Error(`ICE did not restart, but is "${this.pc.iceConnectionState}"`);
  }

  #selectedUfrags() {
    const ufrag = (description) => description.sdp.match(/^a=ice-ufrag:(.*?)\r?$/m)[1];
    return {local: ufrag(this.pc.localDescription), remote: ufrag(this.pc.remoteDescription)};
  }

  /* The candidate pair that carries the media was made by this user name. */
  async #isUsing(ufrag) {
    const stats = await this.pc.getStats();
    for (const transport of stats.values()) {
      const pair = transport.type === 'transport' && stats.get(transport.selectedCandidatePairId);
      if (pair && pair.state === 'succeeded' &&
          stats.get(pair.localCandidateId).usernameFragment === ufrag)
        return true;
    }
    return false;
  }

  async connected(timeout = 15000) {
    for (const end = performance.now() + timeout; performance.now() < end; await sleep(10)) {
      if (this.pc.connectionState === 'connected')
        return;
    }
    throw new Error(`not connected in ${timeout} ms, but "${this.pc.connectionState}"`);
  }

  /* ms since the epoch, as in the pictures */
  clock() {
    return performance.now() - this.epoch;
  }

  /* --- what scenarios do --- */

  enable(kind, on) {
    this.note(`enabled=${on}`, kind);
    (kind === 'video' ? this.video : this.audio).track.enabled = on;
  }

  async replace(kind, on) {
    this.note(`replaceTrack(${on ? 'track' : 'null'})`, kind);
    if (kind === 'video' && on)
      this.video ??= new VideoSource(this.picture);
    const sender = kind === 'video' ? this.videoSender : this.audioSender;
    const source = kind === 'video' ? this.video : this.audio;
    await sender.replaceTrack(on ? source.track : null);
  }

  stopTrack(kind) {
    this.note('stop', kind);
    if (kind === 'video')
      this.video.stop();
    else
      this.audio.track.stop();
  }

  freeze(on) {
    this.note(`frozen=${on}`);
    this.picture.frozen = on;
  }

  async encoding(changes) {
    this.note('encoding', JSON.stringify(changes));
    const parameters = this.videoSender.getParameters();
    Object.assign(parameters.encodings[0], changes);
    await this.videoSender.setParameters(parameters);
  }

  size(width, height) {
    this.note('size', `${width}x${height}`);
    this.picture.canvas.width = width;
    this.picture.canvas.height = height;
  }

  close() {
    this.note('close');
    this.pc.close();
  }

  async remove() {
    this.note('delete');
    const headers = this.options.token ? {Authorization: `Bearer ${this.options.token}`} : {};
    const response = await fetch(this.location, {method: 'DELETE', headers});
    this.pc.close();
    return response.status;
  }

  /* Counters of the sender. */
  async report() {
    const out = {events: this.events, skipped: this.video ? this.video.skipped : 0,
      drawn: this.picture.drawn,
      heard: this.audio ? this.audio.heard : [], state: this.pc.connectionState, sent: {}};
    for (const s of (await this.pc.getStats()).values()) {
      if (s.type === 'outbound-rtp') {
        out.sent[s.rid ? `${s.kind}-${s.rid}` : s.kind] = {packets: s.packetsSent, bytes: s.bytesSent,
          frames: s.framesEncoded, keyFrames: s.keyFramesEncoded, pli: s.pliCount,
          nack: s.nackCount, retransmitted: s.retransmittedPacketsSent,
          width: s.frameWidth, height: s.frameHeight, encoder: s.encoderImplementation,
          limited: s.qualityLimitationReason, target: s.targetBitrate};
      } else if (s.type === 'candidate-pair' && s.nominated) {
        out.roundTrip = s.currentRoundTripTime;
        out.available = s.availableOutgoingBitrate;
      }
    }
    return out;
  }
}

const publisher = new Publisher();
