#!/usr/bin/python3
# gst-tsrec: a track that falls silent never stops the others
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import threading
import time
import unittest

import e2e

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

LINE = (
    'videotestsrc is-live=true pattern=ball ! '
    'video/x-raw,width=320,height=240,framerate=30/1 ! '
    'x264enc tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max=30 ! '
    'h264parse ! valve name=camera ! queue ! tsrecsink name=rec location={} '
    'audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! '
    'valve name=microphone ! queue ! rec.')
SILENCE = 3.0


class Silence(e2e.TestCase):
    def record(self, silent):
        """Silences one track for 3 s in the middle of a live recording.
        Returns the growth of the file and when the silence was."""
        location = self.path('rec.ts')
        pipeline = Gst.parse_launch(LINE.format(location))
        self.addCleanup(pipeline.set_state, Gst.State.NULL)
        valve = pipeline.get_by_name(silent)
        with e2e.Growth(location) as growth:
            pipeline.set_state(Gst.State.PLAYING)
            e2e.wait_for(lambda: growth.changes, 'the first bytes')
            e2e.wait_for(lambda: e2e.size_of(location) > 50000, '50 kB')
            valve.set_property('drop', True)
            begin = time.monotonic()
            threading.Event().wait(SILENCE)
            end = time.monotonic()
            valve.set_property('drop', False)
            size = e2e.size_of(location)
            e2e.wait_for(lambda: e2e.size_of(location) > size + 50000, '50 kB more')
            pipeline.send_event(Gst.Event.new_eos())
            message = pipeline.get_bus().timed_pop_filtered(
                20 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
            self.assertIsNotNone(message, 'no EOS')
            self.assertEqual(message.type, Gst.MessageType.EOS)
            pipeline.set_state(Gst.State.NULL)
        return location, growth, begin, end

    def check(self, silent, quiet_codec, other_codec, gap):
        location, growth, begin, end = self.record(silent)
        self.assertLess(growth.longest_pause(begin, end), 0.25,
                        f'(the watcher slept {growth.watcher_slept(begin, end)})')
        packets = self.assert_sound(location, ['aac', 'h264'])
        self.assertLess(longest_gap(packets[other_codec]), gap)
        self.assertGreater(longest_gap(packets[quiet_codec]), SILENCE - 0.5)

    @e2e.tries(3)
    def test_silent_camera_does_not_stop_the_sound(self):
        self.check('camera', 'h264', 'aac', 0.1)

    @e2e.tries(3)
    def test_silent_microphone_does_not_stop_the_picture(self):
        self.check('microphone', 'aac', 'h264', 0.25)


def longest_gap(packets):
    times = [pts for pts, _ in packets]
    return max(b - a for a, b in zip(times, times[1:]))


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe')
    e2e.need_elements('x264enc', 'avenc_aac')
    Gst.init(None)
    unittest.main(verbosity=2)
