#!/usr/bin/python3
# gst-tsrec: a disk that hangs for five seconds costs a live recording nothing
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Freezes the file system under a live recording and thaws it again.

An ext4 image on a loop device is frozen (fsfreeze) in the middle of a live
recording, so that write() does not return. The queue in front of the sink holds
what arrives meanwhile; afterwards every picture has to be in the file. A second
recording has a queue that is too small for the pause: it has to drop whole
access units, the oldest first, and go on. Needs root; skipped otherwise.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

FPS = 25
SECONDS = 10
FREEZE = 5

RECORD = ('videotestsrc is-live=true num-buffers={n} ! '
          'video/x-raw,width=320,height=240,framerate={fps}/1 ! '
          'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! '
          'h264parse ! {queue} ! tsrecsink location={path}')
LARGE = ('queue max-size-time=10000000000 max-size-bytes=67108864 '
         'max-size-buffers=0')
SMALL = ('queue max-size-time=1000000000 max-size-bytes=0 '
         'max-size-buffers=0 leaky=downstream')


def skip(reason):
    print('skipped:', reason)
    sys.exit(77)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


class Freeze(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='freeze-')
        image = os.path.join(self.dir, 'image')
        self.mount = os.path.join(self.dir, 'mount')
        os.mkdir(self.mount)
        with open(image, 'wb') as f:
            f.truncate(64 << 20)
        run('mkfs.ext4', '-q', '-F', image)
        run('mount', '-o', 'loop', image, self.mount)

    def tearDown(self):
        subprocess.run(['fsfreeze', '-u', self.mount], check=False,
                       capture_output=True)
        run('umount', self.mount)
        subprocess.run(['rm', '-r', self.dir], check=True)

    def record(self, queue):
        """Records with a pause of the disk; the times of the pictures."""
        path = os.path.join(self.mount, 'rec.ts')
        line = RECORD.format(n=FPS * SECONDS, fps=FPS, queue=queue, path=path)
        recorder = subprocess.Popen(['gst-launch-1.0', '-q', *line.split()])
        try:
            deadline = time.monotonic() + 60
            while not (os.path.exists(path) and os.path.getsize(path)):
                self.assertLess(time.monotonic(), deadline, 'nothing recorded')
                time.sleep(0.05)
            time.sleep(1)
            run('fsfreeze', '-f', self.mount)
            time.sleep(FREEZE)
            run('fsfreeze', '-u', self.mount)
            self.assertEqual(recorder.wait(60), 0)
        finally:
            if recorder.poll() is None:
                recorder.send_signal(signal.SIGKILL)
                recorder.wait()
        probe = run('ffprobe', '-v', 'error', '-select_streams', 'v',
                    '-show_entries', 'packet=pts_time', '-of',
                    'csv=print_section=0', path)
        return [float(x.split(',')[0]) for x in probe.split()]

    def test_pause_within_the_queue_loses_nothing(self):
        times = self.record(LARGE)
        print(f'{FREEZE} s freeze, queue of 10 s: {len(times)} of '
              f'{FPS * SECONDS} pictures')
        self.assertEqual(len(times), FPS * SECONDS)

    def test_pause_beyond_the_queue_drops_the_oldest_and_goes_on(self):
        times = self.record(SMALL)
        print(f'{FREEZE} s freeze, leaky queue of 1 s: {len(times)} of '
              f'{FPS * SECONDS} pictures')
        self.assertLess(len(times), FPS * SECONDS)
        self.assertGreater(len(times), FPS * (SECONDS - FREEZE) // 2)
        self.assertGreater(times[-1] - times[0], SECONDS - 2)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root to mount and freeze a file system')
    if shutil.which('mkfs.ext4') is None:
        skip('no mkfs.ext4 (Debian package e2fsprogs)')
    if not os.path.exists('/dev/loop-control'):
        skip('no loop devices here')
    unittest.main(verbosity=1)
