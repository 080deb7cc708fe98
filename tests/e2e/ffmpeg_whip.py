#!/usr/bin/python3
# gst-tsrec: ffmpeg's own WHIP muxer publishes, where ffmpeg has one (8 or later)
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import subprocess
import unittest

import e2e

SECONDS = 6
FPS = 30
RECORDER = ('recwhipsrc name=w port={port} auth-token=secret on-disconnect=eos ! '
            'h264parse ! tsrecsink name=rec location={path} '
            'w.audio ! opusparse ! rec.')


class FfmpegWhip(e2e.TestCase):
    def publish(self, port, *options):
        """As the README says it, with a token."""
        return self.start(
            ['ffmpeg', '-hide_banner', '-nostdin', '-nostats',
             '-re', '-f', 'lavfi', '-i', f'testsrc2=size=640x360:rate={FPS}',
             '-re', '-f', 'lavfi', '-i', 'sine', '-t', str(SECONDS), '-pix_fmt', 'yuv420p',
             '-c:v', 'libx264', '-profile:v', 'baseline', '-tune', 'zerolatency', '-g', str(FPS),
             '-c:a', 'libopus', '-ar', '48000', '-ac', '2', *options,
             '-f', 'whip', f'http://127.0.0.1:{port}/whip'], 'ffmpeg')

    def record(self):
        port = e2e.free_port()
        recorder = self.launch(RECORDER.format(port=port, path=self.path('rec.ts')), 'recorder')
        e2e.wait_for(lambda: e2e.is_listening(port), 'the recorder to listen')
        return port, recorder

    def check(self, *options):
        port, recorder = self.record()
        ffmpeg = self.publish(port, '-authorization', 'secret', *options)
        self.assertEqual(ffmpeg.wait(), 0, ffmpeg.said())
        # The DELETE of ffmpeg ends the recording.
        self.assertEqual(recorder.wait(), 0, recorder.said())
        packets = self.assert_sound(self.path('rec.ts'), ['h264', 'opus'])
        self.assertGreaterEqual(len(packets['h264']), 0.95 * FPS * SECONDS)
        self.assertGreaterEqual(len(packets['opus']), 0.95 * 50 * SECONDS)

    def test_is_recorded_whole(self):
        self.check()

    def test_is_recorded_whole_when_it_begins_the_handshake(self):
        self.check('-whip_flags', 'dtls_active')

    def test_a_wrong_token_is_refused_with_the_status(self):
        port, recorder = self.record()
        ffmpeg = self.publish(port, '-authorization', 'guess')
        self.assertNotEqual(ffmpeg.wait(), 0)
        self.assertIn('401', ffmpeg.said())
        self.assertTrue(recorder.is_running(), recorder.said())


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'gst-launch-1.0')
    e2e.need_elements('recwhipsrc', 'tsrecsink')
    muxer = subprocess.run(['ffmpeg', '-hide_banner', '-h', 'muxer=whip'],
                           capture_output=True, text=True, check=False)
    if 'Muxer whip' not in muxer.stdout:
        e2e.skip('this ffmpeg has no WHIP muxer (ffmpeg 8 and later have)')
    unittest.main(verbosity=2)
