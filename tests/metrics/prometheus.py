#!/usr/bin/python3
# gst-tsrec: a recording that is watched by a real Prometheus
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a stream that comes over RTP on loopback, is decoded and encoded
again, and has a monitor of the network and one of the encoder. Prometheus,
with the rules of docs/prometheus, scrapes it. Then the encoder is stalled, the
disk filled and the network cut: each fires its own alert, no other, and that
one clears.

--long: a minute of scraping first, and the monitor's timeouts as they are.
The disk is a tmpfs in a mount namespace of this process.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import e2e

LONG = '--long' in sys.argv
ALERTS = {'encoder': 'RecordingEncoderStalled', 'disk': 'RecordingDiskStalled',
          'network': 'RecordingNetworkStalled'}
DISK_SIZE = 40 * 1000 * 1000

CONFIG = """
global:
  scrape_interval: {interval}
  scrape_timeout: {interval}
  evaluation_interval: {interval}
rule_files: [{rules}]
scrape_configs:
  - job_name: gst-tsrec
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""

SENDER = """
  videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 !
  x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 !
  rtph264pay config-interval=-1 ! valve name=cut ! udpsink host=127.0.0.1 port={rtp}
"""

RECORDER = """
  udpsrc address=127.0.0.1 port={rtp}
    caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96 !
  recmonitor name=net stage=network {limits} !
  rtpjitterbuffer latency=50 ! rtph264depay ! h264parse ! avdec_h264 ! videoconvert !
  x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=30 ! h264parse !
  recmonitor name=rec stage=encoder metrics-port={port} {limits} ! tsrecsink on-disk-full=wait location={location}
"""


def enter_namespace():
    """Starts this program again where it may mount a disk of its own."""
    if os.environ.get('REC_IN_NAMESPACE'):
        return
    unshare = ['unshare', '--mount'] + ([] if os.geteuid() == 0 else ['--map-root-user'])
    if subprocess.run(unshare + ['mount', '-t', 'tmpfs', 'x', '/mnt'], check=False,
                      capture_output=True).returncode:
        e2e.skip('no mount namespace to be had here (unshare --mount)')
    os.environ['REC_IN_NAMESPACE'] = '1'
    os.execvp('unshare', unshare + [sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


class Prometheus:
    """A server with the rules of docs/, scraping one target."""

    def __init__(self, folder, target):
        self.port = e2e.free_port()
        rules = os.path.join(e2e.SOURCE_DIR, 'docs', 'prometheus')
        config = os.path.join(folder, 'prometheus.yml')
        with open(config, 'w', encoding='utf-8') as f:
            f.write(CONFIG.format(
                port=target, interval='500ms',
                rules=', '.join(json.dumps(os.path.join(rules, name))
                                for name in ('recording-rules.yml', 'alerting-rules.yml'))))
        self.log = open(os.path.join(folder, 'prometheus.log'), 'w', encoding='utf-8')
        self.process = subprocess.Popen(
            ['prometheus', f'--config.file={config}',
             f'--storage.tsdb.path={folder}/tsdb', '--log.level=warn',
             f'--web.listen-address=127.0.0.1:{self.port}'],
            stdout=self.log, stderr=subprocess.STDOUT)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def get(self, path, **arguments):
        query = '?' + urllib.parse.urlencode(arguments) if arguments else ''
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}{path}{query}',
                                    timeout=10) as answer:
            return json.load(answer)['data']

    def is_up(self):
        with contextlib.suppress(OSError):
            return self.query('up') and True
        return False

    def query(self, expression):
        return self.get('/api/v1/query', query=expression)['result']

    def firing(self):
        return {alert['labels']['alertname'] for alert in self.get('/api/v1/alerts')['alerts']
                if alert['state'] == 'firing'}


class Watched(unittest.TestCase):
    def setUp(self):
        from gi.repository import Gst
        self.gst = Gst
        self.folder = tempfile.mkdtemp(prefix='prometheus-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.disk = os.path.join(self.folder, 'disk')
        os.mkdir(self.disk)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_SIZE}', 'x', self.disk],
                       check=True)
        self.addCleanup(subprocess.run, ['umount', '-l', self.disk], check=True)
        rtp, port = e2e.free_port(), e2e.free_port()
        # Quicker about the disk, and slower about a machine that is busy.
        limits = '' if LONG else ('write-timeout=2000000000 no-packets-timeout=2000000000 '
                                  'max-zero-packet-streak=45')
        self.sender = Gst.parse_launch(SENDER.format(rtp=rtp))
        self.recorder = Gst.parse_launch(RECORDER.format(
            rtp=rtp, port=port, limits=limits, location=os.path.join(self.disk, 'rec.ts')))
        plugin = self.recorder.get_by_name('rec').get_factory().get_plugin()
        self.assertTrue(plugin.get_filename().startswith(e2e.BUILD_DIR), plugin.get_filename())
        for pipeline in self.recorder, self.sender:
            pipeline.set_state(Gst.State.PLAYING)
            self.addCleanup(pipeline.set_state, Gst.State.NULL)
        self.prometheus = Prometheus(self.folder, port)
        self.addCleanup(self.prometheus.stop)
        e2e.wait_for(self.prometheus.is_up, 'Prometheus to scrape')

    # --- what is done to the recording, and undone

    @contextlib.contextmanager
    def encoder_stalled(self):
        """Frames go in and nothing comes out."""
        pad = self.recorder.get_by_name('encoder').get_static_pad('src')
        probe = pad.add_probe(self.gst.PadProbeType.BUFFER,
                              lambda *_: self.gst.PadProbeReturn.DROP)
        yield
        pad.remove_probe(probe)

    @contextlib.contextmanager
    def disk_filled(self):
        filler = os.path.join(self.disk, 'filler')
        with open(filler, 'wb', buffering=0) as f, contextlib.suppress(OSError):
            while True:
                f.write(bytes(4096))
        yield
        os.remove(filler)

    @contextlib.contextmanager
    def network_cut(self):
        valve = self.sender.get_by_name('cut')
        valve.set_property('drop', True)
        yield
        valve.set_property('drop', False)

    # --- what is asked

    def assert_healthy(self):
        """The four queries that operators make."""
        for query in ('avg_over_time(recording_memory_usage_mb[5m]) < 300',
                      'rate(recording_file_size_bytes[1m]) > 0',
                      'max(recording_zero_packet_streak) == 0',
                      'rate(recording_packets_written[1m]) > 10'):
            e2e.wait_for(lambda: self.prometheus.query(query), query)
            print(query, '->', [(r['metric'].get('stage', ''), r['value'][1])
                                for r in self.prometheus.query(query)])

    def assert_alert_while(self, trouble, name):
        seen = set()

        def look():
            seen.update(self.prometheus.firing())
            return seen

        with trouble:
            e2e.wait_for(lambda: name in look(), f'{name} (fired: {seen})')
            end = time.monotonic() + (10 if LONG else 5)
            while time.monotonic() < end:
                look()
                time.sleep(0.25)
        e2e.wait_for(lambda: look() and not self.prometheus.firing(), f'{name} to clear')
        self.assertEqual(seen, {name})

    @e2e.tries(2)
    def test_each_trouble_fires_its_own_alert_and_no_other(self):
        self.assertFalse(LONG and self.prometheus.firing())
        e2e.wait_for(lambda: not self.prometheus.firing(), 'the start to be over')
        time.sleep(60 if LONG else 0)
        self.assert_healthy()
        self.assertEqual(self.prometheus.firing(), set())
        for stage, trouble in (('encoder', self.encoder_stalled), ('disk', self.disk_filled),
                               ('network', self.network_cut)):
            self.assert_alert_while(trouble(), ALERTS[stage])
            print(f'{stage}: {ALERTS[stage]} fired alone, and cleared')
        self.assert_healthy()


if __name__ == '__main__':
    e2e.need_tools('prometheus', 'unshare', 'mount')
    enter_namespace()
    import gi
    gi.require_version('Gst', '1.0')
    from gi.repository import Gst
    Gst.init(None)
    e2e.need_elements('x264enc', 'avdec_h264', 'rtpjitterbuffer', 'udpsrc')
    unittest.main(argv=[sys.argv[0]], verbosity=2)
