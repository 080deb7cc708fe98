#!/usr/bin/python3
# gst-tsrec: kill -9 at any moment loses nothing that the sink had accepted
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills a recorder REC_KILLS times (12) at random moments. The seed is printed
and can be given as REC_SEED. Of the access unit that is being written Linux may
leave a part (docs/internals/durability.md): never of one that was accepted, and seldom."""

import os
import random
import time
import unittest

import e2e
import recorder

LINE = (
    'videotestsrc is-live=true pattern=ball ! '
    'video/x-raw,width=320,height=240,framerate=30/1 ! '
    'x264enc tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max=30 ! '
    'h264parse ! queue ! tsrecsink name=rec location={} '
    'audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! queue ! rec.')
# Far from real time: the sink is in a write nearly all the time.
FLOOD = (
    'videotestsrc pattern=snow ! video/x-raw,width=160,height=120 ! '
    'x264enc tune=zerolatency speed-preset=ultrafast qp-min=1 key-int-max=15 ! '
    'h264parse ! tsrecsink name=rec location={}')


class Kill(e2e.TestCase):
    def kill_after(self, line, delay, name):
        location, ledger = self.path(name + '.ts'), self.path(name + '.ledger')
        process = self.start(
            [os.path.join(e2e.SOURCE_DIR, 'tests/e2e/recorder.py'), ledger,
             line.format(location)], name)
        e2e.wait_for(lambda: e2e.size_of(location) > 0 or
                     not process.is_running(), 'the first bytes')
        time.sleep(delay)
        self.assertTrue(process.is_running(), process.said())
        process.kill()
        return location, recorder.read(ledger)[0]

    def check(self, line, delay, name):
        location, accepted = self.kill_after(line, delay, name)
        size = e2e.size_of(location)
        self.assertGreaterEqual(size, accepted, f'{delay}: accepted bytes lost')
        if size % e2e.TS_PACKET:
            print(f'{name}: {size - accepted} bytes of the access unit under way')
            self.torn += 1
            os.truncate(location, accepted)
        probe = e2e.Probe(location)
        self.assertEqual(probe.complaints, '', f'{delay}')
        self.assertIn('h264', probe.codecs)
        self.assertEqual(e2e.decoding_complaints(location), '', f'{delay}')
        os.unlink(location)
        return accepted

    def test_kill_at_random_moments(self):
        kills = int(os.environ.get('REC_KILLS', '12'))
        seed = int(os.environ.get('REC_SEED', random.randrange(1 << 30)))
        print(f'REC_KILLS={kills} REC_SEED={seed}')
        dice = random.Random(seed)
        total = self.torn = 0
        for number in range(kills):
            line = FLOOD if number % 3 == 2 else LINE
            total += self.check(line, dice.uniform(0, 1.5), f'kill-{number}')
        print(f'{kills} kills, {total} bytes accepted, all of them in the files')
        self.assertGreater(total, 0)
        self.assertLessEqual(self.torn, 1 + kills // 10)


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe')
    e2e.need_elements('x264enc', 'avenc_aac')
    unittest.main(verbosity=2)
