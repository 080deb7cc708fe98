#!/usr/bin/python3
# gst-tsrec: the recording service as people run it
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pipelines/server with publishers of their own processes: the request of the
README, twenty recordings at once, kill -9 and restart, hooks and commands, tokens,
and clients that mean no good.
"""

import contextlib
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import e2e

e2e.need_tools('ffprobe', 'ffmpeg')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')


class Service:
    """pipelines/server on a free port."""

    def __init__(self, test, folder, *options, pipelines=e2e.PIPELINES, env=None, prefix=()):
        self.folder = folder
        self.test = test
        self.recordings = os.path.join(folder, 'recordings')
        self.process = e2e.Process(
            [*prefix, os.path.join(pipelines, 'server'), '--port', '0', *options, self.recordings], folder,
            f'server-{time.monotonic_ns()}', env=env)
        test.addCleanup(self.process.end)
        found = e2e.wait_for(lambda: re.search(r'https?://(?:127.0.0.1|0.0.0.0):(\d+)/', self.process.said()) or
                             not self.process.is_running(), 'the service')
        test.assertIsNot(found, True, self.process.said())
        self.port = int(found[1])

    def request(self, method, path, body=None, token=None, headers=None):
        """(status, headers, JSON or text)"""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=e2e.PATIENCE * 8)
        headers = dict(headers or {})
        if token:
            headers['Authorization'] = f'Bearer {token}'
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if isinstance(body, dict) else body, headers)
            response = connection.getresponse()
            text = response.read()
        if response.headers.get_content_type() == 'application/json':
            return response.status, response.headers, json.loads(text)
        return response.status, response.headers, text

    def ask(self, method, path, body=None, **kwargs):
        status, _, answer = self.request(method, path, body, **kwargs)
        self.test.assertEqual(status, 200, answer)
        return answer

    def publish(self, name, token=None):
        options = [f'auth-token={token}'] if token else []
        publisher = e2e.Process([
            'gst-launch-1.0', '-q', 'videotestsrc', 'is-live=true', '!', 'video/x-raw,width=160,height=120,framerate=15/1',
            '!', 'x264enc', 'tune=zerolatency', 'speed-preset=ultrafast', 'key-int-max=15', 'threads=1', '!',
            'video/x-h264,profile=constrained-baseline', '!', 'recwhipsink', 'name=sink',
            f'location=http://127.0.0.1:{self.port}/whip/{name}', *options,
            'audiotestsrc', 'is-live=true', '!', 'opusenc', '!', 'sink.audio'], self.folder, f'publisher-{name}')
        self.test.addCleanup(publisher.end)
        return publisher

    def wait_for_state(self, name, *states):
        return e2e.wait_for(lambda: (status := self.request('GET', f'/api/recording/status/{name}')[2])
                            .get('state') in states and status, f'{name} to be {states}', 240)

    def pid(self):
        """Of gst-launch-1.0, which is a child of the script."""
        children = subprocess.run(['pgrep', '-P', str(self.process.pid), '-f', 'recserver'], capture_output=True,
                                  text=True, check=True)
        return int(children.stdout.split()[0])


def plays(path):
    streams = subprocess.run(['ffprobe', '-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', path],
                             capture_output=True, text=True, check=True).stdout
    return set(streams.replace(',', ' ').split()), e2e.decoding_complaints(path)


def load(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


class Base(e2e.TestCase):
    """Its folder is the test's own."""


class Requests(Base):
    def test_request_of_the_readme_makes_an_mp4_that_plays(self):
        service = Service(self, self.folder)
        url = f'http://127.0.0.1:{service.port}'
        answer = json.loads(subprocess.run(
            ['curl', '-s', '-X', 'POST', f'{url}/api/recording/start', '-H', 'Content-Type: application/json',
             '-d', '{"mint_id": "your_mint_id", "output_format": "mp4", "video_quality": "medium"}'],
            capture_output=True, check=True).stdout)
        self.assertEqual((answer['success'], answer['state']), (True, 'waiting'))
        self.assertEqual(answer['publish_url'], f'{url}/whip/your_mint_id')
        service.publish('your_mint_id')
        service.wait_for_state('your_mint_id', 'recording')
        e2e.wait_for(lambda: service.ask('GET', '/api/recording/status/your_mint_id')['duration_seconds'] > 1.5,
                     'a second and a half')
        end = service.ask('POST', '/api/recording/stop', {'mint_id': 'your_mint_id'})
        self.assertEqual(end['output_path'], answer['output_path'])
        self.assertEqual(end['file_size_bytes'], os.path.getsize(end['output_path']))
        codecs, errors = plays(end['output_path'])
        self.assertEqual(codecs, {'h264', 'aac'})
        self.assertFalse(errors)

    def test_sidecar_names_what_was_recorded(self):
        service = Service(self, self.folder)
        service.publish('cam')
        service.wait_for_state('cam', 'recording')
        path = service.ask('POST', '/api/recording/stop', {'id': 'cam'})['output_path']
        sidecar = path.replace('.ts', '.json')
        facts = e2e.wait_for(lambda: (facts := load(sidecar)).get('ended') and facts,
                             'the sidecar')
        with open(path, 'rb') as file:
            self.assertEqual(facts['sha256'], hashlib.sha256(file.read()).hexdigest())
        self.assertEqual((facts['id'], facts['ended'], facts['sound']), ('cam', 'stop', True))
        self.assertEqual(facts['file_size_bytes'], os.path.getsize(path))
        e2e.wait_for(lambda: e2e.size_of(path.replace('.ts', '.jpg')), 'the thumbnail')
        self.assertEqual({track['codec'] for track in facts['tracks']}, {'H.264', 'AAC'})

    def test_document_names_every_route(self):
        service = Service(self, self.folder)
        paths = service.ask('GET', '/api/openapi.json')['paths']
        for path, methods in paths.items():
            for method in methods:
                with self.subTest(path=path, method=method):
                    where = re.sub(r'\{\w+\}', 'x', path)
                    if 'events' not in where:
                        status = service.request(method.upper(), where, '{}' if method == 'post' else None)[0]
                        self.assertNotIn(status, (405, 500))


class Clips(Base):
    def clip(self, service, name, start, duration):
        at = start.isoformat(timespec='milliseconds').replace('+00:00', 'Z')
        return service.request('GET', f'/api/recordings/{name}/clip?start={at}&duration={duration}')

    def test_ranges_begin_with_a_key_frame_and_decode_alone(self):
        service = Service(self, self.folder)
        service.publish('cam')
        service.wait_for_state('cam', 'recording')
        e2e.wait_for(lambda: service.ask('GET', '/api/recording/status/cam')['duration_seconds'] > 6, 'six seconds')
        path = service.ask('GET', '/api/recording/status/cam')['output_path']
        for state in ('growing', 'closed'):
            first = datetime.datetime.fromisoformat(load(path.replace('.ts', '.json'))['first_utc'])
            for offset in (0.2, 1.7, 3.1):
                with self.subTest(state=state, offset=offset):
                    status, _, data = self.clip(service, os.path.basename(path),
                                                first + datetime.timedelta(seconds=offset), 1.5)
                    self.assertEqual(status, 200, data)
                    clip = self.path('clip.ts')
                    with open(clip, 'wb') as file:
                        file.write(data)
                    codecs, errors = plays(clip)
                    self.assertEqual((codecs, errors), ({'h264', 'aac'}, ''))
                    frames = subprocess.run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries',
                                             'packet=flags,pts_time', '-of', 'csv=p=0', clip],
                                            capture_output=True, text=True, check=True).stdout.split()
                    times = [float(frame.split(',')[0]) for frame in frames]
                    self.assertIn('K', frames[0])
                    # a group of pictures is a second
                    self.assertTrue(1 < times[-1] - times[0] < 3.7, times)
            if state == 'growing':
                status, _, answer = self.clip(service, os.path.basename(path), first - datetime.timedelta(hours=1), 5)
                self.assertEqual(status, 404)
                self.assertIn('begins at', answer['detail'])
                service.ask('POST', '/api/recording/stop', {'id': 'cam'})
                e2e.wait_for(lambda: load(path.replace('.ts', '.json'))['ended'], 'the sidecar')
        status, _, answer = self.clip(service, os.path.basename(path), first + datetime.timedelta(hours=1), 5)
        self.assertEqual(status, 404)
        self.assertIn('ends at', answer['detail'])


class Mp4(Base):
    """GET /api/recordings/NAME/clip?format=mp4"""

    def setUp(self):
        super().setUp()
        self.recordings = self.path('recordings')
        os.mkdir(self.recordings)

    def make(self, name, *options, folder=None):
        path = os.path.join(folder or self.recordings, name)
        subprocess.run(['ffmpeg', '-v', 'error', '-y', *options, '-f', 'mpegts', path], check=True)
        return path

    def camera(self, name, codec='libx264', seconds=6, size='160x120', sound=('-itsoffset', '2'), audio='aac', **kwargs):
        return self.make(
            name, '-f', 'lavfi', '-i', f'testsrc=size={size}:rate=25:duration={seconds}', *sound, '-f', 'lavfi', '-i',
            f'sine=duration={seconds - 2}', '-c:v', codec, '-g', '25', '-bf', '2', '-c:a', audio, '-ac', '2',
            '-strict', '-2', **kwargs)

    def packets(self, path, kind):
        """Presentation times from the first video packet on, and the hashes of what is decoded."""
        shown = subprocess.run(['ffprobe', '-v', 'error', '-show_entries', 'packet=codec_type,pts_time', '-of',
                                'csv=p=0', path], capture_output=True, text=True, check=True).stdout.split()
        rows = [line.split(',') for line in shown]
        first = min(float(row[1]) for row in rows if row[0] == 'video')
        times = sorted(float(row[1]) - first for row in rows if row[0] == kind)
        decoded = subprocess.run(['ffmpeg', '-v', 'error', '-i', path, '-map', f'0:{kind[0]}', '-f', 'framehash', '-'],
                                 capture_output=True, text=True, check=True).stdout
        return times, [line.split(',')[-1] for line in decoded.splitlines() if not line.startswith('#')]

    def test_whole_recordings_keep_every_access_unit_and_time(self):
        for codec, audio in (('libx264', 'aac'), ('libx265', 'libopus'), ('mpeg2video', 'ac3')):
            self.camera(f'{codec}.ts', codec, audio=audio)
        service = Service(self, self.folder)
        for name in os.listdir(self.recordings):
            with self.subTest(name=name):
                status, headers, data = service.request('GET', f'/api/recordings/{name}/clip?format=mp4')
                self.assertEqual((status, headers['Content-Type']), (200, 'video/mp4'), data)
                self.assertIn(f"filename*=UTF-8''{name[:-3]}.mp4", headers['Content-Disposition'])
                self.assertIn(f'filename="{name[:-3]}.mp4"', headers['Content-Disposition'])
                self.assertIn(b'moof', data)
                made = self.path('made.mp4')
                with open(made, 'wb') as file:
                    file.write(data)
                self.assertEqual(e2e.decoding_complaints(made), '')
                for kind in ('video', 'audio'):
                    times, hashes = self.packets(made, kind)
                    wanted, frames = self.packets(os.path.join(self.recordings, name), kind)
                    self.assertEqual(hashes, frames)
                    self.assertEqual(len(times), len(wanted))
                    for got, time_ in zip(times, wanted):
                        self.assertAlmostEqual(got, time_, delta=0.0015)

    def test_ranges_of_a_growing_and_of_a_closed_recording_decode_alone(self):
        service = Service(self, self.folder)
        service.publish('cam')
        service.wait_for_state('cam', 'recording')
        e2e.wait_for(lambda: service.ask('GET', '/api/recording/status/cam')['duration_seconds'] > 5, 'five seconds')
        path = service.ask('GET', '/api/recording/status/cam')['output_path']
        name = os.path.basename(path)
        first = datetime.datetime.fromisoformat(load(path.replace('.ts', '.json'))['first_utc'])
        start = (first + datetime.timedelta(seconds=1.5)).isoformat(timespec='milliseconds').replace('+00:00', 'Z')
        for state, query in (('growing', ''), ('growing', f'&start={start}&duration=1.5'), ('closed', ''),
                             ('closed', f'&start={start}&duration=1.5')):
            if state == 'closed' and service.ask('GET', '/api/recording/status/cam')['state'] != 'stopped':
                service.ask('POST', '/api/recording/stop', {'id': 'cam'})
            with self.subTest(state=state, query=query):
                status, _, data = service.request('GET', f'/api/recordings/{name}/clip?format=mp4{query}')
                self.assertEqual(status, 200, data)
                clip = self.path('clip.mp4')
                with open(clip, 'wb') as file:
                    file.write(data)
                self.assertEqual(plays(clip), ({'h264', 'aac'}, ''))
                times, _ = self.packets(clip, 'video')
                if query:
                    self.assertTrue(1 < times[-1] < 3.7, times)
        status, _, answer = service.request('GET', f'/api/recordings/{name}/clip?format=mp4&start=2001-01-01T00:00:00Z'
                                            '&duration=5')
        self.assertEqual((status, answer['error']), (404, 'no media in this range'))

    def test_what_an_mp4_cannot_hold_is_refused_with_the_reason(self):
        parts = self.path('parts')
        os.mkdir(parts)
        video = self.make('v.ts', '-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=25:duration=2', '-c:v', 'libx264',
                          folder=parts)
        other = self.make('o.ts', '-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=25:duration=2', '-c:v', 'mpeg2video',
                          folder=parts)
        sounds = [self.make(f'{rate}.ts', '-f', 'lavfi', '-i', f'sine=duration=2:sample_rate={rate}', '-c:a', 'aac',
                            folder=parts) for rate in (44100, 48000)]
        both = self.camera('b.ts', sound=(), folder=parts)
        joined = {'codec.ts': (video, other), 'rate.ts': sounds, 'late.ts': (video, None, both)}
        for name, files in joined.items():
            with open(os.path.join(self.recordings, name), 'wb') as out:
                for part in files:
                    if part:
                        with open(part, 'rb') as file:
                            out.write(file.read())
                    else:  # null packets
                        out.write((b'\x47\x1f\xff\x10' + b'\xff' * 184) * 400000)
        with open(os.path.join(self.recordings, 'none.ts'), 'wb') as out:
            out.write(b'\x47\x1f\xff\x10' * 188)
        with open(os.path.join(self.recordings, 'a.mp4'), 'wb') as out:
            out.write(b'0')
        service = Service(self, self.folder)
        for name, wanted, error in (('codec.ts', 422, 'the format changes'), ('rate.ts', 422, 'the format changes'),
                                    ('late.ts', 422, 'a track begins late'), ('none.ts', 404, 'no media in this range'),
                                    ('a.mp4', 422, 'format not available'), ('gone.ts', 404, None)):
            with self.subTest(name=name):
                status, headers, answer = service.request('GET', f'/api/recordings/{name}/clip?format=mp4')
                self.assertEqual(status, wanted, answer)
                self.assertNotIn('Content-Disposition', headers)
                if error:
                    self.assertEqual(answer['error'], error)
        self.assertEqual(service.request('GET', '/api/recordings/codec.ts/clip')[0], 200, 'MPEG-TS holds any')

    def test_clients_that_go_or_wait_leave_nothing_behind(self):
        path = self.camera('big.ts', seconds=20, size='640x480', sound=())
        with open(path, 'rb') as file:
            data = file.read()
        with open(path, 'ab') as file:  # more than sockets hold
            for _ in range(max(1, 30000000 // len(data))):
                file.write(data)
        service = Service(self, self.folder)
        clients = []
        children = lambda: subprocess.run(['pgrep', '-P', str(service.pid()), 'ffmpeg'], capture_output=True,
                                          text=True, check=False).stdout.split()
        for _ in range(4):
            client = socket.create_connection(('127.0.0.1', service.port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b'GET /api/recordings/big.ts/clip?format=mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n')
            self.assertIn(b'200', client.recv(100))
            clients.append(client)
        self.assertEqual(len(children()), 4)
        status, headers, answer = service.request('GET', '/api/recordings/big.ts/clip?format=mp4')
        self.assertEqual((status, answer['error']), (503, 'too many conversions'))
        self.assertIn('Retry-After', headers)
        for client in clients:
            client.close()
        e2e.wait_for(lambda: not children(), 'their processes to end')
        self.assertEqual(service.request('HEAD', '/api/recordings/big.ts/clip?format=mp4')[0], 200)
        self.assertEqual(children(), [])


class Examples(Base):
    def test_clients_of_the_examples_record(self):
        service = Service(self, self.folder)
        for number, client in enumerate((['/usr/bin/python3', 'service_client.py'], ['node', 'service_client.mjs'])):
            name = f'example{number}'
            process = self.start([client[0], os.path.join(e2e.SOURCE_DIR, 'examples', client[1]),
                                  f'http://127.0.0.1:{service.port}', name, '1'], f'client{number}')
            service.wait_for_state(name, 'waiting')
            service.publish(name)
            self.assertEqual(process.wait(240), 0, process.said())
            self.assertRegex(process.said(), rf'{name}-\S+\.ts [1-9]\d+ bytes')


class WithoutNpm(Base):
    def test_it_records_when_npm_cannot_fetch_the_player(self):
        tree, programs = self.path('tree'), self.path('programs')
        os.makedirs(os.path.join(tree, 'pipelines'))
        os.mkdir(programs)
        shutil.copytree(e2e.PIPELINES, os.path.join(tree, 'pipelines'), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('node_modules'))
        for name in ('meson.build', 'gst'):
            os.symlink(os.path.join(e2e.SOURCE_DIR, name), os.path.join(tree, name))
        with open(os.path.join(programs, 'npm'), 'w', encoding='ascii') as file:
            file.write('#!/bin/sh\nexit 1\n')
        os.chmod(file.name, 0o755)
        service = Service(self, self.folder, pipelines=os.path.join(tree, 'pipelines'),
                          env={**os.environ, 'PATH': programs + ':' + os.environ['PATH']})
        self.assertIn('without hls.js', service.process.said())
        service.publish('cam')
        service.wait_for_state('cam', 'recording')


class Many(Base):
    def wait_for_recording(self, service, publishers, name):
        """A publisher that gave up on a machine that is too busy is started again."""
        def is_recording():
            if not publishers[name].is_running():
                print(f'{name} ended: {publishers[name].said()}', file=sys.stderr)
                publishers[name] = service.publish(name)
            return service.request('GET', f'/api/recording/status/{name}')[2].get('state') == 'recording'

        e2e.wait_for(is_recording, f'{name} to be recorded', 240)

    def test_twenty_recordings_at_once_in_300_megabytes(self):
        # twenty encoders and a busy machine: a publisher may not run for ten seconds
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write('[path *]\npeer-timeout=5m\n')
        service = Service(self, self.folder, '--config', config)
        names = [f'cam{n}' for n in range(20)]
        for name in names:
            service.ask('POST', '/api/recording/start', {'id': name})
        publishers = {name: service.publish(name) for name in names}
        for name in names:
            self.wait_for_recording(service, publishers, name)
        self.assertEqual(service.ask('GET', '/api/recording/active')['count'], 20)
        with open(f'/proc/{service.pid()}/status', encoding='ascii') as file:
            memory = int(re.search(r'VmRSS:\s+(\d+)', file.read())[1])
        self.assertLess(memory, 300000, 'kB')
        for name in names:
            end = service.ask('POST', '/api/recording/stop', {'id': name})
            self.assertEqual(end['file_size_bytes'], os.path.getsize(end['output_path']))
            self.assertGreater(end['file_size_bytes'], 0)


class Crash(Base):
    def test_what_a_kill_left_is_there_and_closed(self):
        service = Service(self, self.folder)
        names = ['a', 'b', 'c']
        for name in names:
            service.publish(name)
        written = {}
        for name in names:
            service.wait_for_state(name, 'recording')
        for name in names:
            status = service.ask('GET', f'/api/recording/status/{name}')
            written[name] = (status['output_path'], status['file_size_bytes'])
        os.kill(service.pid(), signal.SIGKILL)
        e2e.wait_for(lambda: not service.process.is_running(), 'the script to notice')
        service = Service(self, self.folder)
        self.assertEqual(service.ask('GET', '/api/recording/active')['count'], 0)
        for name, (path, size) in written.items():
            status = service.ask('GET', f'/api/recording/status/{name}')
            self.assertEqual((status['state'], status['ended'], status['output_path']), ('stopped', 'crash', path))
            self.assertGreaterEqual(os.path.getsize(path), size)
            self.assertEqual(os.path.getsize(path) % e2e.TS_PACKET, 0)
            sidecar = path.replace('.ts', '.json')
            e2e.wait_for(lambda s=sidecar: load(s)['ended'] == 'crash', 'the sidecar')


class Receiver(http.server.BaseHTTPRequestHandler):
    """Of hooks; the first answers are 500."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.came.append((self.headers['X-Signature'], body))
        self.send_response(500 if len(self.server.came) <= self.server.failures else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Hooks(Base):
    def test_hooks_are_signed_ordered_and_tried_again(self):
        receiver = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Receiver)
        receiver.came, receiver.failures = [], 2
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        config = os.path.join(self.folder, 'server.conf')
        ran = os.path.join(self.folder, 'ran')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'[path *]\nhook-url=http://127.0.0.1:{receiver.server_port}/\nhook-secret=s3cret\n'
                       f"run-on-closed=sh -c 'echo $REC_ID $REC_FILE_SIZE_BYTES $REC_PATH >> {ran}'\n")
        service = Service(self, self.folder, '--config', config)
        service.publish('cam')
        service.wait_for_state('cam', 'recording')
        end = service.ask('POST', '/api/recording/stop', {'id': 'cam'})
        e2e.wait_for(lambda: any(b'recording-stopped' in body for _, body in receiver.came), 'the last hook')
        accepted = receiver.came[receiver.failures:]
        for signature, body in accepted:
            self.assertEqual(signature, 'sha256=' + hmac.new(b's3cret', body, 'sha256').hexdigest())
        events = [json.loads(body)['event'] for _, body in accepted]
        self.assertEqual(events[0], 'recording-started')
        self.assertEqual(events[-1], 'recording-stopped')
        self.assertLess(events.index('publisher-connected'), events.index('fragment-opened'))
        self.assertEqual(json.loads(receiver.came[0][1]), json.loads(receiver.came[1][1]))
        e2e.wait_for(lambda: os.path.exists(ran), 'the command')
        with open(ran, encoding='utf-8') as file:
            self.assertEqual(file.read().split(), ['cam', str(end['file_size_bytes']), end['output_path']])


class Retention(Base):
    def test_old_recordings_of_the_service_go(self):
        recordings = self.path('recordings')
        os.mkdir(recordings)
        old = time.time() - 7200
        for name, facts in (('a', {'id': 'a', 'ended': 'stop'}), ('b', {'id': 'b', 'ended': 'stop'}),
                            ('foreign', None), ('keep', {'id': 'keep', 'ended': 'stop'})):
            for ending in ('.ts', '.m3u8'):
                with open(os.path.join(recordings, name + ending), 'wb') as file:
                    file.write(b'0' * 188)
                os.utime(os.path.join(recordings, name + ending), (old, old))
            if facts:
                with open(os.path.join(recordings, name + '.json'), 'w', encoding='ascii') as file:
                    json.dump(facts, file)
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write('[path keep]\nkeep-time=3h\n[path *]\nkeep-time=1h\n')
        Service(self, self.folder, '--config', config)
        e2e.wait_for(lambda: sorted(os.listdir(recordings)) == ['foreign.m3u8', 'foreign.ts', 'keep.json', 'keep.m3u8',
                                                               'keep.ts'], 'the old ones to go')


class Tokens(Base):
    def test_every_path_wants_the_right_token(self):
        config = os.path.join(self.folder, 'server.conf')
        secret = os.path.join(self.folder, 'token')
        with open(secret, 'w', encoding='ascii') as file:
            file.write('boss-token\n')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'[auth]\nboss = control, watch, publish; *; @{secret}\nviewer = watch; cam*; viewer-token\n'
                       'studio = publish; cam1; studio-token\n')
        service = Service(self, self.folder, '--config', config)
        # method, path, body; status without, of viewer, studio and boss
        table = [
            ('POST', '/api/recording/start', {'id': 'x'}, 401, 403, 403, 200),
            ('POST', '/api/recording/stop', {'id': 'x'}, 401, 403, 403, 200),
            ('GET', '/api/recording/status/x', None, 401, 403, 403, 200),
            ('GET', '/api/recording/status/cam1', None, 401, 404, 403, 404),
            ('GET', '/api/recording/active', None, 401, 200, 403, 200),
            ('GET', '/api/recording/formats', None, 401, 200, 403, 200),
            ('GET', '/api/recordings', None, 401, 200, 403, 200),
            ('DELETE', '/api/recordings/x.ts', None, 401, 403, 403, 404),
            ('GET', '/files/other.ts', None, 401, 403, 403, 404),
            ('GET', '/files/cam1-x.ts', None, 401, 404, 403, 404),
            ('GET', '/hls/cam1-x.ts.m3u8', None, 401, 404, 403, 404),
            ('GET', '/metrics', None, 401, 200, 403, 200),
            ('POST', '/whip/cam1', 'v=0', 401, 403, 415, 415),
            ('POST', '/whip/cam2', 'v=0', 401, 403, 403, 415),
            ('DELETE', '/whip/cam2/s', None, 401, 403, 403, 404),
            ('GET', '/healthz', None, 200, 200, 200, 200),
            ('GET', '/readyz', None, 200, 200, 200, 200),
            ('GET', '/api/openapi.json', None, 200, 200, 200, 200),
            ('GET', '/', None, 200, 200, 200, 200),
        ]
        for method, path, body, *wanted in table:
            got = [service.request(method, path, body, token=token)[0]
                   for token in (None, 'viewer-token', 'studio-token', 'boss-token')]
            with self.subTest(method=method, path=path):
                self.assertEqual(got, wanted)
                if wanted[0] == 401:
                    self.assertEqual(service.request(method, path, body, token='wrong')[0], 401)
        self.assertNotIn('-token', service.process.said())

    def test_every_route_of_the_document_wants_its_role(self):
        roles = ('publish', 'watch', 'control')
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write('[auth]\n' + ''.join(f'{role} = {role}; *; {role}-token\n' for role in roles))
        service = Service(self, self.folder, '--config', config)
        checked = 0
        for path, methods in service.ask('GET', '/api/openapi.json')['paths'].items():
            for method, operation in methods.items():
                role = (re.search(r'the role (\w+)', operation.get('description', '')) or [None, None])[1]
                self.assertEqual(role is None, 'security' not in operation)
                where = re.sub(r'\{\w+\}', 'x', path)
                weak = [f'{other}-token' for other in roles if other != role]
                wanted = [(None, 401), ('wrong', 401)] + [(token, 403) for token in weak] if role else []
                for token, status in wanted:
                    with self.subTest(path=path, method=method, token=token):
                        self.assertEqual(service.request(method.upper(), where, token=token)[0], status)
                        checked += 1
                with self.subTest(path=path, method=method, origin='another'):
                    status = service.request(method.upper(), where, token=f'{role}-token',
                                             headers={'Origin': 'http://elsewhere.example'})[0]
                    self.assertEqual(status, 403)
        self.assertGreater(checked, 50)


class Hostile(Base):
    def test_bodies_and_clients_without_end_are_cut_off(self):
        service = Service(self, self.folder)
        slow = []
        for path in ('/api/recording/start', '/whip/a', '/api/events', '/files/a.ts'):
            client = socket.create_connection(('127.0.0.1', service.port))
            client.sendall(f'POST {path} HTTP/1.1\r\nHost: localhost\r\nX-'.encode())
            slow.append(client)
        self.assertEqual(service.request('POST', '/api/recording/start', 'x' * 70000)[0], 413)
        self.assertEqual(service.request('POST', '/api/recording/start', '[' * 10000)[0], 400)
        self.assertEqual(service.request('GET', '/api/recording/status/a%00b')[0], 400)
        with socket.create_connection(('127.0.0.1', service.port)) as client:
            client.sendall(b'POST /api/recording/start HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
            chunk = b'10000\r\n' + b' ' * 0x10000 + b'\r\n'
            sent = 0
            with contextlib.suppress(OSError):
                while sent < 1 << 30:
                    client.sendall(chunk)
                    sent += len(chunk)
            self.assertLess(sent, 1 << 27)
        for client in slow:
            with client:
                client.settimeout(e2e.PATIENCE)
                with contextlib.suppress(ConnectionResetError):
                    while client.recv(4096):
                        pass
        self.assertEqual(service.request('GET', '/healthz')[0], 200)
        with open(f'/proc/{service.pid()}/status', encoding='ascii') as file:
            self.assertLess(int(re.search(r'VmHWM:\s+(\d+)', file.read())[1]), 200000, 'kB')

    def test_ten_thousand_connections_leave_it_answering(self):
        number = 10000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < number + 100:
            self.skipTest(f'{hard} descriptors at most')
        resource.setrlimit(resource.RLIMIT_NOFILE, (number + 100, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        service = Service(self, self.folder)
        clients = contextlib.ExitStack()
        self.addCleanup(clients.close)
        for _ in range(number):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(('127.0.0.1', service.port))

        def answers():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return service.request('GET', '/healthz')[0] == 200
            return False
        e2e.wait_for(answers, 'an answer', 120)
        self.assertLess(len(os.listdir(f'/proc/{service.pid()}/fd')), 1200)
        self.assertLess(e2e.rss_of(service.pid()), 200_000_000)


if __name__ == '__main__':
    unittest.main(verbosity=2)
