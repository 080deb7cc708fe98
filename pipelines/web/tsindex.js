// gst-tsrec: finds in a transport stream where a player may start
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A random access point of our recordings is a PAT (PID 0) that is followed,
// before any other PES packet, by a PES packet whose adaptation field has the
// random_access_indicator (ISO/IEC 13818-1, 2.4.3.5), in a video stream where
// there is one. Between two of them lies an entry of an HLS playlist.

const PACKET = 188;
const PTS_WRAP = 2 ** 33;

function pts(bytes, at) {
  return (bytes[at] >> 1 & 7) * 2 ** 30 + (bytes[at + 1] << 22 | (bytes[at + 2] >> 1) << 15 |
    bytes[at + 3] << 7 | bytes[at + 4] >> 1);
}

export class TsIndex {
  // target: how long an entry should be at least, seconds.
  constructor(target = 2) {
    this.target = target;
    this.entries = []; // { offset, size, duration }
    this.start = null; // { offset, time } of the entry that is open
    this.pat = null; // offset of a PAT that no PES packet has followed yet
    this.hasVideo = false;
    this.last = null; // time of the last PES packet, of any stream
    this.partial = new Uint8Array(0);
    this.offset = 0; // of `partial` in the file
  }

  // The next bytes of the file. Returns false when they are not packets.
  push(bytes) {
    const joined = new Uint8Array(this.partial.length + bytes.length);
    joined.set(this.partial);
    joined.set(bytes, this.partial.length);
    let at = 0;
    for (; at + PACKET <= joined.length; at += PACKET) {
      if (joined[at] !== 0x47)
        return false;
      this.packet(joined, at, this.offset + at);
    }
    this.partial = joined.slice(at);
    this.offset += at;
    return true;
  }

  packet(bytes, at, offset) {
    const pid = (bytes[at + 1] & 0x1f) << 8 | bytes[at + 2];
    if ((bytes[at + 1] & 0x40) === 0)
      return; // payload_unit_start_indicator
    if (pid === 0) {
      this.pat ??= offset;
      return;
    }
    const adaptation = (bytes[at + 3] & 0x20) !== 0 ? bytes[at + 4] + 1 : 0;
    const payload = at + 4 + adaptation;
    if (payload + 14 > at + PACKET || bytes[payload] !== 0 || bytes[payload + 1] !== 0 ||
        bytes[payload + 2] !== 1)
      return; // a section
    const isVideo = (bytes[payload + 3] & 0xf0) === 0xe0;
    const randomAccess = adaptation > 1 && (bytes[at + 5] & 0x40) !== 0;
    this.hasVideo ||= isVideo;
    if ((bytes[payload + 7] & 0x80) !== 0)
      this.pes(offset, pts(bytes, payload + 9), randomAccess && (isVideo || !this.hasVideo));
  }

  pes(offset, time, randomAccess) {
    const pat = this.pat;
    this.pat = null;
    this.last = time;
    if (pat === null || !randomAccess)
      return;
    if (this.start && this.elapsed(time) < this.target)
      return;
    this.close(pat, time);
    this.start = { offset: pat, time };
  }

  elapsed(time) {
    return ((time - this.start.time + PTS_WRAP) % PTS_WRAP) / 90000;
  }

  close(end, time) {
    if (this.start && end > this.start.offset) {
      this.entries.push({ offset: this.start.offset, size: end - this.start.offset,
        duration: this.elapsed(time) });
    }
  }

  // The file ends here.
  finish() {
    if (this.last !== null)
      this.close(this.offset, this.last);
  }

  playlist(uri) {
    const longest = Math.max(this.target, ...this.entries.map((entry) => entry.duration));
    return ['#EXTM3U', '#EXT-X-VERSION:4', `#EXT-X-TARGETDURATION:${Math.ceil(longest)}`,
      '#EXT-X-PLAYLIST-TYPE:VOD',
      ...this.entries.flatMap((entry) => [`#EXTINF:${entry.duration.toFixed(6)},`,
        `#EXT-X-BYTERANGE:${entry.size}@${entry.offset}`, uri]),
      '#EXT-X-ENDLIST', ''].join('\n');
  }
}
