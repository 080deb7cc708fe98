#!/usr/bin/python3
# gst-tsrec: the first examples of the documentation work when they are pasted
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import re
import shlex
import subprocess
import unittest

import e2e


def code_blocks(page, language):
    with open(os.path.join(e2e.SOURCE_DIR, 'docs', 'guide', page), encoding='utf-8') as file:
        return re.findall(rf'^```{language}\n(.*?)^```', file.read(), re.M | re.S)


class Readme(e2e.TestCase):
    def run_to_the_end(self, arguments, name):
        process = self.start(arguments, name)
        self.assertEqual(process.wait(60), 0, process.said())
        return process.said()

    def test_example_in_c_records(self):
        block, = code_blocks('applications.md', 'c')
        with open(self.path('record.c'), 'w', encoding='utf-8') as file:
            file.write(block)
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'gstreamer-1.0'],
                               capture_output=True, text=True, check=True)
        self.run_to_the_end(['cc', '-Wall', '-Werror', 'record.c', '-o', 'record',
                             *flags.stdout.split()], 'cc')
        self.run_to_the_end(['./record'], 'record')
        self.assert_sound(self.path('embedded-c.ts'), ['h264'])

    def test_example_in_python_records_and_reports(self):
        block, = code_blocks('applications.md', 'python')
        with open(self.path('record.py'), 'w', encoding='utf-8') as file:
            file.write(block)
        said = self.run_to_the_end(['/usr/bin/python3', 'record.py'], 'python')
        self.assertRegex(said, r'(?m)^[1-9]\d* bytes$')
        self.assert_sound(self.path('embedded-python.ts'), ['h264'])

    def test_launch_line_records(self):
        line, = [b for b in code_blocks('recording.md', 'sh') if b.startswith('gst-launch-1.0 -e')]
        process = self.start(shlex.split(line.replace('\\\n', '')), 'launch')
        path = self.path('rec.ts')
        e2e.wait_for(lambda: e2e.size_of(path) > 100000, '100 kB')
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        self.assert_sound(path, ['aac', 'h264'])

    def test_every_element_is_named(self):
        with open(os.path.join(e2e.SOURCE_DIR, 'README.md'), encoding='utf-8') as file:
            text = file.read()
        for plugin in ('tsrec', 'recwebrtc'):
            said = self.run_to_the_end(['gst-inspect-1.0', plugin], plugin)
            for element in re.findall(r'^  (\w+): ', said, re.M):
                with self.subTest(element=element):
                    self.assertIn(f'| `{element}` |', text)


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'cc', 'pkg-config')
    e2e.need_elements('x264enc', 'avenc_aac')
    unittest.main(verbosity=2)
