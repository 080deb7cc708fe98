# gst-tsrec: headless Chromium, driven over a pair of pipes
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium in a PID namespace of its own, so that all of it dies at once, and
the few calls of its DevTools protocol that a publisher needs."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading

FLAGS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-dev-shm-usage', '--disable-background-timer-throttling',
    '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
    '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
    '--disable-features=WebRtcHideLocalIpsWithMdns,Translate,MediaRouter,OptimizationHints',
    '--remote-debugging-pipe',
]


class ScriptError(Exception):
    """The page threw."""


class Chromium:
    """Use as a context manager. `kill` is SIGKILL to every process of it."""

    def __init__(self, log=None, flags=()):
        self.profile = tempfile.mkdtemp(prefix='gst-tsrec-chromium-')
        commands_read, self.commands = os.pipe()
        self.replies, replies_write = os.pipe()

        def move_pipes():
            low = os.dup(commands_read), os.dup(replies_write)
            os.dup2(low[0], 3)
            os.dup2(low[1], 4)

        log = log or subprocess.DEVNULL
        self.process = subprocess.Popen(
            ['unshare', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc',
             'chromium', *FLAGS, *flags, f'--user-data-dir={self.profile}', 'about:blank'],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False,
            preexec_fn=move_pipes)
        os.close(commands_read)
        os.close(replies_write)
        self.ids = itertools.count(1)
        self.waiting = {}
        self.lock = threading.Lock()
        self.closed = False
        threading.Thread(target=self._read, daemon=True).start()
        self.session = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _read(self):
        rest = b''
        while True:
            try:
                data = os.read(self.replies, 1 << 16)
            except OSError:
                data = b''
            if not data:
                break
            *messages, rest = (rest + data).split(b'\0')
            for message in map(json.loads, messages):
                waiter = self.waiting.pop(message.get('id'), None)
                if waiter:
                    waiter[1].append(message)
                    waiter[0].set()
        with self.lock:
            self.closed = True
            waiters, self.waiting = self.waiting, {}
        for waiter in waiters.values():
            waiter[0].set()

    def call(self, method, timeout=30, **parameters):
        message = {'id': next(self.ids), 'method': method, 'params': parameters}
        if self.session and not method.startswith('Target.'):
            message['sessionId'] = self.session
        done, result = threading.Event(), []
        with self.lock:
            if self.closed:
                raise ConnectionError('Chromium has gone')
            self.waiting[message['id']] = (done, result)
        os.write(self.commands, json.dumps(message).encode() + b'\0')
        if not done.wait(timeout):
            raise TimeoutError(f'Chromium did not answer {method} in {timeout} s')
        if not result:
            raise ConnectionError('Chromium has gone')
        if 'error' in result[0]:
            raise ScriptError(result[0]['error'].get('message'))
        return result[0]['result']

    def visit(self, url):
        if not self.session:
            target = self.call('Target.createTarget', url='about:blank')['targetId']
            self.session = self.call('Target.attachToTarget', targetId=target,
                                     flatten=True)['sessionId']
        self.call('Page.navigate', url=url)

    def open(self, url):
        self.session = None
        self.visit(url)
        self.evaluate('''new Promise((resolve) => {
            const look = () => typeof publisher === 'undefined' ?
                setTimeout(look, 20) : resolve(true);
            look(); })''')

    def evaluate(self, expression, timeout=40):
        reply = self.call('Runtime.evaluate', timeout=timeout, expression=expression,
                          awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in reply:
            details = reply['exceptionDetails']
            raise ScriptError(details.get('exception', {}).get('description') or
                              details.get('text'))
        return reply['result'].get('value')

    def publisher(self, method, *arguments):
        text = ', '.join(json.dumps(a) for a in arguments)
        return self.evaluate(f'publisher.{method}({text})')

    def kill(self):
        """Every process of the browser dies at once, in the middle of a word."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.commands >= 0:
            os.close(self.commands)
            self.commands = -1
        shutil.rmtree(self.profile, ignore_errors=True)


def version():
    out = subprocess.run(['chromium', '--version'], capture_output=True, text=True, check=False)
    return out.stdout.strip()
