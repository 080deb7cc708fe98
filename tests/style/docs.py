#!/usr/bin/python3
# gst-tsrec: names in the documentation exist
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links, files, commands and their options, tests, properties, fields and
messages that README.md and docs/ name exist, by that name, in this tree."""

import errno
import functools
import glob
import json
import os
import re
import subprocess
import sys
import unittest

try:
    import gi
    gi.require_version('Gst', '1.0')
    from gi.repository import Gst
except (ImportError, ValueError) as error:
    print(f'SKIP: {error} (Debian packages python3-gi, gir1.2-gstreamer-1.0)')
    sys.exit(77)

BUILD_DIR = os.environ['REC_BUILD_DIR']
SOURCE_DIR = os.environ['REC_SOURCE_DIR']
ELEMENTS = ('tsrecmux', 'recfilesink', 'tsrecsink', 'recmonitor', 'recwhipsrc',
            'recwhepsrc', 'recwhipsink', 'recserver')
# Other programs say these, or strerror(3) does.
SAID_ELSEWHERE = re.compile(r'HTTP \d|No such element|could not link|output format|CORS|navigator|mediaDevices|pipelines/')
STRERROR = {os.strerror(number) for number in errno.errorcode}


def read(*path):
    with open(os.path.join(SOURCE_DIR, *path), encoding='utf-8') as file:
        return file.read()


def pages():
    names = ['README.md'] + sorted(
        glob.glob('docs/**/*.md', root_dir=SOURCE_DIR, recursive=True))
    return {name: read(name) for name in names}


def code(text):
    """Blocks of code with continued lines joined, and code within a line."""
    blocks = re.findall(r'^ *```\w*\n(.*?)^ *```', text, re.M | re.S)
    inline = re.findall(r'`([^`\n]+)`', re.sub(r'^ *```.*?^ *```', '', text, flags=re.M | re.S))
    return [block.replace('\\\n', ' ') for block in blocks] + inline


@functools.cache
def source(*patterns):
    """The sources, with the parts of a string that C joins joined."""
    tracked = subprocess.run(['find', 'gst', 'pipelines', 'examples', '-name', 'node_modules', '-prune', '-o', '-type', 'f',
                              '-print'], cwd=SOURCE_DIR, capture_output=True, text=True, check=True)
    names = [n for n in tracked.stdout.split() if re.search(r'\.([ch]|js|bash|html)$|/[a-z0-9-]+$', n)]
    text = ''.join(read(name) for name in sorted(names))
    return re.sub(r'"\s*\n\s*"', '', text).replace('\\"', '"')


@functools.cache
def properties(element):
    made = Gst.ElementFactory.make(element)
    return {spec.name for spec in made.list_properties()} if made else set()


class Documentation(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for name, text in pages().items():
            for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
                with self.subTest(page=name, link=target):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE_DIR, os.path.dirname(name), target)))

    def test_files_and_commands_are_there(self):
        found = 0
        for name, text in pages().items():
            for piece in code(text):
                for path in re.findall(r'(?<![\w/.<-])((?:pipelines|examples|tests|docs|gst)/[\w./-]+)', piece):
                    found += 1
                    with self.subTest(page=name, path=path):
                        there = os.path.join(SOURCE_DIR, path.rstrip('.'))
                        # or what is built of it
                        self.assertTrue(os.path.exists(there) or os.path.exists(there + '.c'))
        self.assertGreater(found, 50)

    def test_options_of_the_commands_exist(self):
        found = 0
        for name, text in pages().items():
            for piece in code(text):
                for command, rest in re.findall(r'(?:^|[\s$/])(pipelines/[\w-]+|tests/(?:interop/)?run)((?: [^|;&#\n]+)?)', piece):
                    options = re.findall(r' (--[a-z-]+)', rest)
                    if not options:
                        continue
                    script = read(command)
                    for option in options:
                        found += 1
                        with self.subTest(page=name, command=command):
                            self.assertRegex(script, rf'(?<![\w-]){option}(?![\w-])')
        self.assertGreater(found, 15)

    def test_tests_exist(self):
        tests = json.loads(subprocess.run(
            ['meson', 'introspect', BUILD_DIR, '--tests', '--benchmarks'],
            capture_output=True, text=True, check=True).stdout)
        tests = tests['tests'] + tests['benchmarks']
        names = {test['name'] for test in tests}
        suites = {suite.split(':')[-1] for test in tests for suite in test['suite']} | {'campaign', 'paced'}
        found = 0
        for page, text in pages().items():
            for piece in code(text):
                for rest in re.findall(r'meson test -C [\w-]+((?: [\w-]+)*)', piece):
                    rest, asked = re.sub(r' --(?:benchmark|verbose)| -[a-z]+(?= |$)', '', rest), []
                    for suite in re.findall(r' --(?:no-)?suite ([\w-]+)', rest):
                        asked.append((suite, suites))
                    for test in re.sub(r' --[\w-]+ [\w-]+', '', rest).split():
                        asked.append((test, names | {'choices-all', 'webrtc-cycles'}))
                    for what, where in asked:
                        found += 1
                        with self.subTest(page=page, test=what):
                            self.assertIn(what, where)
        self.assertGreater(found, 15)

    def test_properties_exist(self):
        """In launch lines, and as "`property` of `element`"."""
        found = 0
        for name, text in pages().items():
            # a function is no property
            pairs = [(e, p) for p, e in re.findall(r'`([a-z0-9-]+)(?:=[^`]*)?`\s+of\s+`(\w+)`', text)
                     if p != 'chain']
            for piece in code(text):
                for element, rest in re.findall(rf'\b({"|".join(ELEMENTS)})\b((?: +[a-z-]+=\S+)+)', piece):
                    pairs += [(element, key) for key in re.findall(r' ([a-z-]+)=', rest)]
            for element, key in pairs:
                if element in ELEMENTS and properties(element):
                    found += 1
                    with self.subTest(page=name, element=element):
                        self.assertTrue(key in properties(element), f'no property "{key}"')
        self.assertGreater(found, 25)

    def test_fields_and_metrics_exist(self):
        """Names in the first column of a table of messages, journal or metrics."""
        found = 0
        for name in ('docs/reference/messages.md', 'docs/reference/journal.md', 'docs/reference/metrics.md',
                     'docs/reference/webrtc.md', 'docs/guide/monitoring.md'):
            for row in re.findall(r'^\| (`[^|]+?) \|', read(name), re.M):
                for field in re.findall(r'`([a-z][a-z0-9_-]+)(?:\{[^`]*)?`', row):
                    found += 1
                    with self.subTest(page=name, field=field):
                        name_of = field.removeprefix('recording_').removesuffix('_total')
                        self.assertTrue(name_of in source(), 'not in the source')
        self.assertGreater(found, 80)

    def test_warnings_that_the_corpus_expects_exist(self):
        known = re.findall(r"^[A-Z]+ = '([a-z][^']* [^']*)'$", read('tests/corpus/judge.py'), re.M)
        self.assertGreaterEqual(len(known), 4)
        for text in known:
            with self.subTest(text=text):
                self.assertIn(text, source())

    def test_troubleshooting_starts_from_messages_that_exist(self):
        """Of each message in a heading, the words between its ellipses stand in
        the source, unless another program says it."""
        headings = re.findall(r'^### (.*)', read('docs/guide/troubleshooting.md'), re.M)
        messages = [m for line in headings for m in re.findall('`([^`]+)`', line)]
        self.assertGreater(len(messages), 15)
        for piece in (p for m in messages for p in re.split(r'…|: |ALERT|[."()]', m)):
            piece = piece.strip(' ,"().')
            if len(piece) < 12 or piece in STRERROR or SAID_ELSEWHERE.search(piece):
                continue
            with self.subTest(piece=piece):
                self.assertTrue(piece in source(), 'not in the source')

    def test_troubleshooting_has_each_failure_of_record(self):
        text = read('docs/guide/troubleshooting.md')
        found = 0
        for script in ('pipelines/record', 'pipelines/lib/setup.bash'):
            for message in re.findall(r'\bfail "((?:[^"\\]|\\.)*)"', read(script)):
                pieces = [p.strip() for p in re.split(r'\$\(.*|\$\w+|\\"|[;:,]', message)]
                literal = [p for p in pieces if len(p) >= 12][:1]
                found += 1
                with self.subTest(script=script, message=message):
                    self.assertTrue(not literal or literal[0] in text, 'no entry')
        self.assertGreater(found, 10)


if __name__ == '__main__':
    Gst.init(None)
    unittest.main(verbosity=1)
