#!/usr/bin/python3
# gst-tsrec: the commands in pipelines/ do what they say
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import re
import signal
import subprocess
import unittest

import e2e

# A publisher like the one that pipelines/record starts, for --publisher none.
PUBLISHER = (
    'videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! '
    'videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! '
    'video/x-h264,profile=constrained-baseline ! '
    'recwhipsink name=whip{token} '
    'location=http://127.0.0.1:{port}/whip '
    'audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! whip.')


class Commands(e2e.TestCase):
    def command(self, name, *arguments, env=None):
        return self.start([os.path.join(e2e.PIPELINES, name), *arguments], name,
                          env={**os.environ, **(env or {})})

    def recordings(self, folder=''):
        folder = self.path(folder)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [os.path.join(folder, n) for n in sorted(names)
                if n.endswith('.ts')]

    def the_recording(self, folder=''):
        found = self.recordings(folder)
        self.assertEqual(len(found), 1, found)
        return found[0]


class Record(Commands):
    def test_records_the_test_publisher(self):
        port = str(e2e.free_port())
        process = self.command('record', '--duration', '6', '--port', port)
        self.assertEqual(process.wait(60), 0, process.said())
        path = self.the_recording('recordings')
        packets = self.assert_sound(path, ['aac', 'h264'])
        for codec in packets:
            self.assertGreater(e2e.Probe(path).duration(codec), 4, codec)
        said = process.said()
        self.assertIn(os.path.relpath(path, self.folder), said)
        self.assertIn(f'({e2e.size_of(path)} bytes)', said)
        self.assertRegex(said, r'Duration: +\d+\.\d s of aac \+ h264')
        self.assertIn('ffplay recordings/', said)

    def test_interrupt_ends_a_recording_without_end(self):
        port = e2e.free_port()
        process = self.command('record', '--duration', '0', '--output', 'out',
                               '--port', str(port))
        e2e.wait_for(lambda: any(e2e.size_of(p) > 100000
                                 for p in self.recordings('out')), '100 kB')
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        self.assert_sound(self.the_recording('out'), ['aac', 'h264'])
        self.assertFalse(e2e.is_listening(port), 'the recorder still runs')

    def test_killed_script_leaves_no_process_and_a_sound_file(self):
        port = e2e.free_port()
        process = self.command('record', '--duration', '0', '--output', 'out',
                               '--port', str(port))
        e2e.wait_for(lambda: any(e2e.size_of(p) > 50000
                                 for p in self.recordings('out')), '50 kB')
        process.kill()
        e2e.wait_for(lambda: not e2e.is_listening(port), 'the end of the recorder')
        path = self.the_recording('out')
        e2e.wait_for(lambda: not in_use(path), 'the file to be closed')
        self.assert_sound(path, ['aac', 'h264'])

    def test_waits_for_a_publisher_with_the_right_token(self):
        port = e2e.free_port()
        process = self.command('record', '--publisher', 'none', '--duration', '3',
                               '--port', str(port), '--auth-token', 'secret',
                               '--output', '.')
        e2e.wait_for(lambda: f'http://127.0.0.1:{port}/whip' in process.said(),
                     'the WHIP URL')
        wrong = self.launch(PUBLISHER.format(port=port, token=' auth-token=wrong'), 'wrong')
        self.assertNotEqual(wrong.wait(), 0)
        self.assertIn('401', wrong.said())
        self.assertEqual(self.recordings(), [])
        right = self.launch(PUBLISHER.format(port=port, token=' auth-token=secret'), 'right')
        self.assertEqual(process.wait(60), 0, process.said() + right.said())
        self.assert_sound(self.the_recording(), ['aac', 'h264'])

    def test_port_in_use_is_named(self):
        port = e2e.free_port()
        with e2e.socket.create_server(('127.0.0.1', port)):
            process = self.command('record', '--duration', '1', '--port', str(port),
                                   '--publisher', 'none')
            self.assertEqual(process.wait(), 1, process.said())
        self.assertIn(str(port), process.said())
        self.assertIn('use', process.said())
        self.assertEqual(self.recordings('recordings'), [])

    def test_folder_that_cannot_be_made_is_named(self):
        with open(self.path('file'), 'wb'):
            pass
        process = self.command('record', '--output', 'file/folder')
        self.assertEqual(process.wait(), 1)
        self.assertIn('file/folder', process.said())
        self.assertIn('--output', process.said())

    def test_wrong_options_are_refused_before_anything_starts(self):
        for arguments in (['--duration', 'x'], ['--port', '0'], ['--port', '65536'],
                          ['--publisher', 'me'], ['--duration'], ['--nonsense'],
                          ['file.ts']):
            with self.subTest(arguments=arguments):
                process = self.command('record', *arguments)
                self.assertEqual(process.wait(), 2, process.said())
                self.assertIn('--help', process.said())
                self.assertEqual(os.listdir(self.folder), ['record.log'])

    def test_numbers_are_decimal(self):
        process = self.command('record', '--rotate', '08', '--name', 'same')
        self.assertEqual(process.wait(), 2, process.said())
        self.assertIn('need a --name', process.said())

    def test_help_names_every_option(self):
        process = self.command('record', '--help')
        self.assertEqual(process.wait(), 0)
        with open(os.path.join(e2e.PIPELINES, 'record'), encoding='utf-8') as file:
            options = set(re.findall(r'^ +((?:-{1,2}[a-z-]+(?: \| )?)+)\)',
                                     file.read(), re.M))
        self.assertTrue(options)
        for option in ' | '.join(options).split(' | '):
            self.assertIn(option, process.said())


class Others(Commands):
    def test_record_camera(self):
        process = self.command(
            'record-camera', 'camera.ts', env={
                'VIDEO_SOURCE': 'videotestsrc is-live=true',
                'AUDIO_SOURCE': 'audiotestsrc is-live=true'})
        path = self.path('camera.ts')
        e2e.wait_for(lambda: e2e.size_of(path) > 200000, '200 kB')
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        self.assert_sound(path, ['aac', 'h264'])

    def test_record_webrtcbin(self):
        process = self.command('record-webrtcbin', 'direct.ts', '4')
        self.assertEqual(process.wait(60), 0, process.said())
        self.assert_sound(self.path('direct.ts'), ['aac', 'h264'])

    def test_all_of_them_tell_their_version(self):
        with open(os.path.join(e2e.SOURCE_DIR, 'meson.build'), encoding='utf-8') as file:
            version = re.search(r"^  version : '(.*)',", file.read(), re.M)[1]
        commands = [name for name in sorted(os.listdir(e2e.PIPELINES))
                    if '.' not in name and os.path.isfile(os.path.join(e2e.PIPELINES, name))]
        self.assertGreater(len(commands), 7)
        for name in commands:
            with self.subTest(command=name):
                process = self.command(name, '--version')
                self.assertEqual(process.wait(), 0, process.said())
                self.assertEqual(process.said(), f'gst-tsrec {version}\n')

    def test_monitor_shows_what_a_publisher_sends_and_writes_nothing(self):
        port = e2e.free_port()
        process = self.command('monitor', str(port))
        e2e.wait_for(lambda: e2e.is_listening(port), 'the WHIP server')
        self.launch(PUBLISHER.format(port=port, token=''), 'publisher')
        e2e.wait_for(lambda: re.search(r'[1-9][\d.]* [kM]b', process.said()),
                     f'a bit rate in: {process.said()}')
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ['monitor.log', 'publisher.log'])

    def test_install_deps_touches_nothing_when_nothing_is_missing(self):
        tools = self.path('bin')
        os.mkdir(tools)
        for name in ('apt-get', 'sudo'):
            with open(os.path.join(tools, name), 'w', encoding='ascii') as file:
                file.write('#!/bin/sh\necho touched >&2; exit 9\n')
            os.chmod(os.path.join(tools, name), 0o755)
        result = subprocess.run(
            [os.path.join(e2e.PIPELINES, 'install-deps'), 'build', 'run'],
            env={**os.environ, 'PATH': tools + ':' + os.environ['PATH']},
            capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, '', ''))


def in_use(path):
    """Whether some process of ours has the file open."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            for number in os.listdir(f'/proc/{pid}/fd'):
                if os.readlink(f'/proc/{pid}/fd/{number}') == path:
                    return True
        except OSError:
            continue
    return False


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0')
    e2e.need_elements('webrtcbin', 'x264enc', 'opusenc', 'avenc_aac',
                      'timeoverlay', 'nicesink')
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main(verbosity=2)
