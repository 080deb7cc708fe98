#!/usr/bin/python3
# gst-tsrec: the recording service over HTTPS
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""curl with the certificate of an authority against pipelines/server and
pipelines/serve; certificates that are renewed while the service runs, and clients
that do not read.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest

import e2e
import service

e2e.need_tools('curl', 'openssl')
e2e.need_elements('recserver', 'recwhipsrc')


class Authority:
    """Issues certificates for 127.0.0.1."""

    def __init__(self, folder, name):
        self.folder = folder
        self.key, self.certificate = (os.path.join(folder, f'{name}.{kind}') for kind in ('key', 'crt'))
        self.run('req', '-x509', '-nodes', '-subj', f'/CN={name}', '-keyout', self.key, '-out', self.certificate,
                 '-addext', 'keyUsage=keyCertSign', *self.new_key())

    @staticmethod
    def new_key():
        return '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-days', '2'

    def run(self, *arguments):
        subprocess.run(['openssl', *arguments], cwd=self.folder, check=True, capture_output=True)

    def issue(self, certificate, key):
        request = os.path.join(self.folder, 'request')
        extension = os.path.join(self.folder, 'extension')
        with open(extension, 'w', encoding='ascii') as file:
            file.write('subjectAltName=IP:127.0.0.1\n')
        self.run('req', '-nodes', '-subj', '/CN=service', '-keyout', key, '-out', request, *self.new_key()[:-2])
        self.run('x509', '-req', '-in', request, '-CA', self.certificate, '-CAkey', self.key, '-CAcreateserial',
                 '-days', '2', '-extfile', extension, '-out', certificate)


class Tls(e2e.TestCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder, 'first')
        self.certificate, self.key = self.path('server.pem'), self.path('server.key')
        self.authority.issue(self.certificate, self.key)
        self.config = self.path('server.conf')
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(f'[server]\ntls-certificate={self.certificate}\ntls-key={self.key}\n')

    def curl(self, port, path, *options, authority=None):
        """Exit status and output."""
        result = subprocess.run(
            ['curl', '-s', '-S', '--cacert', (authority or self.authority).certificate, *options,
             f'https://127.0.0.1:{port}{path}'], capture_output=True, check=False)
        return result.returncode, result.stdout

    def ask(self, port, path, *options):
        status, output = self.curl(port, path, *options)
        self.assertEqual(status, 0)
        return json.loads(output)

    def write_recording(self, server_folder, size=1 << 20):
        os.makedirs(server_folder, exist_ok=True)
        packet = b'\x47\x1f\xff\x10' + bytes(184)
        with open(os.path.join(server_folder, 'a.ts'), 'wb') as file:
            file.write(packet * (size // 188))
        return os.path.join(server_folder, 'a.ts')

    def reload(self, server):
        os.kill(server.process.pid, signal.SIGHUP)

    def test_curl_that_knows_the_authority_may_do_everything(self):
        path = self.write_recording(self.path('recordings'))
        server = service.Service(self, self.folder, '--config', self.config)
        answer = self.ask(server.port, '/api/recording/start', '-d', '{"id": "cam"}')
        self.assertEqual(answer['publish_url'], f'https://127.0.0.1:{server.port}/whip/cam')
        self.assertEqual(self.ask(server.port, '/api/recording/active')['count'], 1)
        self.assertEqual(self.ask(server.port, '/api/recording/stop', '-d', '{"id": "cam"}')['state'], 'stopped')
        self.assertEqual(self.curl(server.port, '/')[1][:15].lower(), b'<!doctype html>')
        self.check_file(server.port, path)
        # Neither without the authority nor without TLS.
        self.assertEqual(self.curl(server.port, '/', authority=Authority(self.folder, 'other'))[0], 60)
        plain = subprocess.run(['curl', '-s', f'http://127.0.0.1:{server.port}/'], capture_output=True, check=False)
        self.assertNotEqual(plain.returncode, 0)

    def test_a_folder_is_shown_over_https(self):
        path = self.write_recording(self.path('shown'))
        process = self.start([os.path.join(e2e.PIPELINES, 'serve'), '--port', '0', '--config', self.config,
                              self.path('shown')], 'serve')
        port = int(e2e.wait_for(lambda: re.search(r'https://127.0.0.1:(\d+)/', process.said()), 'the server')[1])
        self.assertEqual([r['name'] for r in self.ask(port, '/api/recordings')['recordings']], ['a.ts'])
        self.check_file(port, path)
        self.assertEqual(self.curl(port, '/')[1][:15].lower(), b'<!doctype html>')

    def check_file(self, port, path):
        with open(path, 'rb') as file:
            content = file.read()
        self.assertEqual(self.curl(port, '/files/a.ts')[1], content)
        self.assertEqual(self.curl(port, '/files/a.ts', '-r', '188-563')[1], content[188:564])

    def test_a_certificate_without_a_key_is_refused(self):
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(f'[server]\ntls-certificate={self.certificate}\n')
        process = self.start([os.path.join(e2e.PIPELINES, 'server'), '--port', '0', '--config', self.config,
                              self.path('recordings')], 'server')
        self.assertEqual(process.wait(), 1)
        self.assertIn('comes without a private key', process.said())

    def test_a_renewed_certificate_is_used_after_sighup(self):
        server = service.Service(self, self.folder, '--config', self.config)
        renewed = Authority(self.folder, 'second')
        renewed.issue(self.certificate, self.key)
        self.assertEqual(self.curl(server.port, '/healthz')[0], 0)
        self.reload(server)
        e2e.wait_for(lambda: self.curl(server.port, '/healthz', authority=renewed)[0] == 0, 'the new certificate')
        self.assertEqual(self.curl(server.port, '/healthz')[0], 60)
        # One that cannot be read changes nothing.
        with open(self.certificate, 'w', encoding='ascii') as file:
            file.write('half of a certif')
        self.reload(server)
        e2e.wait_for(lambda: 'continues with the certificate that it has' in server.process.said(), 'the warning')
        self.assertEqual(self.curl(server.port, '/healthz', authority=renewed)[0], 0)

    def test_an_answer_may_take_longer_than_a_request(self):
        """Events are sent for longer than the 10 s that a request has to arrive in."""
        server = service.Service(self, self.folder, '--config', self.config)
        context = ssl.create_default_context(cafile=self.authority.certificate)
        connection = http.client.HTTPSConnection('127.0.0.1', server.port, context=context, timeout=e2e.PATIENCE)
        self.addCleanup(connection.close)
        connection.request('GET', '/api/events')
        response = connection.getresponse()
        begin = time.monotonic()
        while time.monotonic() < begin + 15:
            self.assertNotEqual(response.readline(), b'', f'it ended after {time.monotonic() - begin:.0f} s')

    def test_a_connection_ends_with_its_response(self):
        """As the header says."""
        server = service.Service(self, self.folder, '--config', self.config)
        context = ssl.create_default_context(cafile=self.authority.certificate)
        for _ in range(50):
            with contextlib.closing(http.client.HTTPSConnection('127.0.0.1', server.port, context=context,
                                                                timeout=e2e.PATIENCE)) as connection:
                connection.request('GET', '/metrics')
                response = connection.getresponse()
                text = response.read().decode()
            self.assertEqual(response.headers['Connection'], 'close')
        self.assertLess(int(re.search(r'^recserver_connections (\d+)', text, re.MULTILINE)[1]), 10)

    def test_clients_that_do_not_read_hold_up_nobody(self):
        path = self.write_recording(self.path('recordings'), 64 << 20)
        server = service.Service(self, self.folder, '--config', self.config)
        context = ssl.create_default_context(cafile=self.authority.certificate)
        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(4):
                plain = socket.create_connection(('127.0.0.1', server.port), e2e.PATIENCE)
                client = stack.enter_context(context.wrap_socket(plain, server_hostname='127.0.0.1'))
                client.sendall(b'GET /files/a.ts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
                self.assertTrue(client.recv(100))
                clients.append(client)
            os.truncate(path, 188)
            # Too much of a body, by a client that takes no answer.
            plain = socket.create_connection(('127.0.0.1', server.port), e2e.PATIENCE)
            big = stack.enter_context(context.wrap_socket(plain, server_hostname='127.0.0.1'))
            big.sendall(b'POST /api/recording/start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
                        b'Content-Length: 100000000\r\n\r\n')
            with self.assertRaises(OSError):
                while True:
                    big.sendall(bytes(65536))
            self.assertEqual(self.curl(server.port, '/healthz', '--max-time', str(e2e.PATIENCE))[0], 0)
            for client in clients:
                received = 0
                with contextlib.suppress(OSError):
                    while chunk := client.recv(1 << 20):
                        received += len(chunk)
                self.assertLess(received, 64 << 20)


if __name__ == '__main__':
    unittest.main(verbosity=2)
