#!/usr/bin/python3
# gst-tsrec: each channel of a recording is the one that it was
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every channel has a tone of its own, in sources that MPEG-TS has no plain
channel number for; decoded by ffmpeg and by GStreamer, the tones are in the
same channels as when the source itself is decoded.
"""

import array
import cmath
import operator
import os
import subprocess
import unittest

import e2e

RATE = 48000
TONES = [300 + 150 * n for n in range(8)]
COUNTS = {'mono': 1, 'stereo': 2, '2.1': 3, '3.0': 3, '5.0': 5, 'quad': 4, '5.1': 6, 'hexagonal': 6, '6.1': 7, '7.1': 8, '7.1(wide)': 8,
          'octagonal': 8}


WINDOW = 2400
WAVES = {tone: [cmath.exp(2j * cmath.pi * tone * n / RATE) for n in range(WINDOW)] for tone in TONES}


def strength(samples, tone):
    return abs(sum(map(operator.mul, samples, WAVES[tone])))


def tones(raw, channels):
    """The loudest tone of each channel, half a second in: LFE is low-pass
    filtered by some encoders, and keeps the lowest part of its tone."""
    samples = array.array('h')
    samples.frombytes(raw[:len(raw) // (2 * channels) * 2 * channels])
    start = RATE // 2 * channels
    return [max(TONES, key=lambda tone, own=samples[start + n:start + WINDOW * channels:channels]: strength(own, tone))
            for n in range(channels)]


class Channels(e2e.TestCase):
    def ffmpeg(self, *arguments):
        return subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-y', *arguments], cwd=self.folder,
                              stdout=subprocess.PIPE, check=True, timeout=60).stdout

    def encode(self, layout, name, *options):
        formulas = '|'.join(f'sin(2*PI*{tone}*t)/4' for tone in TONES[:COUNTS[layout]])
        self.ffmpeg('-f', 'lavfi', '-i', f'aevalsrc={formulas}:c={layout}:s={RATE}:d=1', *options, name)

    def run_launch(self, line):
        if os.path.exists(self.path('out.ts')) and 'tsrecsink' in line:
            os.unlink(self.path('out.ts'))
        subprocess.run(f'gst-launch-1.0 -q {line}', shell=True, cwd=self.folder, check=True, timeout=60)

    def decoded(self, name, channels):
        return tones(self.ffmpeg('-i', name, '-f', 's16le', '-'), channels)

    def test_aac_without_a_channel_configuration(self):
        for layout in ('2.1', 'quad', '5.1', 'hexagonal', '6.1', '7.1(wide)', 'octagonal'):
            with self.subTest(layout):
                channels = COUNTS[layout]
                self.encode(layout, 'in.m4a', '-c:a', 'aac', '-b:a', '512k')
                self.run_launch('filesrc location=in.m4a ! qtdemux ! tsrecsink location=out.ts')
                expected = self.decoded('in.m4a', channels)
                self.assertGreater(len(set(expected)), channels - 2)
                self.assertEqual(self.decoded('out.ts', channels), expected)

    def test_opus_of_other_encoders(self):
        for layout in ('mono', 'stereo', 'quad', '5.1', '7.1'):  # 6.1: ffmpeg 5.1 does not read its mapping
            with self.subTest(layout):
                channels = COUNTS[layout]
                self.encode(layout, 'in.opus', '-c:a', 'libopus', '-b:a', f'{64 * channels}k')
                self.run_launch('filesrc location=in.opus ! oggdemux ! tsrecsink location=out.ts')
                self.assertEqual(self.decoded('out.ts', channels), self.decoded('in.opus', channels))

    def test_opus_of_gstreamer(self):
        # opusenc 1.22 puts the channels of 7.1 where its own mapping
        # does not say: what counts is what a decoder of its output gives
        for layout in ('mono', 'stereo', '3.0', 'quad', '5.0', '5.1', '7.1'):
            with self.subTest(layout):
                channels = COUNTS[layout]
                self.encode(layout, 'in.wav')
                self.run_launch('filesrc location=in.wav ! wavparse ! audioconvert ! opusenc bitrate=512000 ! tee name=t ! '
                                'queue ! oggmux ! filesink location=in.ogg t. ! queue ! tsrecsink location=out.ts')
                self.run_launch('filesrc location=out.ts ! tsdemux ! opusdec ! audioconvert ! '
                                'audio/x-raw,format=S16LE ! filesink location=out.raw')
                expected = self.decoded('in.ogg', channels)
                self.assertEqual(len(set(expected)), channels)
                self.assertEqual(self.decoded('out.ts', channels), expected)
                with open(self.path('out.raw'), 'rb') as file:
                    self.assertEqual(len(set(tones(file.read(), channels))), channels)


if __name__ == '__main__':
    e2e.need_tools('ffmpeg')
    e2e.need_elements('opusenc', 'opusdec', 'wavparse')
    unittest.main(verbosity=2)
