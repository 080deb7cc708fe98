#!/usr/bin/python3
# gst-tsrec: an HLS playlist can be trusted at any moment
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import concurrent.futures
import hashlib
import json
import os
import random
import re
import subprocess
import time
import unittest

import e2e

READS = 200
RECORDERS = 3
# Until each recorder has so many entries they go on and are read.
ENTRIES = 10
RECORDER = (
    'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! '
    'timeoverlay ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max={gop} ! h264parse ! '
    'queue ! tsrecsink name=rec location={location} playlist-location={name}.m3u8 '
    'playlist-target-duration=1000000000 {extra} '
    'audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! queue ! rec.')


class Entry:
    def __init__(self, uri, offset, size, duration, discontinuity):
        self.uri, self.offset, self.size = uri, offset, size
        self.duration, self.discontinuity = duration, discontinuity

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return f'{self.size}@{self.offset} of {self.uri}'


class Playlist:
    """Strict: what RFC 8216 does not allow for this kind of list fails."""

    def __init__(self, text):
        lines = text.split('\n')
        assert lines[-1] == '', 'the last line is torn'
        assert lines[0] == '#EXTM3U', lines[0]
        self.entries, self.ended, self.dates = [], False, 0
        offset = size = duration = None
        discontinuity = False
        for line in lines[1:-1]:
            assert not self.ended, f'{line} follows the end'
            name, _, value = line.partition(':')
            if name == '#EXT-X-TARGETDURATION':
                self.target = int(value)
            elif name == '#EXT-X-VERSION':
                assert int(value) >= 4
            elif name == '#EXT-X-PLAYLIST-TYPE':
                assert value == 'EVENT'
            elif name == '#EXT-X-BYTERANGE':
                size, offset = map(int, value.split('@'))
            elif name == '#EXTINF':
                duration = float(value.rstrip(','))
            elif name == '#EXT-X-DISCONTINUITY':
                discontinuity = True
            elif name == '#EXT-X-PROGRAM-DATE-TIME':
                assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', value), value
                self.dates += 1
            elif name == '#EXT-X-ENDLIST':
                self.ended = True
            elif not line.startswith('#'):
                self.entries.append(Entry(line, offset or 0, size, duration, discontinuity))
                offset = size = duration = None
                discontinuity = False


def decode(data):
    """What is wrong with the bytes of one entry, or ""."""
    result = subprocess.run(
        ['ffprobe', '-v', 'error', '-of', 'json', '-f', 'mpegts', '-count_packets', '-count_frames',
         '-show_entries', 'stream=codec_type,nb_read_packets,nb_read_frames', '-'],
        input=data, capture_output=True, timeout=60, check=False)
    if result.returncode or result.stderr:
        return result.stderr.decode() or 'ffprobe failed'
    for stream in json.loads(result.stdout)['streams']:
        packets, frames = (int(stream.get('nb_read_' + what, 0)) for what in ('packets', 'frames'))
        if stream['codec_type'] == 'video' and not 0 < packets == frames:
            return f'{frames} pictures of {packets} access units'
    return ''


class Decoder:
    """Decodes each entry once, when it is first seen: while the recording goes
    on. What an entry names never changes, which is looked at in the end."""

    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.seen = {}

    def see(self, entry, data):
        digest = hashlib.sha256(data).digest()
        key = entry.uri, entry.offset, entry.size
        if key not in self.seen:
            self.seen[key] = digest, self.pool.submit(decode, data)
        assert self.seen[key][0] == digest, f'the bytes have changed: {entry}'

    def complaints(self):
        return {key: future.result() for key, (_, future) in self.seen.items() if future.result()}


class PlaylistTest(e2e.TestCase):
    def record(self, name='rec', gop=30, location='rec.ts', extra='', log=None):
        return self.launch(RECORDER.format(name=name, gop=gop, location=location, extra=extra), log or name)

    def read(self, name='rec'):
        """The playlist, after looking that all it says is true."""
        with open(self.path(f'{name}.m3u8'), encoding='utf-8') as file:
            playlist = Playlist(file.read())
        for entry in playlist.entries:
            path = self.path(entry.uri)
            size = e2e.size_of(path) - entry.offset if entry.size is None else entry.size
            self.assertGreater(size, 0, entry)
            self.assertEqual(size % e2e.TS_PACKET, 0, entry)
            self.assertLessEqual(entry.offset + size, e2e.size_of(path), entry)
            with open(path, 'rb') as file:
                file.seek(entry.offset)
                header = file.read(4)
            self.assertEqual((header[0], header[1] & 0x1f, header[2]), (0x47, 0, 0), f'no PAT: {entry}')
            self.assertLessEqual(round(entry.duration), playlist.target, entry)
        return playlist

    def wait_for_entries(self, number, name='rec'):
        return e2e.wait_for(lambda: os.path.exists(self.path(f'{name}.m3u8')) and
                            len(self.read(name).entries) >= number and self.read(name), f'{number} entries')

    def assert_extends(self, playlist, earlier):
        self.assertEqual(playlist.entries[:len(earlier.entries)], earlier.entries, 'an entry was changed')
        self.assertEqual(playlist.target, earlier.target, 'EXT-X-TARGETDURATION was changed')

    def bytes_of(self, entry):
        with open(self.path(entry.uri), 'rb') as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def assert_decodes_alone(self, entry):
        self.assertEqual(decode(self.bytes_of(entry)), '', entry)

    def assert_complete(self, playlist, location='rec.ts'):
        """Every byte once, in order."""
        at = 0
        for entry in playlist.entries:
            self.assertEqual(entry.offset, at)
            at += entry.size
        self.assertEqual(at, e2e.size_of(self.path(location)))

    def see(self, decoder, name, earlier):
        """Reads the playlist, and every entry that it names."""
        playlist = self.read(name)
        self.assert_extends(playlist, earlier)
        self.assertFalse(playlist.ended, 'a killed recorder cannot have ended it')
        for entry in playlist.entries:
            decoder.see(entry, self.bytes_of(entry))
        return playlist

    def test_it_is_true_at_200_random_moments_and_after_kill(self):
        moments = random.Random(7)
        decoder = Decoder()
        names = [f'rec-{number}' for number in range(RECORDERS)]
        recorders = {name: self.record(name, gop=moments.choice((15, 30, 50)), location=f'{name}.ts')
                     for name in names}
        earlier = {name: self.wait_for_entries(1, name) for name in names}
        reads = 0
        while reads < READS or min(len(p.entries) for p in earlier.values()) < ENTRIES:
            time.sleep(moments.random() * 0.1)
            name = moments.choice(names)
            earlier[name] = self.see(decoder, name, earlier[name])
            reads += 1
        live = len(decoder.seen)
        for name in names:
            time.sleep(moments.random())
            recorders[name].kill()
            earlier[name] = self.see(decoder, name, earlier[name])
            self.assertGreaterEqual(earlier[name].dates, 1)
        entries = {(e.uri, e.offset, e.size) for p in earlier.values() for e in p.entries}
        self.assertEqual(set(decoder.seen), entries)
        self.assertEqual(decoder.complaints(), {})
        print(f'{reads} reads, {live} entries decoded while they were recorded, '
              f'{len(entries)} of {RECORDERS} killed recordings in all')

    def test_it_is_complete_and_ended_by_ctrl_c(self):
        process = self.record()
        self.wait_for_entries(3)
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        playlist = self.read()
        self.assertTrue(playlist.ended)
        self.assert_complete(playlist)
        probe = e2e.Probe(self.path('rec.ts'))
        self.assertAlmostEqual(sum(e.duration for e in playlist.entries), probe.duration('h264'), delta=0.15)
        # and it plays, as a whole, in a player that is not ours
        result = subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-i', 'rec.m3u8', '-f', 'null', '-'],
                                cwd=self.folder, capture_output=True, timeout=60, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_it_goes_on_after_a_crash_and_a_resume(self):
        first = self.record(log='first')
        earlier = self.wait_for_entries(3)
        first.kill()
        earlier = self.read()
        second = self.record(log='second', extra='resume=true')
        e2e.wait_for(lambda: len(self.read().entries) >= len(earlier.entries) + 2, 'new entries')
        second.interrupt()
        self.assertEqual(second.wait(), 0, second.said())
        playlist = self.read()
        self.assert_extends(playlist, earlier)
        self.assertTrue(playlist.ended)
        new = playlist.entries[len(earlier.entries)]
        self.assertTrue(new.discontinuity, 'the resume cannot be seen')
        self.assertEqual([e.discontinuity for e in playlist.entries].count(True), 1)
        for entry in playlist.entries:
            self.assert_decodes_alone(entry)

    def test_long_distance_of_key_frames_is_shortened(self):
        process = self.record(gop=9999)
        playlist = self.wait_for_entries(3)
        self.assertEqual(playlist.target, 3)
        self.assertTrue(all(e.duration < 3.5 for e in playlist.entries), playlist.entries)
        process.interrupt()
        process.wait()
        for entry in self.read().entries:
            self.assert_decodes_alone(entry)

    def test_fragments_are_entries(self):
        process = self.record(location='f-%05d.ts', extra='max-size-time=2000000000')
        self.wait_for_entries(3)
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        playlist = self.read()
        self.assertGreater(len({e.uri for e in playlist.entries}), 1)
        self.assertFalse(any(e.discontinuity for e in playlist.entries))


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0')
    e2e.need_elements('tsrecsink', 'x264enc', 'avenc_aac')
    unittest.main(verbosity=2)
