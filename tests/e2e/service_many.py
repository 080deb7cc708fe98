#!/usr/bin/python3
# gst-tsrec: twenty recordings at once, some of them broken on purpose
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seventeen publishers whose pictures have bar codes, beside one with a codec that
nobody knows, one whose disk fills up and one that is killed, and another whose
folder is read-only: the seventeen do not notice, in 300 MB in all. Needs root for the two
disks. REC_SERVICE_SECONDS: for how long; REC_SERVICE_CHROMIUM: with a browser.
"""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import barcodes
import e2e
import service

e2e.need_tools('ffprobe', 'ffmpeg')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')
if os.geteuid() != 0:
    e2e.skip('needs root for file systems of its own')

SECONDS = float(os.environ.get('REC_SERVICE_SECONDS', '8'))
CHROMIUM = bool(os.environ.get('REC_SERVICE_CHROMIUM'))
BROKEN = ['codec', 'full', 'killed']
SOUND = [f'cam{n}' for n in range(17)]
LIMIT = 300_000_000
OFFER = '''v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 100
c=IN IP4 0.0.0.0
a=rtpmap:100 H263-2000/90000
a=mid:0
a=sendonly
a=rtcp-mux
a=setup:actpass
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 ''' + ':'.join(['AB'] * 32) + '\n'


class Browser:
    """Headless Chromium that publishes tests/interop/publisher.html."""

    def __init__(self, test, url):
        import chromium
        pages = os.path.join(e2e.SOURCE_DIR, 'tests', 'interop')
        handler = lambda *a: http.server.SimpleHTTPRequestHandler(*a, directory=pages)  # noqa: E731
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addCleanup(server.shutdown)
        self.chromium = chromium.Chromium()
        test.addCleanup(self.chromium.kill)
        self.origin = f'http://127.0.0.1:{server.server_port}'
        self.chromium.open(f'{self.origin}/publisher.html')
        self.chromium.publisher('start', {'codec': 'H264', 'url': url})


class Many(e2e.TestCase):
    def mount(self, name, size):
        folder = os.path.join(self.path('recordings'), name)
        os.makedirs(folder, exist_ok=True)
        result = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'none', folder], check=False)
        if result.returncode:
            e2e.skip('no right to mount')
        self.addCleanup(subprocess.run, ['umount', '-l', folder], check=False)
        return folder

    def configure(self):
        self.full = self.mount('full', '600k')
        subprocess.run(['mount', '-o', 'remount,ro', self.mount('readonly', '1m')], check=True)
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write('[server]\nallow-origins=*\n[path full]\nlocation=full/{id}\npeer-timeout=5m\n'
                       '[path readonly]\nlocation=readonly/{id}\n'
                       '[path *]\npeer-timeout=5m\n')
        return config

    def publish(self, server, names):
        return self.start([sys.executable, barcodes.__file__,
                           *(f'http://127.0.0.1:{server.port}/whip/{name}' for name in names)], f'sender-{names[0]}')

    def break_some(self, server, killed):
        """Each in its way; what the service says of it."""
        status, _, answer = server.request('POST', '/whip/codec', OFFER.replace('\n', '\r\n'),
                                           headers={'Content-Type': 'application/sdp'})
        self.assertEqual(status, 422, answer)
        status, _, answer = server.request('POST', '/api/recording/start', {'id': 'readonly'})
        self.assertEqual((status, answer['error']), (500, 'folder not writable'), answer)
        os.killpg(killed.pid, signal.SIGKILL)
        server.wait_for_state('full', 'disk-full')

    def state_of(self, server, name):
        return server.ask('GET', f'/api/recording/status/{name}')['state']

    def check_file(self, name, path):
        pictures = barcodes.read(path)
        numbers = [number for _, number, _ in pictures]
        self.assertNotIn(None, numbers, name)
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))), name)
        drawn = (pictures[-1][2] - pictures[0][2]) % barcodes.pattern.MS_MODULUS / 1000
        self.assertAlmostEqual(pictures[-1][0] - pictures[0][0], drawn, delta=0.5, msg=f'{name} noticed')
        return len(numbers)

    @e2e.tries(2)
    def test_the_others_do_not_notice(self):
        server = service.Service(self, self.folder, '--config', self.configure())
        for name in SOUND + BROKEN:
            answer = server.ask('POST', '/api/recording/start', {'id': name})
            self.assertEqual(answer['state'], 'waiting')
        senders = [self.publish(server, names) for names in (SOUND, ['full'], ['killed'])]
        if CHROMIUM:
            Browser(self, f'http://127.0.0.1:{server.port}/whip/browser')
            server.wait_for_state('browser', 'recording')
        for name in SOUND + BROKEN[1:]:
            e2e.wait_for(lambda n=name: self.state_of(server, n) in ('recording', 'disk-full') or
                         not all(sender.is_running() for sender in senders), f'{name} to be recorded', 240)
        for sender in senders:
            self.assertTrue(sender.is_running(), sender.said())
        begin = time.monotonic()
        self.assertEqual(server.ask('GET', '/api/recording/active')['count'], 20 + CHROMIUM)
        self.break_some(server, senders[2])
        e2e.wait_for(lambda: time.monotonic() > begin + SECONDS, 'the time', SECONDS + 1)
        self.assertLess(e2e.rss_of(server.pid()), LIMIT)
        ends = {}
        for name in SOUND + ['killed'] + ['browser'] * CHROMIUM:
            ends[name] = server.ask('POST', '/api/recording/stop', {'id': name})
        pictures = 0
        for name, end in ends.items():
            self.assertEqual((end['success'], end['state']), (True, 'stopped'), end)
            self.assertEqual(end['file_size_bytes'], os.path.getsize(end['output_path']))
            if name in SOUND:
                pictures += self.check_file(name, end['output_path'])
        self.assertEqual(e2e.decoding_complaints(ends['killed']['output_path']), '')
        self.assertEqual(self.state_of(server, 'codec'), 'waiting')
        print(f'{pictures} pictures in {len(SOUND)} files, none missing; '
              f'{e2e.rss_of(server.pid()) / 1e6:.0f} MB')


if __name__ == '__main__':
    unittest.main(verbosity=2)
