#!/usr/bin/python3
# gst-tsrec: pipelines/serve serves the recordings of one folder, and no more
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import http.client
import json
import os
import re
import socket
import time
import unittest

import e2e

CONTENTS = bytes(range(188)) * 1000


class Serve(e2e.TestCase):
    options = ()

    def setUp(self):
        super().setUp()
        self.served = self.path('served')
        os.mkdir(self.served)
        self.write('rec.ts', CONTENTS)
        self.process = self.start(
            [os.path.join(e2e.PIPELINES, 'serve'), '--port', '0', *self.options,
             self.served], 'serve')
        e2e.wait_for(lambda: self.port() or not self.process.is_running(),
                     'the URL of the page', 120)
        self.assertTrue(self.process.is_running(), self.process.said())

    def port(self):
        found = re.search(r'http://127\.0\.0\.1:(\d+)/', self.process.said())
        return found and int(found[1])

    def write(self, name, contents):
        with open(os.path.join(self.served, name), 'wb') as file:
            file.write(contents)

    def get(self, target, headers=None, method='GET'):
        """(status, headers, body); the target goes out as it is."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port(),
                                                timeout=e2e.PATIENCE)
        try:
            connection.request(method, target, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def assert_refused(self, target, *statuses, **kwargs):
        status, _, body = self.get(target, **kwargs)
        self.assertIn(status, statuses or (400, 403, 404), target)
        self.assertNotIn(b'secret', body)


class Files(Serve):
    def test_types_and_ranges(self):
        self.write('rec.m3u8', b'#EXTM3U\n#EXT-X-ENDLIST\n')
        status, headers, body = self.get('/recordings/rec.ts')
        self.assertEqual((status, headers['Content-Type'], body),
                         (200, 'video/mp2t', CONTENTS))
        self.assertEqual(headers['Accept-Ranges'], 'bytes')
        status, headers, body = self.get('/recordings/rec.m3u8')
        self.assertEqual((status, headers['Content-Type']),
                         (200, 'application/vnd.apple.mpegurl'))
        status, headers, body = self.get('/recordings/rec.ts', {'Range': 'bytes=188-375'})
        self.assertEqual((status, body), (206, CONTENTS[188:376]))
        self.assertEqual(headers['Content-Range'], f'bytes 188-375/{len(CONTENTS)}')
        status, _, body = self.get('/recordings/rec.ts', {'Range': 'bytes=-100'})
        self.assertEqual((status, body), (206, CONTENTS[-100:]))
        status, _, body = self.get('/recordings/rec.ts', method='HEAD')
        self.assertEqual((status, body), (200, b''))

    def test_absurd_ranges(self):
        for value in ('bytes=999999999999999999999-', f'bytes={len(CONTENTS)}-',
                      'bytes=5-2', 'bytes=--5', 'bytes=a-b', 'lines=1-2',
                      'bytes=' + ','.join(f'{i}-{i}' for i in range(1000)),
                      'bytes=0-' + '9' * 400):
            with self.subTest(range=value[:40]):
                status, _, body = self.get('/recordings/rec.ts', {'Range': value})
                self.assertIn(status, (200, 206, 416))
                self.assertLessEqual(len(body), len(CONTENTS))
        self.assertTrue(self.process.is_running())

    def test_name_never_leaves_the_folder(self):
        with open(self.path('secret.ts'), 'wb') as file:
            file.write(b'secret')
        os.mkdir(os.path.join(self.served, 'sub'))
        self.write('sub/secret.ts', b'secret')
        self.write('.secret.ts', b'secret')
        self.write('secret.txt', b'secret')
        os.mkdir(os.path.join(self.served, 'folder.ts'))
        os.mkfifo(os.path.join(self.served, 'pipe.ts'))
        for name in ('../secret.ts', '..%2fsecret.ts', '%2e%2e/secret.ts',
                     '..%5csecret.ts', '....//secret.ts', '/../secret.ts',
                     '%2fetc%2fpasswd', self.path('secret.ts'), 'sub/secret.ts',
                     'sub%2fsecret.ts', '.secret.ts', 'secret.txt', 'folder.ts',
                     'pipe.ts', 'rec.ts%00', '%00.ts', '', '.', '..', '%', '%ff.ts',
                     'x' * 5000 + '.ts', '..%c0%afsecret.ts'):
            with self.subTest(name=name[:40]):
                self.assert_refused('/recordings/' + name, 400, 403, 404, 431)
        for target in ('/../secret.ts', '/page.js/../../package.json', '/server.js',
                       '/node_modules/send/index.js', '/constructor', '/__proto__',
                       '//recordings/rec.ts', 'http://other/recordings/rec.ts'):
            with self.subTest(target=target):
                self.assert_refused(target)

    def test_links_out_of_the_folder_are_refused(self):
        with open(self.path('secret.ts'), 'wb') as file:
            file.write(b'secret')
        for name, target in (('out.ts', '../secret.ts'), ('self.ts', 'self.ts'),
                             ('absolute.m3u8', self.path('secret.ts'))):
            os.symlink(target, os.path.join(self.served, name))
            self.assert_refused('/recordings/' + name, 404)
        os.symlink('rec.ts', os.path.join(self.served, 'in.ts'))
        self.assertEqual(self.get('/recordings/in.ts')[0], 200)
        names = [r['name'] for r in json.loads(self.get('/recordings.json')[2])]
        self.assertEqual(sorted(names), ['in.ts', 'rec.ts'])

    def test_only_reading_and_only_for_this_machine(self):
        for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'):
            self.assertEqual(self.get('/recordings/rec.ts', method=method)[0], 405)
        self.assertTrue(os.path.exists(os.path.join(self.served, 'rec.ts')))
        self.assertEqual(self.get('/', {'Host': 'rebound.example'})[0], 403)
        self.assertEqual(self.get('/', {'Host': f'localhost:{self.port()}'})[0], 200)

    def test_list_says_what_grows(self):
        old = time.time() - 3600
        os.utime(os.path.join(self.served, 'rec.ts'), (old, old))
        self.write('new <b>&.ts', b'')
        found = {r['name']: r for r in json.loads(self.get('/recordings.json')[2])}
        self.assertEqual(found['rec.ts']['size'], len(CONTENTS))
        self.assertFalse(found['rec.ts']['growing'])
        self.assertGreater(found['rec.ts']['age'], 3500)
        self.assertTrue(found['new <b>&.ts']['growing'])

    def test_playlist_of_a_killed_recorder_gets_its_end(self):
        text = b'#EXTM3U\n#EXTINF:2,\nrec.ts\n'
        self.write('rec.m3u8', text)
        self.assertEqual(self.get('/recordings/rec.m3u8')[2], text)
        old = time.time() - 3600
        for name in ('rec.ts', 'rec.m3u8'):
            os.utime(os.path.join(self.served, name), (old, old))
        self.assertEqual(self.get('/recordings/rec.m3u8')[2],
                         text + b'#EXT-X-ENDLIST\n')

    def test_page_is_complete(self):
        status, headers, body = self.get('/')
        self.assertEqual(status, 200)
        self.assertIn("default-src 'self'", headers['Content-Security-Policy'])
        self.assertNotRegex(body.decode(), r'(src|href)="(https?:)?//')
        for name in re.findall(r'(?:src|href)="([\w.]+)"', body.decode()):
            self.assertEqual(self.get('/' + name)[0], 200, name)
        self.assertEqual(self.get('/hls.js')[0], 200)


class SlowClients(Serve):
    options = ('--max-connections', '64')

    def test_thousands_of_slow_connections_are_bounded(self):
        sockets = []
        self.addCleanup(lambda: [s.close() for s in sockets])
        request = b'GET /recordings/rec.ts HTTP/1.1\r\nHost: localhost\r\nX: '
        for number in range(2000):
            slow = socket.create_connection(('127.0.0.1', self.port()), 10)
            slow.setblocking(False)
            try:
                slow.send(request if number % 2 else b'G')
            except OSError:
                pass
            sockets.append(slow)
            # Somebody who is not slow is served all the while.
            if number % 400 == 399:
                status, _, body = self.get('/recordings/rec.ts')
                self.assertEqual((status, body), (200, CONTENTS))
                self.assertLess(self.open_files(), 200)
        e2e.wait_for(lambda: self.open_files() < 200, 'the slow ones to be dropped')
        self.assertTrue(self.process.is_running())

    def open_files(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))


if __name__ == '__main__':
    e2e.need_tools('node', 'npm')
    unittest.main(verbosity=2)
