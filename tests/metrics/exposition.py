#!/usr/bin/python3
# gst-tsrec: the metrics of recmonitor, as files, over HTTP, and by their rules
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a monitor exports is read by promtool, by a strict parser of
OpenMetrics (when python3-prometheus-client is there), and by a scraper."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst

import e2e

try:
    from prometheus_client.openmetrics import parser as openmetrics
except ImportError:
    openmetrics = None

DOCS = os.path.join(e2e.SOURCE_DIR, 'docs')
# The names that dashboards query already are a contract, and promtool would
# like "bytes" better than "mb".
KNOWN_REMARKS = {'recording_memory_usage_mb metric names should not contain abbreviated units'}
VERBATIM = {'recording_memory_usage_mb', 'recording_file_size_bytes',
            'recording_zero_packet_streak', 'recording_packets_written'}

Gst.init(None)


class Pipeline:
    """A pipeline that plays as long as the block lasts."""

    def __init__(self, description):
        self.pipeline = Gst.parse_launch(description)

    def __enter__(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        return self.pipeline

    def __exit__(self, *exc):
        self.pipeline.set_state(Gst.State.NULL)


def fetch(port, path='/metrics', accept=None, method='GET'):
    request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', method=method)
    if accept:
        request.add_header('Accept', accept)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode(), answer.headers.get('Content-Type')


def warnings_of(pipeline, patience=5 * Gst.SECOND):
    message = pipeline.get_bus().timed_pop_filtered(patience, Gst.MessageType.WARNING)
    return message.parse_warning()[0].message if message else None


def samples(text):
    """{(name, labels): value} of a text, which must not repeat a series."""
    found = {}
    for line in text.splitlines():
        if not line.startswith('#'):
            key, value = re.fullmatch(r'(\w+\{[^}]*\}) (\S+)', line).groups()
            if key in found:
                raise AssertionError(f'{key} stands there twice')
            found[key] = float(value)
    return found


class Metrics(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='metrics-')
        self.addCleanup(shutil.rmtree, self.dir)
        self.path = os.path.join(self.dir, 'recording.prom')

    def check_by_promtool(self, text):
        if not shutil.which('promtool'):
            self.skipTest('promtool (package prometheus) is not installed')
        done = subprocess.run(['promtool', 'check', 'metrics'], input=text, text=True,
                              capture_output=True, check=False)
        remarks = set((done.stdout + done.stderr).split('\n')) - {''}
        self.assertEqual(remarks - KNOWN_REMARKS, set())

    def read_when_written(self):
        e2e.wait_for(lambda: os.path.exists(self.path), f'{self.path}')
        with open(self.path, encoding='utf-8') as f:
            return f.read()

    def test_file_is_what_promtool_likes(self):
        with Pipeline('fakesrc is-live=true do-timestamp=true ! application/x-rtp ! '
                      f'recmonitor stage="a \\"b\\"" metrics-file={self.path} ! fakesink'):
            text = self.read_when_written()
        self.check_by_promtool(text)
        for name in VERBATIM:
            self.assertRegex(text, rf'(?m)^# HELP {name} \S')
            self.assertRegex(text, rf'(?m)^# TYPE {name} gauge$')
            self.assertRegex(text, rf'(?m)^# UNIT {name} ')
            self.assertRegex(text, rf'(?m)^{name}{{recording="[^"]+",stage=".*"}} [0-9.]+$')
        names = re.findall(r'(?m)^# TYPE (\S+)', text)
        for kind in 'HELP', 'UNIT':
            self.assertEqual(re.findall(rf'(?m)^# {kind} (\S+)', text), names)

    def test_file_is_replaced_at_once_and_readable_by_others(self):
        short = []
        stop = threading.Event()

        def read():
            while not stop.is_set():
                try:
                    with open(self.path, encoding='utf-8') as f:
                        if not f.read().endswith('# EOF\n'):
                            short.append(1)
                except FileNotFoundError:
                    pass

        with Pipeline('fakesrc is-live=true ! recmonitor name=a '
                      f'metrics-file={self.path} ! fakesink'):
            self.read_when_written()
            thread = threading.Thread(target=read)
            thread.start()
            first = os.stat(self.path).st_ino
            e2e.wait_for(lambda: os.stat(self.path).st_ino != first, 'a second file')
            stop.set()
            thread.join()
        self.assertEqual(short, [])
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o644)
        self.assertEqual(os.listdir(self.dir), ['recording.prom'])

    def test_one_file_serves_all_monitors_and_says_when_they_ended(self):
        with Pipeline('fakesrc is-live=true ! '
                      f'recmonitor stage=one recording-id=r metrics-file={self.path} ! '
                      f'recmonitor stage=two recording-id=r metrics-file={self.path} ! '
                      'recmonitor stage=three recording-id=r ! '
                      'recmonitor stage=three recording-id=r ! fakesink'):
            text = e2e.wait_for(
                lambda: all(f'stage="{s}"' in (t := self.read_when_written())
                            for s in ('one', 'two', 'three')) and t, 'all three')
            running = {k: v for k, v in samples(text).items() if 'recording_running' in k}
            self.assertEqual(sorted(running.values()), [1, 1, 1])
        with open(self.path, encoding='utf-8') as f:
            after = samples(f.read())
        running = {k: v for k, v in after.items() if 'recording_running' in k}
        self.assertEqual(sorted(running.values()), [0, 0, 0])
        self.check_by_promtool(text)

    def test_file_that_cannot_be_written_is_told_once_and_recording_goes_on(self):
        with Pipeline('fakesrc is-live=true ! recmonitor '
                      'metrics-file=/nonexistent/x.prom ! fakesink') as pipeline:
            said = warnings_of(pipeline)
            self.assertIn('/nonexistent/x.prom', said)
            self.assertIn('metrics-file', said)
            self.assertIsNone(warnings_of(pipeline, 2500 * Gst.MSECOND))
            self.assertEqual(pipeline.get_state(0).state, Gst.State.PLAYING)

    def test_port_serves_text_and_openmetrics_to_the_letter(self):
        port = e2e.free_port()
        with Pipeline('fakesrc is-live=true ! recmonitor recording-id=r stage=s '
                      f'metrics-port={port} ! application/x-rtp ! '
                      'recmonitor recording-id=r stage=t ! fakesink'):
            text = e2e.wait_for(lambda: (t := fetch(port)[0]).count('stage="t"') and t, 'samples')
            self.check_by_promtool(text)
            strict, kind = fetch(port, accept='application/openmetrics-text;version=1.0.0,*/*')
            self.assertTrue(kind.startswith('application/openmetrics-text'), kind)
            self.assertTrue(strict.endswith('# EOF\n'))
            self.assertEqual(set(samples(strict)), set(samples(fetch(port)[0])))
            with self.assertRaises(urllib.error.HTTPError) as refused:
                fetch(port, '/')
            self.assertEqual(refused.exception.code, 404)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                fetch(port, method='DELETE')
            self.assertEqual(refused.exception.code, 405)
        with self.assertRaises(OSError):
            fetch(port)
        if not openmetrics:
            self.skipTest('python3-prometheus-client is not installed: OpenMetrics only scraped')
        families = {f.name: f for f in openmetrics.text_string_to_metric_families(strict)}
        self.assertTrue(VERBATIM <= set(families))
        self.assertEqual(families['recording_passed_bytes'].type, 'counter')
        self.assertEqual(families['recording_passed_bytes'].unit, 'bytes')

    def test_port_is_shared_and_a_port_in_use_is_told(self):
        port = e2e.free_port()
        with Pipeline(f'fakesrc is-live=true ! recmonitor metrics-port={port} ! '
                      f'recmonitor metrics-port={port} ! fakesink') as pipeline:
            fetch(port)
            self.assertIsNone(warnings_of(pipeline, 200 * Gst.MSECOND))
        import socket
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            with Pipeline(f'fakesrc is-live=true ! recmonitor metrics-port={port} ! '
                          'fakesink') as pipeline:
                said = warnings_of(pipeline)
                self.assertIn(str(port), said)
                self.assertIn('metrics-port', said)

    def test_a_scraper_that_leaves_costs_nothing(self):
        """Of those that would keep the connection, as curl does."""
        port = e2e.free_port()
        with Pipeline(f'fakesrc is-live=true ! recmonitor metrics-port={port} ! fakesink'):
            fetch(port)
            before = len(os.listdir('/proc/self/fd'))
            for path in ['/metrics', '/'] * 5:
                connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
                connection.request('GET', path)
                connection.getresponse().read()
                connection.close()
            e2e.wait_for(lambda: len(os.listdir('/proc/self/fd')) <= before,
                         'the end of the connections')

    def test_port_listens_on_loopback_only(self):
        port = e2e.free_port()
        with Pipeline(f'fakesrc is-live=true ! recmonitor metrics-port={port} ! fakesink'):
            fetch(port)
            with open('/proc/net/tcp', encoding='ascii') as f:
                listening = [line.split()[1] for line in f if line.split()[3] == '0A']
        self.assertIn(f'0100007F:{port:04X}', listening)
        self.assertNotIn(f'00000000:{port:04X}', listening)


LAUNCH = ('videotestsrc is-live=true name=source ! x264enc tune=zerolatency speed-preset=ultrafast ! h264parse ! '
          'recmonitor name=monitor_video stage=video ! tsrecsink name=rec')


class Service(unittest.TestCase):
    """Many recordings in one text."""

    check_by_promtool = Metrics.check_by_promtool

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='metrics-')
        self.addCleanup(shutil.rmtree, self.dir)
        if not Gst.ElementFactory.find('recserver') or not Gst.ElementFactory.find('x264enc'):
            self.skipTest('no recserver or x264enc here')

    def post(self, url, path, **body):
        request = urllib.request.Request(url + path, json.dumps(body).encode(), {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def test_service_exports_all_recordings_by_id(self):
        config = os.path.join(self.dir, 'server.conf')
        with open(config, 'w', encoding='ascii') as f:
            f.write(f'[path *]\nlaunch={LAUNCH}\n')
        with Pipeline(f'recserver port=0 directory={self.dir} config={config}') as server:
            url = server.get_property('url')[:-1]
            port = int(url.rsplit(':', 1)[1])
            for name in ('a', 'b'):
                self.post(url, '/api/recording/start', id=name)
            text = e2e.wait_for(lambda: all(
                re.search(rf'recording_packets_written{{[^}}]*recording="{name}"[^}}]*}} [1-9]', t := fetch(port)[0])
                for name in ('a', 'b')) and t, 'both to be recorded')
            self.check_by_promtool(text)
            exported = set(re.findall(r'^\w+', text, re.MULTILINE))
            self.assertTrue(VERBATIM <= exported)
            self.assertNotIn('# EOF', text)
            for name, labels in re.findall(r'^(recording_\w+)({[^}]*})', text, re.MULTILINE):
                self.assertRegex(labels, 'recording="[ab]"', name)
            with open(os.path.join(DOCS, 'grafana', 'recordings.json'), encoding='utf-8') as f:
                asked = set(re.findall(r'recserver_\w+', json.dumps(json.load(f)['panels'])))
            with open(os.path.join(DOCS, 'prometheus', 'alerting-rules.yml'), encoding='utf-8') as f:
                asked |= set(re.findall(r'recserver_\w+', f.read()))
            self.assertTrue(asked)
            self.assertEqual(asked - exported, set())
            self.post(url, '/api/recording/stop', id='a')
            self.assertIn('recserver_recordings{state="stopped"} 1', fetch(port)[0])


class Rules(unittest.TestCase):
    def setUp(self):
        if not shutil.which('promtool'):
            self.skipTest('promtool (package prometheus) is not installed')

    def run_promtool(self, *args):
        done = subprocess.run(['promtool', *args], text=True, capture_output=True, check=False,
                              cwd=os.path.join(DOCS, 'prometheus'))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_pass_promtool(self):
        self.run_promtool('check', 'rules', 'alerting-rules.yml', 'recording-rules.yml')
        self.run_promtool('test', 'rules', 'rules-test.yml')

    def test_dashboard_asks_for_what_is_exported(self):
        with open(os.path.join(DOCS, 'grafana', 'recordings.json'), encoding='utf-8') as f:
            board = json.load(f)
        asked = set(re.findall(r'recording_\w+', json.dumps(board['panels'])))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'x.prom')
            with Pipeline('fakesrc is-live=true ! application/x-rtp ! '
                          f'recmonitor metrics-file={path} ! fakesink'):
                e2e.wait_for(lambda: os.path.exists(path), path)
            with open(path, encoding='utf-8') as f:
                exported = {key.split('{')[0] for key in samples(f.read())}
        self.assertTrue(VERBATIM <= asked)
        self.assertEqual(asked - exported, set())


if __name__ == '__main__':
    unittest.main(verbosity=2)
