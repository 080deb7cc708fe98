#!/usr/bin/python3
# gst-tsrec: recordings that come and go
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of twenty ids come and go: what the service holds when it is idle does
not grow. REC_SERVICE_SOAK: seconds.
"""

import os
import re
import sys
import time
import unittest

import barcodes
import e2e
import service

e2e.need_tools('ffprobe', 'ffmpeg')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')

SECONDS = float(os.environ.get('REC_SERVICE_SOAK', '30'))
NAMES = [f'cam{n}' for n in range(20)]
PER_ROUND = 20 if SECONDS > 60 else 5


class Soak(e2e.TestCase):
    def usage(self, server):
        """(resident bytes, threads, descriptors), once no recording runs."""
        pid = server.pid()
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            threads = int(re.search(r'Threads:\s+(\d+)', file.read())[1])
        return e2e.rss_of(pid), threads, len(os.listdir(f'/proc/{pid}/fd'))

    def play_round(self, server, number):
        names = [NAMES[(number * PER_ROUND + n) % len(NAMES)] for n in range(PER_ROUND)]
        sender = self.start([sys.executable, barcodes.__file__,
                             *(f'http://127.0.0.1:{server.port}/whip/{name}' for name in names)], f'sender{number}')
        for name in names:
            server.wait_for_state(name, 'recording', 'stalled')
        for name in names:
            end = server.ask('POST', '/api/recording/stop', {'id': name})
            self.assertEqual(end['file_size_bytes'], os.path.getsize(end['output_path']))
        sender.end()

    def test_what_it_holds_does_not_grow(self):
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write('[path *]\npeer-timeout=5m\n')
        server = service.Service(self, self.folder, '--config', config)
        begin, number = time.monotonic(), 0
        while number < 2 or time.monotonic() < begin + SECONDS / 3:
            self.play_round(server, number)
            number += 1
        warm = self.usage(server)
        while number < 4 or time.monotonic() < begin + SECONDS:
            self.play_round(server, number)
            number += 1
        # threads of pools end after a while
        e2e.wait_for(lambda: self.usage(server)[1] <= warm[1] + 4, 'threads to end', 120)
        end = self.usage(server)
        print(f'{number * PER_ROUND} recordings: {warm} -> {end}')
        self.assertLess(end[2], warm[2] + 10, 'descriptors')
        self.assertLess(end[0], warm[0] + 30_000_000, 'memory')


if __name__ == '__main__':
    unittest.main(verbosity=2)
