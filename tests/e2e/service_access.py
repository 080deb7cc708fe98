#!/usr/bin/python3
# gst-tsrec: the recording service: whose recordings, and what belongs to one
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tokens and auth-url by the id of a recording, however its file is named;
deleting what has fragments; a configuration that is read again and takes [auth]
away; what a crash left, asked for by its id.
"""

import contextlib
import http.server
import json
import os
import re
import signal
import threading
import time
import unittest
import urllib.error
import urllib.request

import e2e
import service

e2e.need_elements('recserver')


class Access(e2e.TestCase):
    def setUp(self):
        super().setUp()
        self.recordings = self.path('recordings')
        os.makedirs(os.path.join(self.recordings, 'day'))
        self.config = self.path('server.conf')

    def write(self, name, content=b'0' * 188, age=7200):
        path = os.path.join(self.recordings, name)
        with open(path, 'wb') as file:
            file.write(json.dumps(content).encode() if isinstance(content, dict) else content)
        os.utime(path, (time.time() - age, time.time() - age))

    def serve(self, text):
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(text)
        return service.Service(self, self.folder, '--config', self.config)

    def test_a_token_is_for_the_id_and_not_for_what_begins_like_it(self):
        server = self.serve('[auth]\nboss = watch; *; boss-token\ncam = watch, control; cam; cam-token\n')
        mine = ['cam.ts', 'cam-20260131-120000.ts', 'cam-20260131-120000-1.ts', 'day/12.ts']
        others = ['cam-2-20260131-120000.ts', 'cam-2.ts', 'cam.b-20260131-120000.ts', 'camera.ts', 'cam-20260131.ts']
        for name in mine + others:
            self.write(name)
        self.write('day/12.json', {'id': 'cam', 'ended': 'stop'})
        self.write('cam-20260131.json', {'id': 'cam-20260131', 'ended': 'stop'})
        self.write('cam-20260131-120000-1.json', {'id': 'cam', 'ended': 'stop'})
        listed = server.ask('GET', '/api/recordings', token='cam-token')
        self.assertEqual(sorted(row['name'] for row in listed['recordings']), sorted(mine))
        self.assertEqual(server.ask('GET', '/api/recordings', token='boss-token')['total'], len(mine + others))
        for name in mine:
            self.assertEqual(server.request('GET', f'/files/{name}', token='cam-token')[0], 200, name)
        for name in others:
            for method, path in (('GET', f'/files/{name}'), ('GET', f'/hls/{name}.m3u8'),
                                 ('GET', f'/api/recordings/{name}/clip'), ('DELETE', f'/api/recordings/{name}')):
                self.assertEqual(server.request(method, path, token='cam-token')[0], 403, f'{method} {path}')
        for name in mine:
            self.assertEqual(server.request('DELETE', f'/api/recordings/{name}', token='cam-token')[0], 200, name)

    def test_metrics_are_those_of_the_recordings_of_the_token(self):
        e2e.need_elements('x264enc')
        server = self.serve('[auth]\nboss = watch, control; *; boss-token\ncam = watch; cam*; cam-token\n[path *]\n'
                            'launch=videotestsrc is-live=true name=source ! x264enc tune=zerolatency ! h264parse ! '
                            'recmonitor name=monitor_video stage=video ! tsrecsink name=rec\n')
        for name in ('cam1', 'other'):
            server.ask('POST', '/api/recording/start', {'id': name}, token='boss-token')

        def seen(token):
            text = server.ask('GET', '/metrics', token=token).decode()
            return set(re.findall(r'recording="([^"]*)"', text)), 'recserver_recordings{' in text
        e2e.wait_for(lambda: seen('boss-token') == ({'cam1', 'other'}, True), 'the metrics of both')
        self.assertEqual(seen('cam-token'), ({'cam1'}, True))

    def test_auth_url_is_told_whose_recording_it_is(self):
        asked = []

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                asked.append(question)
                self.send_response(204 if question.get('id') == 'cam' else 403)
                self.end_headers()

            def log_message(self, *_):
                pass

        receiver = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Receiver)
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        server = self.serve(f'[auth]\nauth-url=http://127.0.0.1:{receiver.server_port}/\n')
        self.write('day/12.ts')
        self.write('day/12.json', {'id': 'cam', 'ended': 'stop'})
        self.write('other-20260131-120000.ts')
        for method, path, body, name, wanted in (
                ('POST', '/api/recording/start', {'mint_id': 'cam'}, 'cam', 200),
                ('POST', '/api/recording/start', {'id': 'other'}, 'other', 403),
                ('POST', '/api/recording/stop', {'id': 'other', 'mint_id': 'cam'}, 'other', 403),
                ('POST', '/api/recording/stop', {'id': 'cam'}, 'cam', 200),
                ('GET', '/api/recording/status/cam', None, 'cam', 200),
                ('GET', '/files/day/12.ts', None, 'cam', 200),
                ('GET', '/files/other-20260131-120000.ts', None, 'other', 403),
                ('DELETE', '/api/recordings/other-20260131-120000.ts', None, 'other', 403),
                ('GET', '/api/recordings', None, None, 403)):
            with self.subTest(path=path, name=name):
                self.assertEqual(server.request(method, path, body, token='t')[0], wanted)
                self.assertEqual(asked[-1].get('id'), name)

    def test_a_recording_is_deleted_with_its_fragments(self):
        server = self.serve('')
        files = ['ev-00000.ts', 'ev-00000.json', 'ev-00000.jpg', 'ev-00001.ts', 'ev.jsonl']
        for name in [*files, 'other.ts', 'one.m3u8', 'one.ts', 'one.json', 'one.jpg']:
            self.write(name)
        self.write('ev.m3u8', b'#EXTM3U\n#EXTINF:1,\nev-00000.ts\n#EXTINF:1,\nev-00001.ts\n#EXTINF:1,\nother.ts\n')
        self.write('ev-00002.ts', age=0)  # being written, and in no playlist yet
        self.assertEqual(server.request('DELETE', '/api/recordings/ev.m3u8')[0], 409)
        self.assertTrue(set(files) < set(os.listdir(self.recordings)))
        os.unlink(os.path.join(self.recordings, 'ev-00002.ts'))
        self.assertEqual(server.request('DELETE', '/api/recordings/ev.m3u8')[0], 200)
        # Files of a recording are not deleted without it.
        self.assertEqual(server.request('DELETE', '/api/recordings/one.m3u8')[0], 404)
        self.assertEqual(server.request('DELETE', '/api/recordings/one.jpg')[0], 404)
        self.assertEqual(sorted(os.listdir(self.recordings)),
                         ['day', 'one.jpg', 'one.json', 'one.m3u8', 'one.ts', 'other.ts'])

    def test_a_configuration_without_auth_does_not_open_the_network(self):
        server = self.serve('[server]\nhost=0.0.0.0\n[auth]\nboss = watch, control; *; boss-token\n')
        with open(self.config, 'w', encoding='ascii') as file:
            file.write('[server]\nhost=127.0.0.1\n')
        os.kill(server.pid(), signal.SIGHUP)
        e2e.wait_for(lambda: 'settings stay as they are' in server.process.said(), 'the refusal')
        self.assertEqual(server.request('GET', '/api/recordings')[0], 401)

    def test_recordings_stay_in_the_folder_that_is_served(self):
        def start(name):
            body = json.dumps({'id': name}).encode()
            with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(f'{url}api/recording/start', body) as answer:
                return json.load(answer)['output_path']

        with open(self.config, 'w', encoding='ascii') as file:
            file.write(f'[server]\nport=0\ndirectory={self.recordings}\n')
        # Not the script, whose folder wins over the file.
        process = self.start(['gst-launch-1.0', '-e', '-v', 'recserver', f'config={self.config}'], 'server')
        url = e2e.wait_for(lambda: re.search(r'http://[0-9.:]+/', process.said()), 'the service')[0]
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(f'[server]\ndirectory={self.path("elsewhere")}\nmax-recordings=1\n')
        self.assertIsNotNone(start('before'))
        os.kill(process.pid, signal.SIGHUP)
        paths = []
        e2e.wait_for(lambda: paths.append(start(f'a{len(paths)}')) or paths[-1] is None, 'the new limit')
        self.assertEqual({os.path.dirname(path) for path in paths[:-1]} - {self.recordings}, set())
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(f'[server]\ndirectory={self.path("elsewhere")}\nmax-recordings=50\n')
        os.kill(process.pid, signal.SIGHUP)
        path = e2e.wait_for(lambda: start('after'), 'the limit to go')
        self.assertEqual(os.path.dirname(path), self.recordings)

    def test_what_a_crash_left_has_every_field(self):
        self.write('cam-20260131-120000.ts', b'G' + b'\xff' * 187)
        self.write('cam-20260131-120000.json', {'id': 'cam', 'ended': None, 'start_time': '2026-01-31T12:00:00.000Z'})
        server = self.serve('')
        status = server.ask('GET', '/api/recording/status/cam')
        self.assertEqual((status['state'], status['ended'], status['file_size_bytes']), ('stopped', 'crash', 188))
        self.assertFalse({'is_recording', 'start_time', 'output_path', 'duration_seconds', 'gap_seconds', 'tracks', 'stats',
                          'alerts'} - set(status))
        self.assertEqual(status['stats']['zero_packet_streak'], 0)
        end = server.ask('POST', '/api/recording/stop', {'id': 'cam'})
        self.assertEqual((end['output_path'], end['file_size_bytes']), (status['output_path'], 188))


if __name__ == '__main__':
    unittest.main(verbosity=2)
