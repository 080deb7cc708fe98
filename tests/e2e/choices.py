#!/usr/bin/python3
# gst-tsrec: what can be chosen of a recording is what is recorded
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nine combinations of --format, --quality, --video and --audio in which every
two values meet; all of them with REC_COMBINATIONS=all."""

import itertools
import os
import re
import subprocess
import unittest

import e2e

FORMATS = ('mpegts', 'mp4', 'mkv')
QUALITIES = ('low', 'medium', 'high')
VIDEOS = ('copy', 'h264', 'h265')
AUDIOS = ('aac', 'opus', 'copy')
SECONDS = 5


def combinations():
    choices = (FORMATS, QUALITIES, VIDEOS, AUDIOS)
    if os.environ.get('REC_COMBINATIONS') == 'all':
        return list(itertools.product(*choices))
    # An orthogonal array: rows i, j, i+j, i+2j modulo 3.
    return [tuple(choice[n % 3] for choice, n in zip(choices, (i, j, i + j, i + 2 * j)))
            for i in range(3) for j in range(3)]


class Choices(e2e.TestCase):
    def record(self, *options, **kwargs):
        self.port = e2e.free_port()
        return self.start(
            [os.path.join(e2e.PIPELINES, 'record'), '--output', 'out',
             '--port', str(self.port), *options], 'record', **kwargs)

    def the_recording(self):
        folder = self.path('out')
        found = [n for n in os.listdir(folder) if not n.endswith('.m3u8')]
        self.assertEqual(len(found), 1, found)
        return os.path.join(folder, found[0])

    def check(self, form, quality, video, audio):
        process = self.record('--duration', str(SECONDS), '--format', form,
                              '--quality', quality, '--video', video,
                              '--audio', audio)
        self.assertEqual(process.wait(90), 0, process.said())
        path = self.the_recording()
        self.assertTrue(path.endswith('ts' if form == 'mpegts' else form))
        probe = e2e.Probe(path)
        self.assertEqual(probe.complaints, '')
        self.assertEqual(sorted(probe.codecs),
                         sorted(['hevc' if video == 'h265' else 'h264',
                                 'aac' if audio == 'aac' else 'opus']))
        for codec in probe.codecs:
            self.assertGreater(probe.duration(codec), SECONDS - 2, codec)
        self.assertEqual(e2e.decoding_complaints(path), '')
        # The monitor works the same, whatever the format.
        self.assertRegex(process.said(), r'[1-9][\d.]* [kM]?B written')
        os.unlink(path)

    def test_combinations_record_and_read_back(self):
        for combination in combinations():
            with self.subTest(combination=' '.join(combination)):
                self.setUp()
                self.check(*combination)
                self.doCleanups()

    def test_unknown_format_records_mpegts_and_says_so_once(self):
        process = self.record('--duration', '2', '--format', 'avi')
        self.assertEqual(process.wait(90), 0, process.said())
        self.assertEqual(process.said().count('"avi"'), 1)
        self.assert_sound(self.the_recording(), ['aac', 'h264'])

    def test_unknown_choices_are_refused(self):
        for option in ('--quality', '--video', '--audio'):
            process = self.record(option, 'best')
            self.assertEqual(process.wait(), 2)
            self.assertIn('"best"', process.said())

    def test_missing_encoder_is_named_with_its_package(self):
        """In a GStreamer that has no H.265 encoder."""
        tools = self.path('bin')
        os.mkdir(tools)
        with open(os.path.join(tools, 'gst-inspect-1.0'), 'w',
                  encoding='ascii') as file:
            file.write('#!/bin/sh\ncase "$*" in *h265enc* | *x265enc*) exit 1 ;; esac\n'
                       'exec /usr/bin/gst-inspect-1.0 "$@"\n')
        os.chmod(file.name, 0o755)
        process = self.record('--video', 'h265', env={
            **os.environ, 'PATH': tools + ':' + os.environ['PATH']})
        self.assertEqual(process.wait(), 1)
        self.assertIn('gstreamer1.0-plugins-bad', process.said())

    def test_mp4_that_cannot_be_read_is_not_called_a_recording(self):
        """mp4mux writes no header without a track that it was to carry."""
        process = self.record('--publisher', 'none', '--format', 'mp4')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        self.launch(
            'videotestsrc is-live=true ! video/x-raw,width=320,height=240 ! '
            'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! '
            'video/x-h264,profile=constrained-baseline ! '
            f'recwhipsink location=http://127.0.0.1:{self.port}/whip', 'silent')
        e2e.wait_for(lambda: re.search(r' [1-9][\d.]* packets/s', process.said()),
                     'packets')
        process.interrupt()
        self.assertEqual(process.wait(90), 1, process.said())

    def test_vp8_sender_is_recorded_as_h264(self):
        client = os.path.join(e2e.SOURCE_DIR, 'tests/interop/aiortc_client.py')
        usable = subprocess.run(['/usr/bin/python3', client, '--help'],
                                capture_output=True, check=False)
        if usable.returncode:
            self.skipTest('aiortc is not installed')
        process = self.record('--publisher', 'none', '--duration', '5')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        sender = self.start(
            ['/usr/bin/python3', client, f'http://127.0.0.1:{self.port}/whip',
             '--video', 'VP8', '--seconds', '30'], 'sender')
        self.assertEqual(process.wait(90), 0, process.said() + sender.said())
        self.assertIn('VP8', process.said())
        self.assert_sound(self.the_recording(), ['aac', 'h264'])


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0')
    e2e.need_elements('webrtcbin', 'x264enc', 'x265enc', 'opusenc', 'avenc_aac',
                      'timeoverlay', 'nicesink')
    unittest.main(verbosity=2)
