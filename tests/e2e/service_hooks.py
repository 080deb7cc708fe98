#!/usr/bin/python3
# gst-tsrec: hooks and commands whose receivers fail
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Receivers that are down, slow, answer 500, never end their answer, or have a
certificate that nobody knows; commands for many fragments, one that fails, and a
crash before it succeeds. REC_SERVICE_DOWN: seconds that a receiver is down.
"""

import contextlib
import hmac
import http.server
import json
import os
import signal
import socketserver
import ssl
import subprocess
import threading
import time
import unittest

import e2e
import service

e2e.need_tools('ffprobe', 'ffmpeg', 'openssl')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')

DOWN = float(os.environ.get('REC_SERVICE_DOWN', '5'))
FRAGMENTS = 20 if DOWN < 30 else 100
SECRET = b's3cret'


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers['Content-Length']))
        server.tried += 1
        server.test.assertEqual(self.headers['X-Signature'],
                                'sha256=' + hmac.new(SECRET, body, 'sha256').hexdigest())
        if server.tried <= server.failures:
            self.answer(500)
            return
        time.sleep(server.delay)
        if server.endless and server.tried == 1:
            self.answer(500)
            with contextlib.suppress(OSError):
                while not server.ended:
                    self.wfile.write(b' ' * 65536)
                    server.sent += 65536
            return
        server.came.append(json.loads(body))
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


class Receiver(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, test, port=0, failures=0, delay=0.0, endless=False, certificate=None):
        super().__init__(('127.0.0.1', port), Handler)
        self.test, self.failures, self.delay, self.endless = test, failures, delay, endless
        self.tried, self.sent, self.came, self.ended = 0, 0, [], False
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        test.addCleanup(self.end)

    def handle_error(self, *_):
        """A handshake that was refused."""

    def end(self):
        self.ended = True
        self.shutdown()
        self.server_close()


class Hooks(e2e.TestCase):
    def configure(self, text):
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write(text)
        return config

    def make_certificate(self):
        path = self.path('self-signed.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
                        '/CN=127.0.0.1', '-keyout', path, '-out', path + '.crt'], check=True, capture_output=True)
        with open(path, 'ab') as file, open(path + '.crt', 'rb') as certificate:
            file.write(certificate.read())
        return path

    def test_receivers_that_fail_lose_nothing_and_block_nobody(self):
        names = ['down', 'broken', 'slow', 'endless', 'untrusted', 'well']
        down_port = e2e.free_port()
        receivers = {'broken': Receiver(self, failures=2), 'slow': Receiver(self, delay=1.0),
                     'endless': Receiver(self, endless=True), 'well': Receiver(self),
                     'untrusted': Receiver(self, certificate=self.make_certificate())}
        ports = {'down': down_port, **{name: r.server_port for name, r in receivers.items()}}
        server = service.Service(self, self.folder, '--config', self.configure(''.join(
            f'[path {name}]\nhook-url=http{"s" * (name == "untrusted")}://127.0.0.1:{ports[name]}/\n'
            f'hook-secret={SECRET.decode()}\n' for name in names)))
        publishers = [server.publish(name) for name in names]
        for name in names:
            server.wait_for_state(name, 'recording', 'stalled')
        down_until = time.monotonic() + DOWN
        for name in names:
            end = server.ask('POST', '/api/recording/stop', {'id': name})
            self.assertEqual(end['file_size_bytes'], os.path.getsize(end['output_path']))
        for publisher in publishers:
            publisher.end()
        e2e.wait_for(lambda: time.monotonic() > down_until, 'the receiver to be down', DOWN + 1)
        receivers['down'] = Receiver(self, port=down_port)
        for name, receiver in receivers.items():
            if name == 'untrusted':
                continue
            e2e.wait_for(lambda r=receiver: any(e['event'] == 'recording-stopped' for e in r.came),
                         f'the last hook of {name}', 120)
            events = [event['event'] for event in receiver.came]
            self.assertEqual((events[0], events[-1]), ('recording-started', 'recording-stopped'), name)
            self.assertEqual({event['id'] for event in receiver.came}, {name})
            for event in ('publisher-connected', 'fragment-opened', 'fragment-closed'):
                self.assertEqual(events.count(event), 1, (name, events))
            times = [event['time'] for event in receiver.came]
            self.assertEqual(times, sorted(times), name)
        self.assertEqual(receivers['untrusted'].tried, 0)
        self.assertLess(receivers['endless'].sent, 1 << 27)

    def test_a_command_for_each_fragment(self):
        ran = self.path('ran')
        server = service.Service(self, self.folder, '--config', self.configure(
            f"[path *]\nmax-size-time=0.3\nrun-on-closed=sh -c 'echo $REC_PATH >> {ran}; test -s $REC_PATH'\n"))
        publisher = self.start([
            'gst-launch-1.0', '-q', 'videotestsrc', 'is-live=true', '!',
            'video/x-raw,width=160,height=120,framerate=20/1', '!', 'x264enc', 'tune=zerolatency',
            'speed-preset=ultrafast', 'key-int-max=6', 'threads=1', '!', 'video/x-h264,profile=constrained-baseline',
            '!', 'recwhipsink', f'location=http://127.0.0.1:{server.port}/whip/cam'], 'publisher')
        e2e.wait_for(lambda: server.ask('GET', '/api/recording/active')['recordings'].get('cam', {}).get(
            'stats', {}).get('fragments', 0) > FRAGMENTS, f'{FRAGMENTS} fragments', 240)
        server.ask('POST', '/api/recording/stop', {'id': 'cam'})
        publisher.end()
        fragments = sorted(os.path.join(server.recordings, name) for name in os.listdir(server.recordings)
                           if name.endswith('.ts'))
        self.assertGreater(len(fragments), FRAGMENTS)

        def commands():
            with open(ran, encoding='utf-8') as file:
                return file.read().split()
        e2e.wait_for(lambda: len(commands()) >= len(fragments), 'all commands', 120)
        self.assertEqual(sorted(commands()), fragments)

    def test_a_command_that_failed_is_run_after_a_crash(self):
        go, ran = self.path('go'), self.path('ran')
        config = self.configure(f"[path *]\nkeep-time=1\nrun-on-closed=sh -c 'test -e {go} && echo $REC_ID >> {ran}'\n")
        server = service.Service(self, self.folder, '--config', config)
        server.publish('cam')
        server.wait_for_state('cam', 'recording', 'stalled')
        path = server.ask('POST', '/api/recording/stop', {'id': 'cam'})['output_path']
        sidecar = path.replace('.ts', '.json')
        e2e.wait_for(lambda: service.load(sidecar).get('run_on_closed') == 'pending', 'the note of the command')
        os.kill(server.pid(), signal.SIGKILL)
        e2e.wait_for(lambda: not server.process.is_running(), 'the script to notice')
        old = time.time() - 7200
        os.utime(path, (old, old))
        server = service.Service(self, self.folder, '--config', config)
        server.ask('GET', '/api/recordings')
        self.assertTrue(os.path.exists(path), 'deleted before its command has succeeded')
        with open(go, 'wb'):
            pass
        e2e.wait_for(lambda: service.load(sidecar)['run_on_closed'] == 'done', 'the command', 120)
        with open(ran, encoding='ascii') as file:
            self.assertEqual(file.read().split(), ['cam'])
        self.assertEqual(service.load(sidecar)['ended'], 'stop')


if __name__ == '__main__':
    unittest.main(verbosity=2)
