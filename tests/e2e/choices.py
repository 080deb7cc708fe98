#!/usr/bin/python3
# gst-tsrec: the options of a recording have their effect
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nine combinations of --format, --quality, --video and --audio in which every
two values meet; all of them with REC_COMBINATIONS=all. What is not there is
taken away from a copy of the system's plugins."""

import itertools
import os
import re
import subprocess
import unittest
import urllib.error
import urllib.request

import e2e

FORMATS = ('mpegts', 'mp4', 'mkv')
QUALITIES = ('low', 'medium', 'high')
VIDEOS = ('copy', 'h264', 'h265')
AUDIOS = ('aac', 'opus', 'copy')
SECONDS = 5
# Packages of the software encoders, MP4 and Matroska.
LIBRARIES = ('x264', 'openh264', 'x265', 'libav', 'voaacenc', 'fdkaac', 'isomp4', 'matroska')
AV1_OFFER = '''v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
m=video 9 UDP/TLS/RTP/SAVPF 45
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:45 AV1/90000
'''
# Stand-ins for gst-inspect-1.0 and gst-launch-1.0 on a machine with all the
# encoders in hardware, each of which fails in a way of its own, or works.
INSPECT = '''#!/bin/sh
/usr/bin/gst-inspect-1.0 "$@"
[ $# -gt 0 ] || printf 'fake:  %s: stands in for hardware\\n' vah264enc vaapih264enc nvh264enc v4l2h264enc
'''
LAUNCH = '''#!/bin/sh
case "$*" in
  *num-buffers=3*vah264enc*) echo 'ERROR: from element va: Could not open the display' >&2; exit 1 ;;
  *num-buffers=3*vaapih264enc*) exit 7 ;;
  *num-buffers=3*nvh264enc*) echo 'WARNING: erroneous pipeline: no property "rc-mode"' >&2; exit 1 ;;
  *num-buffers=3*v4l2h264enc*) exit {} ;;
esac
exec /usr/bin/gst-launch-1.0 "$@"
'''


def combinations():
    choices = (FORMATS, QUALITIES, VIDEOS, AUDIOS)
    if os.environ.get('REC_COMBINATIONS') == 'all':
        return list(itertools.product(*choices))
    # An orthogonal array: rows i, j, i+j, i+2j modulo 3.
    return [tuple(choice[n % 3] for choice, n in zip(choices, (i, j, i + j, i + 2 * j)))
            for i in range(3) for j in range(3)]


class Choices(e2e.TestCase):
    def record(self, *options, **kwargs):
        self.port = e2e.free_port()
        return self.start(
            [os.path.join(e2e.PIPELINES, 'record'), '--output', 'out',
             '--port', str(self.port), *options], 'record', **kwargs)

    def the_recording(self):
        folder = self.path('out')
        found = [n for n in os.listdir(folder) if not n.endswith('.m3u8')]
        self.assertEqual(len(found), 1, found)
        return os.path.join(folder, found[0])

    def check(self, form, quality, video, audio):
        process = self.record('--duration', str(SECONDS), '--format', form,
                              '--quality', quality, '--video', video,
                              '--audio', audio)
        self.assertEqual(process.wait(90), 0, process.said())
        path = self.the_recording()
        self.assertTrue(path.endswith('ts' if form == 'mpegts' else form))
        probe = e2e.Probe(path)
        self.assertEqual(probe.complaints, '')
        self.assertEqual(sorted(probe.codecs),
                         sorted(['hevc' if video == 'h265' else 'h264',
                                 'aac' if audio == 'aac' else 'opus']))
        for codec in probe.codecs:
            self.assertGreater(probe.duration(codec), SECONDS - 2, codec)
        self.assertEqual(e2e.decoding_complaints(path), '')
        # The monitor works the same, whatever the format.
        self.assertRegex(process.said(), r'[1-9][\d.]* [kM]?B written')
        os.unlink(path)

    def test_combinations_record_and_read_back(self):
        right = 0
        for combination in combinations():
            with self.subTest(combination=' '.join(combination)):
                self.setUp()
                self.check(*combination)
                self.doCleanups()
                right += 1
        print(f'{right} of {len(combinations())} combinations record {SECONDS} s and read back')

    def test_unknown_format_records_mpegts_and_says_so_once(self):
        process = self.record('--duration', '2', '--format', 'avi')
        self.assertEqual(process.wait(90), 0, process.said())
        self.assertEqual(process.said().count('"avi"'), 1)
        self.assert_sound(self.the_recording(), ['aac', 'h264'])

    def test_unknown_choices_are_refused(self):
        for option in ('--quality', '--video', '--audio'):
            process = self.record(option, 'best')
            self.assertEqual(process.wait(), 2)
            self.assertIn('"best"', process.said())

    def without(self, *libraries):
        """An environment with the plugins of the system except those."""
        folder = self.path('plugins')
        os.mkdir(folder)
        system = os.environ.get('GST_PLUGIN_SYSTEM_PATH_1_0') or subprocess.run(
            ['pkg-config', '--variable=pluginsdir', 'gstreamer-1.0'],
            capture_output=True, text=True, check=True).stdout.strip()
        left_out = {f'libgst{library}.so' for library in libraries}
        for name in set(os.listdir(system)) - left_out:
            os.symlink(os.path.join(system, name), os.path.join(folder, name))
        return {**os.environ, 'GST_PLUGIN_SYSTEM_PATH_1_0': folder,
                'GST_REGISTRY_1_0': self.path('registry.bin')}

    def test_what_is_missing_is_named_with_its_package(self):
        env = self.without(*LIBRARIES)
        for options, *words in (
                (['--video', 'h264'], 'x264enc', 'gstreamer1.0-plugins-ugly',
                 'openh264enc', 'gstreamer1.0-plugins-bad'),
                (['--video', 'h265'], 'x265enc', 'gstreamer1.0-plugins-bad'),
                (['--audio', 'aac'], 'avenc_aac', 'gstreamer1.0-libav', '--audio opus'),
                (['--format', 'mp4', '--audio', 'opus'], 'mp4mux', 'gstreamer1.0-plugins-good'),
                (['--format', 'mkv', '--audio', 'copy'], 'matroskamux', 'gstreamer1.0-plugins-good')):
            with self.subTest(options=options):
                process = self.record('--publisher', 'none', *options, env=env)
                self.assertEqual(process.wait(60), 1, process.said())
                for word in words:
                    self.assertIn(word, process.said())
                self.assertEqual(os.listdir(self.path('out')), [])

    def test_without_an_encoder_what_can_be_copied_is_taken(self):
        process = self.record('--publisher', 'none', '--audio', 'opus', env=self.without(*LIBRARIES))
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        self.assertIn('H264 H265 copied; others are refused', process.said())
        self.assertIn('gstreamer1.0-plugins-ugly (x264enc)', process.said())

    def choose_an_encoder(self, v4l2_status):
        """What is said when hardware is there that fails, up to V4L2."""
        tools = self.path('bin')
        os.mkdir(tools)
        for name, text in (('gst-inspect-1.0', INSPECT), ('gst-launch-1.0', LAUNCH.format(v4l2_status))):
            with open(os.path.join(tools, name), 'w', encoding='ascii') as file:
                file.write(text)
            os.chmod(file.name, 0o755)
        process = self.record('--publisher', 'none', env={
            **os.environ, 'PATH': tools + ':' + os.environ['PATH']})
        e2e.wait_for(lambda: 'copied' in process.said(), 'the choice')
        said = process.said()
        for name, why in (('vah264enc', 'Could not open the display'), ('vaapih264enc', 'status 7'),
                          ('nvh264enc', 'no property')):
            self.assertRegex(said, rf'(?m)^Video: {name} does not work here, .*{why}')
        return said

    def test_hardware_comes_first_and_each_that_fails_is_named(self):
        said = self.choose_an_encoder(0)
        self.assertIn('encoded to H264 by v4l2h264enc', said)
        self.assertNotIn('v4l2h264enc does not work', said)

    def test_software_is_chosen_when_no_hardware_works(self):
        said = self.choose_an_encoder(1)
        self.assertIn('Video: v4l2h264enc does not work here', said)
        self.assertIn('encoded to H264 by x264enc', said)

    def test_av1_is_refused_by_the_name_of_what_is_missing(self):
        """Debian 12 has no depayloader for it."""
        if not subprocess.run(['gst-inspect-1.0', '--exists', '--atleast-version=0.0', 'rtpav1depay'],
                              check=False).returncode:
            self.skipTest('there is rtpav1depay')
        process = self.record('--publisher', 'none')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        self.assertIn('AV1 refused: rtpav1depay is missing (gst-plugins-rs', process.said())
        answers = []

        def offer():
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(
                    f'http://127.0.0.1:{self.port}/whip', AV1_OFFER.replace('\n', '\r\n').encode(),
                    {'Content-Type': 'application/sdp'}), timeout=30)
            answers.append(refused.exception)
            return refused.exception.code != 503  # it listens before it runs

        e2e.wait_for(offer, 'an answer of the recorder')
        self.assertEqual(answers[-1].code, 422)
        self.assertIn('AV1 (rtpav1depay)', answers[-1].read().decode())

    def test_mp4_that_cannot_be_read_is_not_called_a_recording(self):
        """mp4mux writes no header without a track that it was to carry."""
        process = self.record('--publisher', 'none', '--format', 'mp4')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        self.launch(
            'videotestsrc is-live=true ! video/x-raw,width=320,height=240 ! '
            'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! '
            'video/x-h264,profile=constrained-baseline ! '
            f'recwhipsink location=http://127.0.0.1:{self.port}/whip', 'silent')
        e2e.wait_for(lambda: re.search(r' [1-9][\d.]* packets/s', process.said()),
                     'packets')
        process.interrupt()
        self.assertEqual(process.wait(90), 1, process.said())

    def test_vp8_sender_is_recorded_as_h264(self):
        client = os.path.join(e2e.SOURCE_DIR, 'tests/interop/aiortc_client.py')
        usable = subprocess.run(['/usr/bin/python3', client, '--help'],
                                capture_output=True, check=False)
        if usable.returncode:
            self.skipTest('aiortc is not installed')
        process = self.record('--publisher', 'none', '--duration', '5')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        sender = self.start(
            ['/usr/bin/python3', client, f'http://127.0.0.1:{self.port}/whip',
             '--video', 'VP8', '--seconds', '30'], 'sender')
        self.assertEqual(process.wait(90), 0, process.said() + sender.said())
        self.assertIn('VP8', process.said())
        self.assert_sound(self.the_recording(), ['aac', 'h264'])


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0')
    e2e.need_elements('webrtcbin', 'x264enc', 'x265enc', 'opusenc', 'avenc_aac',
                      'timeoverlay', 'nicesink')
    unittest.main(verbosity=2)
