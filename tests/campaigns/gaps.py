#!/usr/bin/python3
# gst-tsrec: pictures in the file plus gaps in the journal are all of the time
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a known number of pictures while the disk is full for a while.

A tmpfs is filled by another process and freed again under a live recording. What
ffprobe finds in the file and what the journal calls a gap have to add up to the
time that was sent, to within one picture. Needs root to mount; skipped
otherwise.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

FPS = 30
PICTURES = 270

RECORD = ('videotestsrc is-live=true num-buffers={n} ! '
          'video/x-raw,width=320,height=240,framerate={fps}/1 ! '
          'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 '
          'bitrate=4000 ! h264parse ! '
          'tsrecsink location={path} journal-location={journal}')


def run(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def wait_for(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError('waited in vain for ' + what)
        time.sleep(0.05)


class Gaps(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='gaps-')
        self.mount = os.path.join(self.dir, 'mount')
        self.path = os.path.join(self.mount, 'rec.ts')
        self.journal = os.path.join(self.dir, 'journal')
        os.mkdir(self.mount)
        run('mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', self.mount)

    def tearDown(self):
        run('umount', self.mount)
        subprocess.run(['rm', '-r', self.dir], check=True)

    def events(self, name):
        if not os.path.exists(self.journal):
            return []
        with open(self.journal, encoding='utf-8') as lines:
            events = [json.loads(x) for x in lines if x.endswith('\n')]
        return [e for e in events if e['event'] == name]

    def fill(self):
        """Takes all that is free, as a program that is not ours would."""
        name = os.path.join(self.mount, 'somebody-else')
        with open(name, 'wb', buffering=0) as f:
            try:
                while True:
                    f.write(b'\0' * 4096)
            except OSError:
                pass
        return name

    def count_pictures(self):
        probe = run('ffprobe', '-v', 'error', '-select_streams', 'v',
                    '-show_entries', 'packet=pts_time', '-of',
                    'csv=print_section=0', self.path)
        return len(probe.split())

    def test_media_and_gaps_are_all_of_the_time(self):
        line = RECORD.format(n=PICTURES, fps=FPS, path=self.path,
                             journal=self.journal)
        recorder = subprocess.Popen(['gst-launch-1.0', '-q', *line.split()],
                                    stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: self.events('opened'), 'the recording')
            time.sleep(1)
            filler = self.fill()
            wait_for(lambda: self.events('disk-fault'), 'the full disk')
            time.sleep(1)
            os.unlink(filler)
            wait_for(lambda: self.events('disk-recovered'), 'the recovery')
            self.assertEqual(recorder.wait(60), 0)
        finally:
            recorder.kill()
            recorder.wait()
        media = self.count_pictures() / FPS
        gaps = sum(e['duration'] for e in self.events('gap')) / 1e9
        print(f'media {media:.3f} s + gaps {gaps:.3f} s, '
              f'sent {PICTURES / FPS:.3f} s')
        self.assertEqual([e['cause'] for e in self.events('gap')], ['disk'])
        self.assertGreater(gaps, 1)
        self.assertAlmostEqual(media + gaps, PICTURES / FPS, delta=1 / FPS)


if __name__ == '__main__':
    if os.geteuid() != 0:
        print('skipped: needs root to mount a file system')
        sys.exit(77)
    unittest.main(verbosity=1)
