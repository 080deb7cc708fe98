#!/usr/bin/python3
# gst-tsrec: ts-to-mp4 of ten minutes against ffmpeg -c copy
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records ten minutes (without waiting for them), converts them in turn by
pipelines/ts-to-mp4 and by ffmpeg -c copy -movflags +faststart, and prints the
medians. Fails when an access unit differs, when the duration is more than one
frame off, or when ts-to-mp4 needs more than four times as long."""

import os
import statistics
import subprocess
import time
import unittest

import e2e
import take_away

SECONDS = 600
ROUNDS = 3
RECORDER = (
    f'videotestsrc num-buffers={SECONDS * 30} pattern=smpte ! '
    'video/x-raw,format=I420,width=640,height=360,framerate=30/1 ! '
    'x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max=60 ! h264parse ! queue ! '
    f'tsrecsink name=rec location=ten.ts audiotestsrc num-buffers={SECONDS * 44100 // 1024} ! audioconvert ! '
    'avenc_aac bitrate=128000 ! aacparse ! queue ! rec.')


class Benchmark(take_away.TakeAway):
    def timed(self, *arguments):
        began = time.monotonic()
        subprocess.run(arguments, cwd=self.folder, check=True, capture_output=True)
        return time.monotonic() - began

    def test_ten_minutes(self):
        recorder = self.launch(RECORDER, 'recorder')
        self.assertEqual(recorder.wait(600), 0, recorder.said())
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(self.timed('ffmpeg', '-nostdin', '-y', '-i', 'ten.ts', '-c', 'copy',
                                     '-movflags', '+faststart', 'theirs.mp4'))
            ours.append(self.timed(os.path.join(e2e.PIPELINES, 'ts-to-mp4'), '--force', 'ten.ts'))
        size = e2e.size_of(self.path('ten.ts')) / 1e6
        print(f'{SECONDS} s, {size:.0f} MB of MPEG-TS')
        for name, times in (('ffmpeg -c copy -movflags +faststart', theirs), ('pipelines/ts-to-mp4', ours)):
            middle = statistics.median(times)
            print(f'{name:36}{middle:6.2f} s {size / middle:6.0f} MB/s')
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(f'ratio {ratio:.2f}')
        self.assertLess(ratio, 4)
        ts, mp4 = self.path('ten.ts'), self.path('ten.mp4')
        self.assert_same_access_units(ts, mp4)
        self.assert_same_times(ts, mp4)
        duration = float(subprocess.run(
            ['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=duration', '-of', 'csv=p=0',
             mp4], check=True, capture_output=True, text=True).stdout)
        self.assertAlmostEqual(duration, SECONDS, delta=1 / 30)
        print(f'every access unit identical, {duration:.3f} s of picture')


if __name__ == '__main__':
    unittest.main(verbosity=2)
