/* gst-tsrec: prints what the demuxer of hls.js finds in a transport stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One line a picture: PTS, DTS (90 kHz), bytes without the access unit
 * delimiter, a hash of them, key frame; one line an audio frame. */

import { createHash } from 'crypto';
import { readFileSync } from 'fs';
import TSDemuxer from './node_modules/hls.js/src/demux/tsdemuxer';

(globalThis as any).self = globalThis;
(globalThis as any).navigator ??= { userAgent: 'node' };

const observer: any = {
  emit (_: unknown, __: unknown, data: any) {
    if (data?.error)
      console.log ('error', String (data.error));
  },
};
const types: any = { mpeg: true, mp3: true, ac3: true };
const demuxer = new TSDemuxer (observer, {} as any, types);
demuxer.resetInitSegment (undefined as any, 'mp4a.40.2', 'avc1.42c00d', 0);
demuxer.resetTimeStamp ();
const bytes = new Uint8Array (readFileSync (process.argv[2]));
const result: any = demuxer.demux (bytes, 0, false, true);

for (const sample of result.videoTrack.samples) {
  const hash = createHash ('md5');
  let size = 0;

  for (const unit of sample.units) {
    if (unit.type === 9)
      continue;
    hash.update (unit.data);
    size += unit.data.length;
  }
  console.log ('video', sample.pts, sample.dts, size, hash.digest ('hex'),
      sample.key);
}
for (const sample of result.audioTrack.samples)
  console.log ('audio', Math.round (sample.pts), sample.unit.length);
