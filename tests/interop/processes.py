# gst-tsrec: the processes of a scenario
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process that talks in JSON lines, and the recorder as one of them."""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = '/usr/bin/python3'

# With these, glibc's count of what is allocated is exact, and what is resident
# does not depend on which thread of a session got which of glibc's arenas.
EXACT_MALLOC = {'MALLOC_ARENA_MAX': '1', 'GLIBC_TUNABLES': 'glibc.malloc.tcache_count=0',
                'G_SLICE': 'always-malloc'}


class Died(Exception):
    """A process of the scenario ended on its own."""


class JsonProcess:
    """Keeps every line the process says; `wait_for` looks at all of them."""

    def __init__(self, arguments, log, **env):
        self.log = log
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(log, 'ab'), text=True, env={**os.environ, **env})
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for text in self.process.stdout:
            try:
                line = json.loads(text)
            except ValueError:
                line = {'time': time.time(), 'type': 'text', 'name': text.strip()}
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def say(self, text):
        try:
            self.process.stdin.write(text + '\n')
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def select(self, **wanted):
        with self.changed:
            return [line for line in self.lines
                    if all(line.get(k) == v for k, v in wanted.items())]

    def wait_for(self, timeout=15, count=1, **wanted):
        """The count-th line that has these values."""
        end = time.monotonic() + timeout
        while True:
            found = self.select(**wanted)
            if len(found) >= count:
                return found[count - 1]
            if self.process.poll() is not None and not self.reader.is_alive():
                raise Died(f'{self.process.args[1]} ended with status '
                           f'{self.process.returncode}: {self.tail()}')
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f'no {wanted} in {timeout} s')
            with self.changed:
                self.changed.wait(min(left, 0.2))

    def tail(self):
        errors = [f"{line['src']}: {line['name']}" for line in self.lines
                  if line.get('type') == 'error']
        text = pathlib.Path(self.log).read_text(errors='replace').strip().splitlines()
        return ' | '.join(errors + text[-3:])

    def end(self, timeout=10):
        """Its exit status; killed when it does not end by itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return 'did not end'


class Recorder(JsonProcess):
    """recorder.py with one recwhipsrc, or a launch line of the caller's."""

    PORT = 8190

    def __init__(self, folder, whip='', sink='', launch=None, **env):
        self.file = str(folder / 'rec.ts')
        self.url = f'http://127.0.0.1:{self.PORT}/whip'
        udp_port = os.environ.get('REC_UDP_PORT', '0')
        launch = launch or (
            f'recwhipsrc name=whip host=127.0.0.1 port={self.PORT} path=/whip '
            f'udp-port={udp_port} {whip} '
            f'tsrecsink name=sink location={self.file} {sink} '
            'whip.video ! queue max-size-time=0 max-size-buffers=0 ! '
            'recmonitor name=monitor stage=video ! sink. '
            'whip.audio ! queue max-size-time=0 max-size-buffers=0 ! '
            'recmonitor name=audiomonitor stage=audio ! sink.')
        super().__init__([PYTHON, str(HERE / 'recorder.py'), launch], folder / 'recorder.log', **env)
        try:
            wait_for_http(self.url, self)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def stats(self, element='whip'):
        known = len(self.select(type='stats', src=element))
        self.say('stats ' + element)
        return self.wait_for(type='stats', src=element, count=known + 1)['fields']

    def usage(self):
        known = len(self.select(type='usage'))
        self.say('usage')
        return self.wait_for(type='usage', count=known + 1)['fields']

    def usage_at_rest(self, timeout=40):
        """Once there is no session (one whose DELETE was lost is there until its
        peer-timeout), and what the last one had has been freed: when what is
        allocated has not changed, but for a few messages, in three looks."""
        end = time.monotonic() + timeout
        looks = []
        while True:
            looks = looks[-2:] + [self.usage()]
            sizes = [look['allocated'] for look in looks]
            if 'session-id' in self.stats():
                looks.clear()
            elif len(looks) == 3 and max(sizes) - min(sizes) < 4096:
                return looks[-1]
            if time.monotonic() > end:
                raise TimeoutError(f'not at rest after {timeout} s: {looks}')
            time.sleep(0.3)

    def stop(self):
        """EOS; the exit status."""
        self.say('eos')
        return self.end()

    @property
    def sessions(self):
        return self.select(type='element', name='recwhip-connected')

    @property
    def ends(self):
        return self.select(type='element', name='recwhip-disconnected')


def wait_for_http(url, server, timeout=20):
    """Any answer will do."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise Died(f'the recorder ended with {server.process.returncode}: {server.tail()}')
        try:
            urllib.request.urlopen(urllib.request.Request(url, method='OPTIONS'), timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f'nobody listens at {url}')


def environment(build):
    """Ours from the build directory, the system's plugins, our own registry."""
    env = dict(os.environ)
    if build:
        env['GST_PLUGIN_PATH_1_0'] = str(build / 'gst')
        env['REC_BUILD_DIR'] = str(build)
        env.setdefault('GST_REGISTRY_1_0', str(build / 'tests' / 'interop-registry.bin'))
    env['PYTHONDONTWRITEBYTECODE'] = '1'
    sys.dont_write_bytecode = True
    return env
