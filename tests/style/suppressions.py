#!/usr/bin/python3
# gst-tsrec: no suppression of a leak can hide one of ours
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""LeakSanitizer passes over a leak when one frame of its stack matches a
template, valgrind when all frames from the allocation outwards do. So no
template may match what is ours, and those of valgrind name every frame.
"""

import fnmatch
import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ['REC_SOURCE_DIR'])
BUILD = pathlib.Path(os.environ['REC_BUILD_DIR'])
SUPPRESSIONS = SOURCE / 'tests' / 'suppressions'
ALLOCATORS = ('malloc', 'calloc', 'realloc', 'memalign', 'posix_memalign')


def our_libraries():
    return sorted((BUILD / 'gst').glob('*/libgst*.so'))


def our_tests():
    return [path for path in sorted((BUILD / 'tests/check').glob('test-*'))
            if path.is_file() and os.access(path, os.X_OK)]


def our_names():
    """Functions, source files and binaries, as they appear in a stack."""
    binaries = our_libraries() + our_tests()
    names = {str(path) for path in binaries}
    for part in ('gst', 'tests'):
        names.update(str(path) for path in (SOURCE / part).rglob('*.[ch]'))
    symbols = subprocess.run(
        ['nm', '--defined-only', '--format=posix', *binaries],
        check=True, capture_output=True, text=True).stdout
    names.update(line.split()[0] for line in symbols.splitlines()
                 if len(line.split()) > 2 and line.split()[1] in 'tTwW')
    return names


def lsan_templates():
    lines = (SUPPRESSIONS / 'lsan.supp').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def lsan_regex(template):
    kind, pattern = template.split(':', 1)
    assert kind == 'leak', template
    return re.compile(''.join(
        '.*' if c == '*' else c if c in '^$' else re.escape(c) for c in pattern))


def valgrind_stacks():
    text = (SUPPRESSIONS / 'valgrind.supp').read_text(encoding='utf-8')
    text = '\n'.join(line for line in text.splitlines() if not line.startswith('#'))
    for block in re.findall(r'\{(.*?)\}', text, re.S):
        name, kind, *rest = [line.strip() for line in block.strip().splitlines()]
        yield name, kind, [line for line in rest if not line.startswith('match-')]


class Suppressions(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.names = our_names()

    def test_what_is_ours_is_found(self):
        for name in ('ts_mux_new', 'whip_listener_claim', 'test-recwhip',
                     'whiplistener.c', 'libgstrecwebrtc.so'):
            self.assertTrue(any(name in ours for ours in self.names), name)

    def test_lsan_matches_nothing_of_ours(self):
        for template in lsan_templates():
            regex = lsan_regex(template)
            self.assertEqual([n for n in self.names if regex.search(n)], [], template)

    def test_valgrind_names_every_frame_up_to_a_library(self):
        for name, kind, frames in valgrind_stacks():
            with self.subTest(name):
                self.assertEqual(kind, 'Memcheck:Leak')
                self.assertIn(frames[0].removeprefix('fun:'), ALLOCATORS)
                for frame in frames:
                    self.assertNotEqual(frame, '...')
                    pattern = frame.split(':', 1)[1]
                    self.assertEqual(
                        fnmatch.filter(self.names, pattern), [], frame)

    def test_nothing_of_ours_runs_when_it_is_loaded(self):
        """lsan.supp names what calls functions then. One entry, of a compiler's
        start-up code, is in every library."""
        for path in our_libraries():
            sections = subprocess.run(
                ['readelf', '--sections', '--wide', path],
                check=True, capture_output=True, text=True).stdout
            size = re.search(r'\.init_array\s+INIT_ARRAY\s+\w+\s+\w+\s+(\w+)', sections)
            address = re.search(r'\.init_array\s+INIT_ARRAY\s+(\w+)', sections)
            self.assertIsNotNone(size, path)
            self.assertEqual(int(size[1], 16), len(address[1]) // 2, path)


if __name__ == '__main__':
    unittest.main()
