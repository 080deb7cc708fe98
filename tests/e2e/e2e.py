# gst-tsrec: helpers of the end-to-end tests
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that end with the test, independent readers of a recording, and a
watcher of a growing file. No test asserts an absolute time; where a promise
is about time (a file grows every 250 ms), a machine that was itself too busy
is told apart from a recorder that broke the promise by trying again.
"""

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BUILD_DIR = os.environ['REC_BUILD_DIR']
SOURCE_DIR = os.environ['REC_SOURCE_DIR']
PIPELINES = os.path.join(SOURCE_DIR, 'pipelines')
TS_PACKET = 188
# How long to wait for what must happen, before calling it a failure.
PATIENCE = 30.0


def skip(reason):
    """Ends the whole program as meson's "skipped"."""
    print(f'SKIP: {reason}')
    sys.exit(77)


def need_tools(*names):
    for name in names:
        if shutil.which(name) is None:
            skip(f'{name} is not installed')


def need_elements(*names):
    for name in names:
        # Without the version only plugins as old as GStreamer itself are found.
        found = subprocess.run(['gst-inspect-1.0', '--exists',
                                '--atleast-version=0.0', name], check=False)
        if found.returncode:
            skip(f'there is no element {name}')


def wait_for(condition, what, patience=PATIENCE):
    """The first true value of condition(), or a failure that says what."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'waited {patience:.0f} s in vain for: {what}')
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def is_listening(port):
    with contextlib.suppress(OSError), \
            socket.create_connection(('127.0.0.1', port), 1):
        return True
    return False


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


# The processes that no cleanup has ended yet. No cleanup runs after Ctrl+C or when
# meson ends a test that took too long, and a process in a session of its own gets
# neither signal.
running = set()


def end_running():
    for process in list(running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def end_by_signal(number, _frame):
    end_running()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


ENDING_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
atexit.register(end_running)
for ending_signal in ENDING_SIGNALS:
    signal.signal(ending_signal, end_by_signal)


@contextlib.contextmanager
def ending_signals_held_back():
    """Until a process that starts is among those that are running."""
    held_back = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.signal(number, lambda number, _frame: held_back.append(number))
                    for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in held_back:
        os.kill(os.getpid(), number)


class Process:
    """A child in a session of its own, with what it said kept in a file."""

    def __init__(self, arguments, folder, name, **kwargs):
        self.output = os.path.join(folder, name + '.log')
        with open(self.output, 'wb') as log, ending_signals_held_back():
            self.child = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=folder, start_new_session=True, **kwargs)
            self.pid = self.child.pid
            running.add(self)

    def said(self):
        with open(self.output, encoding='utf-8', errors='replace') as log:
            return log.read()

    def is_running(self):
        return self.child.poll() is None

    def interrupt(self):
        self.child.send_signal(signal.SIGINT)

    def wait(self, patience=PATIENCE):
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(
                f'{self.output}: still running; it said:\n{self.said()}') from error

    def kill(self):
        if self.is_running():
            self.child.kill()
        self.child.wait()

    def end(self):
        """For the end of a test: its children, if any, end with it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.child.wait()
        running.discard(self)


class TestCase(unittest.TestCase):
    """A folder and processes that go away with the test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='tsrec-e2e-')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, arguments, name, **kwargs):
        process = Process(arguments, self.folder, name, **kwargs)
        self.addCleanup(process.end)
        return process

    def launch(self, line, name, **kwargs):
        """gst-launch-1.0 -e with a line as a person would type it."""
        return self.start(['gst-launch-1.0', '-q', '-e', *line.split()], name,
                          **kwargs)

    def assert_sound(self, path, codecs):
        """Read by ffprobe and ffmpeg to the end without a word of complaint,
        whole packets, timestamps that strictly increase. Returns the packets
        of each codec as lists of (pts, dts) in seconds."""
        self.assertGreater(size_of(path), 0, f'{path} is empty')
        self.assertEqual(size_of(path) % TS_PACKET, 0, 'a torn packet')
        probe = Probe(path)
        self.assertEqual(probe.complaints, '')
        self.assertEqual(sorted(probe.codecs), sorted(codecs))
        for codec, packets in probe.packets.items():
            self.assertTrue(packets, f'no packet of {codec}')
            dts = [packet[1] for packet in packets]
            for before, after in zip(dts, dts[1:]):
                self.assertLess(before, after, f'DTS of {codec} go back')
            self.assertEqual(len(set(p[0] for p in packets)), len(packets),
                             f'a PTS of {codec} comes twice')
        self.assertEqual(decoding_complaints(path), '')
        return probe.packets

    def assert_overlap(self, packets, tolerance=0.1):
        """The tracks begin and end together."""
        first = [p[0][0] for p in packets.values()]
        last = [p[-1][0] for p in packets.values()]
        self.assertLess(max(first) - min(first), tolerance, f'starts: {first}')
        self.assertLess(max(last) - min(last), tolerance, f'ends: {last}')


class Probe:
    """What ffprobe reads in a file."""

    def __init__(self, path):
        result = subprocess.run(
            ['ffprobe', '-v', 'error', '-of', 'json', '-show_streams',
             '-show_packets', '-show_entries',
             'packet=stream_index,pts_time,dts_time,size,flags', path],
            capture_output=True, text=True, timeout=120, check=False)
        self.complaints = result.stderr.strip()
        document = json.loads(result.stdout)
        self.streams = document.get('streams', [])
        self.codecs = [stream['codec_name'] for stream in self.streams]
        names = {s['index']: s['codec_name'] for s in self.streams}
        self.packets = {name: [] for name in names.values()}
        self.sizes = {name: 0 for name in names.values()}
        for packet in document.get('packets', []):
            name = names[packet['stream_index']]
            self.packets[name].append(
                (float(packet['pts_time']), float(packet['dts_time'])))
            self.sizes[name] += int(packet['size'])

    def duration(self, codec):
        packets = self.packets[codec]
        return packets[-1][0] - packets[0][0]


def frames_of(path):
    """How many frames of each codec ffmpeg decodes."""
    result = subprocess.run(
        ['ffprobe', '-v', 'error', '-of', 'json', '-count_frames',
         '-show_entries', 'stream=codec_name,nb_read_frames', path],
        capture_output=True, text=True, timeout=240, check=True)
    return {stream['codec_name']: int(stream['nb_read_frames'])
            for stream in json.loads(result.stdout)['streams']}


def decoding_complaints(path):
    """What ffmpeg complains of when it decodes every frame. That timestamps of
    packets increase is checked elsewhere; two frames less than a tick of the
    decoder's clock apart are no fault of the recording."""
    result = subprocess.run(
        # "repeat": every line as it is, not how often it was said
        ['ffmpeg', '-nostdin', '-v', 'repeat+error', '-i', path,
         # as they come: not rounded to a frame rate that ffmpeg guessed
         '-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-f', 'null', '-'],
        capture_output=True, text=True, timeout=240, check=False)
    complaints = [line for line in result.stderr.splitlines()
                  if 'non monotonically increasing dts to muxer' not in line]
    return '\n'.join(complaints) or ('' if result.returncode == 0 else 'failed')


def decode_with_gstreamer(path):
    """(pictures, buffers of sound) that tsdemux and decoders make of the file: a
    second reader, independent of ffmpeg's demuxer."""
    result = subprocess.run(
        [os.path.join(SOURCE_DIR, 'tests/e2e/demux.py'), path],
        capture_output=True, text=True, timeout=120, check=False)
    if result.returncode:
        raise AssertionError(f'GStreamer does not read {path}: {result.stderr}')
    return tuple(int(word) for word in result.stdout.split())


class Growth:
    """Watches the size of a file from a thread: (monotonic time, size) at
    every change that was seen, looking every 10 ms."""

    def __init__(self, path):
        self.path = path
        self.changes = []
        self.looks = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def watch(self):
        size = 0
        while not self.stopped.wait(0.01):
            now = time.monotonic()
            self.looks.append(now)
            seen = size_of(self.path)
            if seen != size:
                size = seen
                self.changes.append((now, size))

    def longest_pause(self, begin=0.0, end=float('inf')):
        """Longest time between two changes, in seconds, within [begin, end]."""
        times = [t for t, _ in self.changes if begin <= t <= end]
        return max((b - a for a, b in zip(times, times[1:])), default=float('inf'))

    def watcher_slept(self, begin=0.0, end=float('inf')):
        """Longest time that this thread itself did not run: the noise."""
        times = [t for t in self.looks if begin <= t <= end]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)

    def only_grew(self):
        sizes = [size for _, size in self.changes]
        return all(a < b for a, b in zip(sizes, sizes[1:]))


def tries(number):
    """For a promise about time: a machine that was busy with something else
    may break it, but not every time."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for attempt in range(1, number + 1):
                try:
                    return test(self)
                except AssertionError as error:
                    if attempt == number:
                        raise
                    print(f'try {attempt} of {number}: {error}', file=sys.stderr)
                    self.doCleanups()
                    self.setUp()
            return None
        return run
    return decorate


def rss_of(pid):
    """Resident memory of a process, bytes."""
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        for line in status:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024
    raise AssertionError(f'process {pid} has no VmRSS')
