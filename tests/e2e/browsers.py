# gst-tsrec: Chromium and Firefox play recordings and publish
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both without a window. A browser here is a context manager with two methods:
visit (url), and evaluate (expression), whose promises are awaited."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import e2e

sys.path.insert(0, os.path.join(e2e.SOURCE_DIR, 'tests', 'interop'))
import chromium  # pylint: disable=wrong-import-position

# A camera and a microphone that need neither hardware nor a question.
FAKE_DEVICES = ('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream')

FIREFOX_PREFERENCES = {
    'app.update.enabled': False,
    'browser.shell.checkDefaultBrowser': False,
    'datareporting.policy.dataSubmissionEnabled': False,
    'media.autoplay.default': 0,
    'media.navigator.permission.disabled': True,
    'media.navigator.streams.fake': True,
    'media.peerconnection.ice.loopback': True,
    'media.peerconnection.ice.obfuscate_host_addresses': False,
    'network.captive-portal-service.enabled': False,
    'network.connectivity-service.enabled': False,
    'network.manage-offline-status': False,
}


class Chromium(chromium.Chromium):
    def __init__(self):
        super().__init__(flags=FAKE_DEVICES)


class Firefox:
    """Debian's firefox-esr, driven by its own protocol, Marionette."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix='gst-tsrec-firefox-')
        port = e2e.free_port()
        preferences = {**FIREFOX_PREFERENCES, 'marionette.port': port}
        with open(os.path.join(self.profile, 'user.js'), 'w', encoding='ascii') as file:
            for name, value in preferences.items():
                file.write(f'user_pref({json.dumps(name)}, {json.dumps(value)});\n')
        self.process = subprocess.Popen(
            ['firefox-esr', '--headless', '--marionette', '--no-remote', '--profile', self.profile],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, 'HOME': self.profile, 'MOZ_CRASHREPORTER_DISABLE': '1'})
        self.number = 0
        self.socket = None

        def connect():
            try:
                self.socket = socket.create_connection(('127.0.0.1', port), 60)
            except ConnectionRefusedError:
                return False
            return True

        e2e.wait_for(connect, 'Firefox to start', 90)
        self.receive()
        self.call('WebDriver:NewSession', {})
        self.call('WebDriver:SetTimeouts', {'script': 90000, 'pageLoad': 60000})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        data = b''
        while b':' not in data:
            data += self.socket.recv(1)
        length = int(data[:-1])
        data = b''
        while len(data) < length:
            data += self.socket.recv(length - len(data))
        return json.loads(data)

    def call(self, command, parameters):
        self.number += 1
        text = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.settimeout(120)
        self.socket.sendall(b'%d:%s' % (len(text), text))
        _, _, error, result = self.receive()
        if error:
            raise AssertionError(f'Firefox: {error["message"]}')
        return result

    def visit(self, url):
        self.call('WebDriver:Navigate', {'url': url})

    def evaluate(self, expression):
        script = f'''const done = arguments[0];
            Promise.resolve({expression}).then(done, (error) => done(String(error)));'''
        return self.call('WebDriver:ExecuteAsyncScript', {'script': script, 'args': []})['value']


def installed():
    """Those that are here, by name."""
    browsers = {'chromium': ('chromium', Chromium), 'firefox': ('firefox-esr', Firefox)}
    return {name: made for name, (command, made) in browsers.items() if shutil.which(command)}


PLAYBACK = '''(() => {
  const video = document.getElementById('video'), problem = document.getElementById('problem');
  if (!video || !problem) return null; // the page is still being read
  const quality = video.getVideoPlaybackQuality();
  return {
    time: video.currentTime, width: video.videoWidth, error: video.error ? video.error.message : '',
    mediaErrors: Number(video.dataset.mediaErrors || 0),
    problem: problem.textContent,
    frames: quality.totalVideoFrames - quality.droppedVideoFrames,
  };
})()'''


def assert_plays(test, browser, url, has_video, seconds=1.5):
    """The page of pipelines/serve at url plays so long, with pictures."""
    browser.visit('about:blank')
    browser.visit(url)
    played, before, end = 0.0, None, time.monotonic() + 60
    while played < seconds:
        state = browser.evaluate(PLAYBACK)
        if state and before and before['time'] < state['time'] < before['time'] + 3:
            played += state['time'] - before['time']
        before = state
        test.assertLess(time.monotonic(), end, f'{url} does not play: {state}')
        time.sleep(0.1)
    test.assertEqual(state['error'], '')
    test.assertEqual(state['mediaErrors'], 0)
    if has_video:
        test.assertGreater(state['frames'], 0, state)
        test.assertGreater(state['width'], 0, state)
