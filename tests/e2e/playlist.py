#!/usr/bin/python3
# gst-tsrec: an HLS playlist can be trusted at any moment
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import random
import re
import subprocess
import time
import unittest

import e2e

READS = 200
RECORDER = (
    'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! '
    'timeoverlay ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max={gop} ! h264parse ! '
    'queue ! tsrecsink name=rec location={location} playlist-location=rec.m3u8 '
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


class PlaylistTest(e2e.TestCase):
    def record(self, name='rec', gop=30, location='rec.ts', extra=''):
        return self.launch(RECORDER.format(gop=gop, location=location, extra=extra), name)

    def read(self):
        """The playlist, after looking that all it says is true."""
        with open(self.path('rec.m3u8'), encoding='utf-8') as file:
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

    def wait_for_entries(self, number):
        return e2e.wait_for(lambda: os.path.exists(self.path('rec.m3u8')) and
                            len(self.read().entries) >= number and self.read(), f'{number} entries')

    def assert_extends(self, playlist, earlier):
        self.assertEqual(playlist.entries[:len(earlier.entries)], earlier.entries, 'an entry was changed')
        self.assertEqual(playlist.target, earlier.target, 'EXT-X-TARGETDURATION was changed')

    def bytes_of(self, entry):
        with open(self.path(entry.uri), 'rb') as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def assert_decodes_alone(self, entry):
        result = subprocess.run(
            ['ffmpeg', '-nostdin', '-v', 'error', '-f', 'mpegts', '-i', '-', '-f', 'null', '-'],
            input=self.bytes_of(entry), capture_output=True, timeout=60, check=False)
        self.assertEqual(result.stderr.decode(), '', entry)
        self.assertEqual(result.returncode, 0, entry)

    def assert_complete(self, playlist, location='rec.ts'):
        """Every byte once, in order."""
        at = 0
        for entry in playlist.entries:
            self.assertEqual(entry.offset, at)
            at += entry.size
        self.assertEqual(at, e2e.size_of(self.path(location)))

    def test_it_is_true_at_200_random_moments_and_after_kill(self):
        moments = random.Random(7)
        reads = 0
        entries = 0
        for number in range(3):
            process = self.record(f'rec-{number}', gop=moments.choice((15, 30, 50)))
            earlier = self.wait_for_entries(1)
            while reads < (number + 1) * READS // 3 or len(earlier.entries) < 4:
                time.sleep(moments.random() * 0.1)
                playlist = self.read()
                reads += 1
                self.assert_extends(playlist, earlier)
                self.assertFalse(playlist.ended)
                earlier = playlist
            process.kill()
            time.sleep(moments.random() * 0.05)
            playlist = self.read()
            self.assert_extends(playlist, earlier)
            self.assertFalse(playlist.ended, 'a killed recorder cannot have ended it')
            self.assertGreaterEqual(playlist.dates, 1)
            for entry in playlist.entries:
                self.assert_decodes_alone(entry)
            entries += len(playlist.entries)
            for name in os.listdir(self.folder):
                if name.startswith(('rec.', '.rec.')):
                    os.unlink(self.path(name))
        print(f'{reads} reads, {entries} entries decoded alone')

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
        first = self.record('first')
        earlier = self.wait_for_entries(3)
        first.kill()
        earlier = self.read()
        second = self.record('second', extra='resume=true')
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
