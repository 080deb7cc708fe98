// gst-tsrec: finds segment boundaries in a transport stream, for HLS playlists
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Used for recordings without a playlist, and for files dropped on the page. Field
// names and clauses are from ISO/IEC 13818-1. Every length that is read is checked.

const PACKET_SIZE = 188;
const SYNC_BYTE = 0x47;
const CLOCK = 90000;
const WRAP = 2 ** 33;
// A larger step between timestamps of a track is a discontinuity, not a pause.
const JUMP = 10 * CLOCK;
// An audio access unit may start an entry if there was no video for this time.
const SILENT_VIDEO = CLOCK;

// Table 2-34, and registered values
const STREAM_TYPES = {
  0x01: ['video', 'MPEG-1'], 0x02: ['video', 'MPEG-2'],
  0x1b: ['video', 'H.264'], 0x24: ['video', 'H.265'], 0x33: ['video', 'H.266'],
  0x03: ['audio', 'MPEG audio'], 0x04: ['audio', 'MPEG audio'],
  0x0f: ['audio', 'AAC'], 0x11: ['audio', 'AAC'],
  0x81: ['audio', 'AC-3'], 0x87: ['audio', 'E-AC-3'],
  0x15: ['data', 'metadata'],
};
// 2.6.8, registration_descriptor, for stream_type 6: private data
const REGISTRATIONS = {
  'Opus': ['audio', 'Opus'], 'AC-3': ['audio', 'AC-3'],
  'EAC3': ['audio', 'E-AC-3'], 'HEVC': ['video', 'H.265'],
  'KLVA': ['data', 'KLV'],
};

// Returns the ticks from a to b on a clock that wraps at 33 bits.
function difference(a, b) {
  const d = (((b - a) % WRAP) + WRAP) % WRAP;
  return d >= WRAP / 2 ? d - WRAP : d;
}

// 2.4.3.7: the 33 bits of a PTS or DTS
function timestamp(bytes, p) {
  return (bytes[p] >> 1 & 7) * 2 ** 30 + (bytes[p + 1] << 22) +
    ((bytes[p + 2] & 0xfe) << 14) + (bytes[p + 3] << 7) + (bytes[p + 4] >> 1);
}

function registrationOf(bytes, p, end) {
  while (p + 2 <= end) {
    const next = p + 2 + bytes[p + 1];
    if (bytes[p] === 0x05 && p + 6 <= Math.min(next, end))
      return String.fromCharCode(...bytes.subarray(p + 2, p + 6));
    p = next;
  }
  return '';
}

// Splits consecutive bytes into packets and reports PES packets and PATs.
export class TsReader {
  // onPes({ pid, kind, pts, dts, randomAccess, discontinuity, offset }) is
  // called at the start of each PES packet of a track; onPat(offset) at each PAT.
  constructor({ onPes, onPat = () => {}, offset = 0 }) {
    this.onPes = onPes;
    this.onPat = onPat;
    this.offset = offset; // of the first byte that is not parsed
    this.tracks = new Map(); // pid → { kind, codec }
    this.pmtPid = -1;
    this.broken = new Set(); // PIDs with a discontinuity_indicator since their last PES packet
    this.rest = new Uint8Array(0);
  }

  push(bytes) {
    if (this.rest.length > 0) {
      const joined = new Uint8Array(this.rest.length + bytes.length);
      joined.set(this.rest);
      joined.set(bytes, this.rest.length);
      bytes = joined;
    }
    let p = 0;
    while (p + PACKET_SIZE <= bytes.length) {
      if (bytes[p] !== SYNC_BYTE) {
        p = this.#findSync(bytes, p + 1);
        continue;
      }
      this.#packet(bytes, p, this.offset + p);
      p += PACKET_SIZE;
    }
    this.rest = bytes.slice(p);
    this.offset += p;
  }

  // Returns the position of the next sync_byte that is followed by another one
  // after a packet.
  #findSync(bytes, p) {
    for (; p < bytes.length; p++) {
      if (bytes[p] === SYNC_BYTE &&
          (p + PACKET_SIZE >= bytes.length || bytes[p + PACKET_SIZE] === SYNC_BYTE))
        return p;
    }
    return p;
  }

  #packet(bytes, p, offset) { // 2.4.3.2
    const pid = (bytes[p + 1] & 0x1f) << 8 | bytes[p + 2];
    const start = (bytes[p + 1] & 0x40) !== 0;
    const control = bytes[p + 3] >> 4 & 3;
    const end = p + PACKET_SIZE;
    let flags = 0;
    let payload = p + 4;

    if (control & 2) {
      if (bytes[p + 4] > 0)
        flags = bytes[p + 5];
      payload += 1 + bytes[p + 4];
    }
    if (flags & 0x80)
      this.broken.add(pid);
    if (!start || !(control & 1) || payload >= end)
      return;
    if (pid === 0)
      this.#pat(bytes, payload, end, offset);
    else if (pid === this.pmtPid)
      this.#pmt(bytes, payload, end);
    else if (this.tracks.has(pid))
      this.#pes(bytes, payload, end, { pid, flags, offset });
  }

  #pat(bytes, p, end, offset) { // 2.4.4.3
    p += 1 + bytes[p];
    if (p + 12 > end || bytes[p] !== 0)
      return;
    this.onPat(offset);
    const sectionEnd = Math.min(end, p + 3 + ((bytes[p + 1] & 0xf) << 8 | bytes[p + 2]) - 4);
    for (p += 8; p + 4 <= sectionEnd; p += 4) {
      if (bytes[p] || bytes[p + 1]) { // program_number 0 is the network PID
        this.pmtPid = (bytes[p + 2] & 0x1f) << 8 | bytes[p + 3];
        return;
      }
    }
  }

  #pmt(bytes, p, end) { // 2.4.4.8
    p += 1 + bytes[p];
    if (p + 12 > end || bytes[p] !== 2)
      return;
    const sectionEnd = Math.min(end, p + 3 + ((bytes[p + 1] & 0xf) << 8 | bytes[p + 2]) - 4);
    p += 12 + ((bytes[p + 10] & 0xf) << 8 | bytes[p + 11]);
    while (p + 5 <= sectionEnd) {
      const pid = (bytes[p + 1] & 0x1f) << 8 | bytes[p + 2];
      const infoEnd = p + 5 + ((bytes[p + 3] & 0xf) << 8 | bytes[p + 4]);
      const [kind, codec] = STREAM_TYPES[bytes[p]] ||
        REGISTRATIONS[registrationOf(bytes, p + 5, Math.min(infoEnd, end))] || ['data', 'data'];
      this.tracks.set(pid, { kind, codec });
      p = infoEnd;
    }
  }

  #pes(bytes, p, end, { pid, flags, offset }) { // 2.4.3.6
    if (p + 19 > end || bytes[p] || bytes[p + 1] || bytes[p + 2] !== 1 || !(bytes[p + 7] & 0x80))
      return;
    const pts = timestamp(bytes, p + 9);
    this.onPes({
      pid, offset, pts,
      kind: this.tracks.get(pid).kind,
      dts: bytes[p + 7] & 0x40 ? timestamp(bytes, p + 14) : pts,
      randomAccess: (flags & 0x40) !== 0,
      discontinuity: this.broken.delete(pid),
    });
  }
}

// The entries of a playlist. Each starts with a PAT, at a random access point.
export class TsIndex {
  // target: minimum duration of an entry, seconds. limit: seconds after which an
  // entry ends at the next PAT without a random access point, so that a growing
  // file keeps its target duration.
  constructor({ target = 2, limit = Infinity } = {}) {
    this.target = target * CLOCK;
    this.limit = limit * CLOCK;
    this.entries = []; // { offset, length, duration (s), discontinuity }
    this.open = null; // the incomplete entry: { offset, time, discontinuity }
    this.patOffset = -1;
    this.patFresh = false; // no PES packet has started since the PAT
    this.clock = null; // last PTS, without wraps
    this.last = new Map(); // pid → DTS
    this.seen = new Set(); // PIDs in the open entry
    this.latest = 0; // highest PTS of the open entry
    this.videoTime = -Infinity;
    this.broken = false;
    this.reader = new TsReader({
      onPat: (offset) => { this.patOffset = offset; this.patFresh = true; },
      onPes: (pes) => this.#pes(pes),
    });
  }

  get tracks() { return [...this.reader.tracks.values()]; }
  get offset() { return this.reader.offset; }
  get longest() { return this.entries.reduce((max, e) => Math.max(max, e.duration), 0); }

  push(bytes) { this.reader.push(bytes); }

  // Returns the incomplete entry as if the file ended at byte size; or null.
  lastEntry(size) {
    if (!this.open)
      return null;
    const length = Math.floor((size - this.open.offset) / PACKET_SIZE) * PACKET_SIZE;
    const duration = (this.latest - this.open.time) / CLOCK + 0.04;
    return length > 0 ? { ...this.#entry(length), duration } : null;
  }

  duration(size) {
    const all = this.entries.reduce((sum, e) => sum + e.duration, 0);
    return all + (this.lastEntry(size)?.duration ?? 0);
  }

  #entry(length) {
    const { offset, discontinuity } = this.open;
    return { offset, length, discontinuity };
  }

  #pes(pes) {
    const previous = this.last.get(pes.pid);
    const step = previous === undefined ? 0 : difference(previous, pes.dts);
    this.last.set(pes.pid, pes.dts);
    // A discontinuity that several tracks report is counted once.
    const known = this.open?.discontinuity && !this.seen.has(pes.pid);
    this.seen.add(pes.pid);
    if (!known && (pes.discontinuity || step > JUMP || step < 0))
      this.broken = this.open !== null;
    this.clock = this.clock === null ? pes.pts
      : this.clock + difference(this.clock, pes.pts);
    const time = this.clock;

    if (pes.kind !== 'data')
      this.#consider(pes, time);
    if (pes.kind === 'video')
      this.videoTime = time;
    if (!this.broken)
      this.latest = Math.max(this.latest, time);
    this.patFresh = false;
  }

  #consider(pes, time) {
    if (!this.open) {
      if (this.patOffset >= 0)
        this.#start(time, false);
      return;
    }
    const age = time - this.open.time;
    const silentVideo = Math.abs(time - this.videoTime) >= SILENT_VIDEO;
    const randomAccess = pes.kind === 'video' ? pes.randomAccess : this.patFresh && silentVideo;
    const wanted = this.broken || age >= this.target;
    if (this.patOffset <= this.open.offset ||
        !(randomAccess && wanted || this.patFresh && age >= this.limit))
      return;
    const end = this.broken ? this.latest + CLOCK / 25 : time;
    this.entries.push({
      ...this.#entry(this.patOffset - this.open.offset),
      duration: Math.max(end - this.open.time, 1) / CLOCK,
    });
    this.#start(time, this.broken);
  }

  #start(time, discontinuity) {
    this.open = { offset: this.patOffset, time, discontinuity };
    this.seen.clear();
    this.latest = time;
    this.broken = false;
  }
}

// RFC 8216: returns the media playlist of the entries, all in the file at uri.
export function playlistOf(entries, { uri, targetDuration, ended }) {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:4', `#EXT-X-TARGETDURATION:${targetDuration}`,
    '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-PLAYLIST-TYPE:EVENT'];
  for (const entry of entries) {
    if (entry.discontinuity)
      lines.push('#EXT-X-DISCONTINUITY');
    lines.push(`#EXTINF:${entry.duration.toFixed(6)},`,
      `#EXT-X-BYTERANGE:${entry.length}@${entry.offset}`, uri);
  }
  if (ended)
    lines.push('#EXT-X-ENDLIST');
  return lines.join('\n') + '\n';
}

// 4.3.3.1: returns the maximum of the durations, rounded to the nearest integer.
export function targetDurationOf(entries, least = 1) {
  return entries.reduce((max, e) => Math.max(max, Math.round(e.duration)), least);
}
