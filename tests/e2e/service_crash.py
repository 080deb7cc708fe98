#!/usr/bin/python3
# gst-tsrec: the recording service is killed with twenty recordings running
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 while seventeen publishers and three sources are recorded, then a
restart: nothing that was accepted is missing, what has a source goes on in its
file, everything else is there as stopped. REC_SERVICE_KILLS: how many times.
"""

import hashlib
import os
import signal
import sys
import unittest

import barcodes
import e2e
import service

e2e.need_tools('ffprobe', 'ffmpeg')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')

KILLS = int(os.environ.get('REC_SERVICE_KILLS', '1'))
PUBLISHED = [f'cam{n}' for n in range(17)]
SOURCES = [f'gate{n}' for n in range(3)]
NAMES = PUBLISHED + SOURCES


class Crash(e2e.TestCase):
    def setUp(self):
        super().setUp()
        self.camera = barcodes.Camera(self.path('camera.ts'), 90 * KILLS)
        self.addCleanup(self.camera.end)
        self.config = self.path('server.conf')
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(''.join(f'[path {name}]\nsource={self.camera.url}\n' for name in SOURCES))

    def publish(self, server, number):
        return self.start([sys.executable, barcodes.__file__,
                           *(f'http://127.0.0.1:{server.port}/whip/{name}' for name in PUBLISHED)], f'sender{number}')

    def wait_for_media(self, server, seconds):
        for name in NAMES:
            server.wait_for_state(name, 'recording', 'stalled')
            e2e.wait_for(lambda n=name: server.ask('GET', f'/api/recording/status/{n}')['duration_seconds'] > seconds,
                         f'{seconds} s of {name}', 120)

    def kill(self, server):
        """What each recording had accepted when it was killed."""
        before = server.ask('GET', '/api/recording/active')['recordings']
        os.kill(server.pid(), signal.SIGKILL)
        e2e.wait_for(lambda: not server.process.is_running(), 'the script to notice')
        self.assertEqual(sorted(before), sorted(NAMES))
        return before

    def check_numbers(self, path, jumps):
        """Each picture once and in order, with a gap for each crash."""
        numbers = barcodes.numbers(path)
        if os.path.basename(path).startswith('gate') and numbers[-1] is None:
            numbers.pop()  # the server of the source was in the middle of it
        self.assertNotIn(None, numbers, path)
        steps = [b - a for a, b in zip(numbers, numbers[1:])]
        self.assertEqual(sum(step != 1 for step in steps), jumps, (path, numbers))
        self.assertTrue(all(step > 0 for step in steps), (path, numbers))

    def check_stopped(self, server, before):
        for name in PUBLISHED:
            path = before[name]['output_path']
            status = server.ask('GET', f'/api/recording/status/{name}')
            self.assertEqual((status['state'], status['ended'], status['output_path']), ('stopped', 'crash', path))
            self.assertEqual(status['file_size_bytes'], os.path.getsize(path))
            self.assertGreaterEqual(os.path.getsize(path), before[name]['file_size_bytes'])
            self.assertEqual(os.path.getsize(path) % e2e.TS_PACKET, 0)
            facts = e2e.wait_for(lambda p=path: (f := service.load(p.replace('.ts', '.json'))).get('ended') and f,
                                 f'the sidecar of {name}')
            with open(path, 'rb') as file:
                self.assertEqual(facts['sha256'], hashlib.sha256(file.read()).hexdigest())
            self.assertEqual((facts['ended'], facts['sound']), ('crash', True))
            self.check_numbers(path, 0)

    def check_listed(self, server, before):
        listed = {entry['name']: entry for entry in server.ask('GET', '/api/recordings')['recordings']}
        for name in NAMES:
            entry = listed[os.path.basename(before[name]['output_path'])]
            self.assertEqual(entry['growing'], name in SOURCES, entry)

    def test_nothing_accepted_is_missing(self):
        server = service.Service(self, self.folder, '--config', self.config)
        first_utc = {}
        for kill in range(KILLS):
            sender = self.publish(server, kill)
            self.wait_for_media(server, 2)
            before = self.kill(server)
            for name in SOURCES:
                utc = service.load(before[name]['output_path'].replace('.ts', '.json'))['first_utc']
                self.assertEqual(first_utc.setdefault(name, utc), utc)
            sender.end()
            server = service.Service(self, self.folder, '--config', self.config)
            active = server.ask('GET', '/api/recording/active')
            self.assertEqual(sorted(active['recordings']), SOURCES)
            self.check_stopped(server, before)
            for name in SOURCES:
                path = before[name]['output_path']
                self.assertEqual(active['recordings'][name]['output_path'], path)
                e2e.wait_for(lambda p=path, b=before[name]: os.path.getsize(p) > b['file_size_bytes'] + 20000,
                             f'{name} to go on', 120)
                # Of the whole file, not of this run.
                status = server.ask('GET', f'/api/recording/status/{name}')
                self.assertGreater(status['file_size_bytes'], before[name]['file_size_bytes'])
                self.assertEqual(service.load(path.replace('.ts', '.json'))['first_utc'], first_utc[name])
            self.check_listed(server, before)
        for name in SOURCES:
            path = server.ask('POST', '/api/recording/stop', {'id': name})['output_path']
            self.check_numbers(path, KILLS)
            facts = e2e.wait_for(lambda p=path: (f := service.load(p.replace('.ts', '.json'))).get('ended') and f,
                                 f'the sidecar of {name}')
            self.assertEqual((facts['ended'], facts['sound'], facts['first_utc']), ('stop', True, first_utc[name]))
            pictures = barcodes.read(path)
            self.assertAlmostEqual(facts['duration_seconds'], pictures[-1][0] - pictures[0][0], delta=0.2)
        print(f'{KILLS} kills of {len(NAMES)} recordings, nothing missing')


if __name__ == '__main__':
    unittest.main(verbosity=2)
