#!/usr/bin/python3
# gst-tsrec: the examples do what they say when they are told of trouble
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the example given on the command line, sends it H.264 over RTP, and
makes the trouble that it should act on."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst

import e2e

EXAMPLE = []

SOURCE = ('udpsrc address=127.0.0.1 port={port} caps="application/x-rtp,media=video,'
          'clock-rate=90000,encoding-name=H264,payload=96" ! rtpjitterbuffer latency=20 ! '
          'rtph264depay ! h264parse config-interval=-1')
SENDER = ('videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=30/1 ! '
          'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! '
          'rtph264pay config-interval=-1 ! valve name=cut ! udpsink host=127.0.0.1 port={port}')

Gst.init(None)


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='watch-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = os.path.join(self.folder, 'rec.ts')
        self.port = e2e.free_port()
        self.lines = []

    def start(self, *args):
        self.example = subprocess.Popen(
            EXAMPLE + ['--source', SOURCE.format(port=self.port), '--output', self.file, *args],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.example.stdout:
            self.lines.append(line)

    def stop(self):
        self.example.send_signal(signal.SIGKILL)
        self.example.wait()
        self.reader.join()
        self.example.stdout.close()

    def send(self):
        sender = Gst.parse_launch(SENDER.format(port=self.port))
        sender.set_state(Gst.State.PLAYING)
        self.addCleanup(sender.set_state, Gst.State.NULL)
        return sender.get_by_name('cut')

    def wait_for_line(self, text):
        e2e.wait_for(lambda: any(text in line for line in self.lines),
                     f'"{text}" in {self.lines}')

    def count(self, text):
        return sum(text in line for line in self.lines)

    def test_source_is_restarted_when_the_network_is_dead(self):
        cut = self.send()
        self.start()
        e2e.wait_for(lambda: e2e.size_of(self.file) > 0, 'a recording')
        self.assertEqual(self.count('raised at encoder'), 0)
        before = self.count('restarting the source')
        cut.set_property('drop', True)
        e2e.wait_for(lambda: self.count('restarting the source') > before, 'a restart')
        self.assertGreater(self.count('raised at network'), 0)
        size = e2e.size_of(self.file)
        cut.set_property('drop', False)
        e2e.wait_for(lambda: self.count('no-packets cleared') > 0, 'the end of the alert')
        e2e.wait_for(lambda: e2e.size_of(self.file) > size, 'the recording to go on')

    def test_key_frame_is_requested_when_no_media_comes_of_what_arrives(self):
        self.start()
        stop = threading.Event()
        self.addCleanup(stop.set)

        def send_fragments():
            """RTP that arrives in order and never completes a picture."""
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                number = 0
                while not stop.wait(0.03):
                    header = struct.pack('!BBHII', 0x80, 96, number & 0xffff, number * 3000, 1)
                    out.sendto(header + b'\x1c\x01' + bytes(100), ('127.0.0.1', self.port))
                    number += 1

        thread = threading.Thread(target=send_fragments)
        thread.start()
        try:
            self.wait_for_line('at depayloader')
            self.wait_for_line('requesting a key frame')
        finally:
            stop.set()
            thread.join()

    def test_somebody_is_paged_about_memory(self):
        paged = os.path.join(self.folder, 'paged')
        self.send()
        self.start('--max-memory', '1000000', '--page', f"sh -c 'echo \"$0\" >{paged}'")
        self.wait_for_line('paging somebody')
        e2e.wait_for(lambda: e2e.size_of(paged) > 0, 'the page')
        with open(paged, encoding='utf-8') as f:
            self.assertIn('memory', f.read())

    def test_duration_ends_with_a_file_that_can_be_read(self):
        self.send()
        self.start('--duration', '3')
        self.assertEqual(self.example.wait(timeout=e2e.PATIENCE), 0)
        self.assertEqual(e2e.size_of(self.file) % e2e.TS_PACKET, 0)
        self.assertGreater(e2e.size_of(self.file), 0)


if __name__ == '__main__':
    EXAMPLE.extend(sys.argv[1:])
    unittest.main(argv=[sys.argv[0]], verbosity=2)
