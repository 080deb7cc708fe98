#!/usr/bin/python3
# gst-tsrec: the players that people have follow a recording while it grows
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import contextlib
import os
import re
import shutil
import socket
import unittest

import e2e

RECORDER = (
    'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! '
    'x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max=30 ! h264parse ! queue ! '
    'tsrecsink name=rec location=rec.ts playlist-location=rec.m3u8 '
    'audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! queue ! rec.')
# Seconds that were not recorded yet when the player opened the file.
BEYOND = 4


def last_clock(text, pattern):
    found = re.findall(pattern, text)
    return float(found[-1]) if found else 0.0


class Players(e2e.TestCase):
    """One recording and all players on it at a time, as nothing depends on
    how fast any of them is."""

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)  # for VLC, which does not run as root
        self.recorder = self.launch(RECORDER, 'recorder')
        e2e.wait_for(lambda: e2e.size_of(self.path('rec.m3u8')) > 0 and
                     'rec.ts' in self.text('rec.m3u8'), 'the first entry of the playlist')
        e2e.wait_for(lambda: self.length() > 5, '5 s of recording')

    def text(self, name):
        with open(self.path(name), encoding='utf-8', errors='replace') as file:
            return file.read()

    def length(self):
        return sum(float(s) for s in re.findall(r'#EXTINF:([\d.]+)', self.text('rec.m3u8')))

    def play(self, name, arguments, env=None):
        if shutil.which(arguments[0]) is None:
            print(f'{name}: {arguments[0]} is not installed')
            return None
        return self.start(arguments, name, env={**os.environ, **(env or {})})

    def vlc(self, port):
        as_nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] if os.getuid() == 0 else []
        if shutil.which('cvlc') is None:
            print('vlc: cvlc is not installed')
            return None
        return self.play('vlc', [*as_nobody, 'cvlc', '-I', 'rc', '--rc-host', f'127.0.0.1:{port}',
                                 '-V', 'vdummy', '-A', 'adummy', 'rec.ts'], {'HOME': self.path('nowhere')})

    @staticmethod
    def vlc_clock(port):
        """What VLC answers to get_time, seconds."""
        answer = b''
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 5) as control:
            control.settimeout(1)
            control.sendall(b'get_time\n')
            while not re.search(rb'\d\r?\n', answer.rpartition(b'> ')[2]):
                answer += control.recv(4096)
        return last_clock(answer.decode(errors='replace'), r'(?m)^(?:> )*(\d+)\r?$')

    def test_players_go_beyond_what_was_there_when_they_began(self):
        begun = self.length()
        port = e2e.free_port()
        silent = {'SDL_VIDEODRIVER': 'dummy', 'SDL_AUDIODRIVER': 'dummy'}
        sinks = ['--no-interactive', '--videosink', 'fakesink sync=true', '--audiosink', 'fakesink sync=true']
        ffplay_clock = r'(?m)^\s*(\d+\.\d+) (?:A-V|M-V|M-A)'
        # gst-play-1.0 may show the time since the epoch of a live playlist
        gst_clock = r'0:0?(\d+:\d\d)\.\d /'
        players = {
            'ffplay': (self.play('ffplay', ['ffplay', '-hide_banner', 'rec.ts'], silent),
                       lambda p: last_clock(p.said().replace('\r', '\n'), ffplay_clock)),
            'ffplay-m3u8': (self.play('ffplay-m3u8', ['ffplay', '-hide_banner', '-live_start_index', '0', 'rec.m3u8'],
                                      silent),
                            lambda p: last_clock(p.said().replace('\r', '\n'), ffplay_clock)),
            'gst-play': (self.play('gst-play', ['gst-play-1.0', *sinks, 'rec.ts']),
                         lambda p: self.minutes(p.said(), gst_clock)),
            'vlc': (self.vlc(port), lambda p: self.vlc_clock(port)),
        }
        running = {name: row for name, row in players.items() if row[0]}
        if not running:
            e2e.skip('none of ffplay, gst-play-1.0 and cvlc is installed')
        for name, (process, clock) in running.items():
            # A file plays from its start, at the speed at which it grows.
            e2e.wait_for(lambda p=process, c=clock: c(p) > begun + BEYOND or not p.is_running(),
                         f'{name} to go beyond {begun + BEYOND:.1f} s', 60)
            self.assertTrue(process.is_running(), f'{name} ended: {process.said()[-2000:]}')
            print(f'{name}: {begun:.1f} s were there, it is at {clock(process):.1f} s')
        self.recorder.interrupt()
        self.assertEqual(self.recorder.wait(), 0)

    @staticmethod
    def minutes(text, pattern):
        found = re.findall(pattern, text)
        if not found:
            return 0.0
        minutes, seconds = found[-1].split(':')
        return int(minutes) * 60.0 + int(seconds)


if __name__ == '__main__':
    e2e.need_tools('gst-launch-1.0')
    e2e.need_elements('tsrecsink', 'x264enc', 'avenc_aac')
    unittest.main(verbosity=2)
