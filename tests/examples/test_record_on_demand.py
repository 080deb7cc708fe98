#!/usr/bin/python3
# gst-tsrec: recordings that start and stop while their source goes on
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the example given on the command line and gives it commands."""

import os
import subprocess
import sys
import threading
import unittest

import e2e

EXAMPLE = []


class OnDemand(e2e.TestCase):
    def setUp(self):
        super().setUp()
        self.lines = []
        self.example = subprocess.Popen(
            EXAMPLE, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.kill)
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.example.stdout.readline, '')))
        self.reader.start()

    def kill(self):
        self.example.kill()
        self.example.wait()
        self.reader.join()
        self.example.stdin.close()
        self.example.stdout.close()

    def do(self, command):
        self.example.stdin.write(command + '\n')
        self.example.stdin.flush()

    def wait_for_size(self, name, size):
        e2e.wait_for(lambda: e2e.size_of(self.path(name)) > size, f'{size} bytes in {name}')

    def wait_for_line(self, line):
        e2e.wait_for(lambda: any(l.strip().startswith(line) for l in self.lines), f'"{line}"')

    def test_recordings_come_and_go_without_disturbing_each_other(self):
        self.do('start a.ts')
        self.wait_for_size('a.ts', 50000)
        self.do('start b-%02d.ts')
        self.wait_for_size('b-00.ts', 50000)
        self.do('stop a.ts')
        self.wait_for_line('ended a.ts')
        self.do('split b-%02d.ts')
        self.wait_for_size('b-01.ts', 50000)
        self.do('start a2.ts')
        self.wait_for_size('a2.ts', 50000)
        self.do('quit')
        self.assertEqual(self.example.wait(e2e.PATIENCE), 0)
        for name in 'a.ts', 'a2.ts', 'b-00.ts', 'b-01.ts':
            with self.subTest(name=name):
                self.wait_for_line('closed ' + name)
                self.assert_sound(self.path(name), ['aac', 'h264'])

    def test_what_fails_in_one_recording_ends_only_that_one(self):
        self.do('start good.ts')
        self.wait_for_size('good.ts', 20000)
        self.do('start /proc/none/bad.ts')
        self.wait_for_line('failed /proc/none/bad.ts')
        size = e2e.size_of(self.path('good.ts'))
        self.wait_for_size('good.ts', size + 50000)
        self.do('quit')
        self.assertEqual(self.example.wait(e2e.PATIENCE), 0)
        self.assert_sound(self.path('good.ts'), ['aac', 'h264'])


if __name__ == '__main__':
    EXAMPLE.extend(map(os.path.abspath, sys.argv[1:]))
    e2e.need_tools('ffmpeg', 'ffprobe')
    e2e.need_elements('x264enc', 'avenc_aac')
    unittest.main(argv=sys.argv[:1], verbosity=2)
