#!/usr/bin/python3
# gst-tsrec: a WebRTC publisher, recorded by another process, is read back whole
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import subprocess
import unittest

import e2e
import recorder

RECORDER = (
    'recwhipsrc name=whip port={port} '
    'whip.video ! h264parse ! queue ! recmonitor ! '
    'tsrecsink name=rec location={location} '
    'whip.audio ! queue ! opusdec ! audioconvert ! audioresample ! '
    'avenc_aac ! aacparse ! rec.')

PUBLISHER = (
    'videotestsrc is-live=true pattern=ball ! '
    'video/x-raw,width=320,height=240,framerate=30/1 ! timeoverlay ! '
    'videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast '
    'bitrate=600 key-int-max=60 ! video/x-h264,profile=constrained-baseline ! '
    'recwhipsink name=whip location=http://127.0.0.1:{port}/whip '
    'audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! whip.')


class Loopback(e2e.TestCase):
    def setUp(self):
        super().setUp()
        self.port = e2e.free_port()
        self.recording = self.path('rec.ts')
        self.ledger = self.path('ledger')

    def start_recorder(self):
        process = self.start(
            [os.path.join(e2e.SOURCE_DIR, 'tests/e2e/recorder.py'), self.ledger,
             RECORDER.format(port=self.port, location=self.recording)],
            'recorder')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        return process

    def start_publisher(self):
        return self.launch(PUBLISHER.format(port=self.port), 'publisher')

    def assert_every_frame_decodes(self, packets):
        self.assertEqual(e2e.frames_of(self.recording),
                         {codec: len(p) for codec, p in packets.items()})
        pictures, sounds = e2e.decode_with_gstreamer(self.recording)
        # tsdemux begins anew where the second track is announced, and cuts what
        # is earlier than the first track was by then.
        begin = min(p[0][0] for p in packets.values())
        early = [p for p in packets['h264'] if p[0] < begin + 0.5]
        self.assertLessEqual(len(packets['h264']) - len(early), pictures)
        self.assertLessEqual(len(packets['aac']) - 1, sounds)

    def wait_for_buffers(self, number):
        e2e.wait_for(lambda: recorder.read(self.ledger)[2] >= number,
                     f'{number} buffers from the publisher')

    @e2e.tries(3)
    def test_recording_is_whole_and_grows_all_the_time(self):
        process = self.start_recorder()
        with e2e.Growth(self.recording) as growth:
            publisher = self.start_publisher()
            e2e.wait_for(lambda: growth.changes, 'the first bytes')
            begin = growth.changes[0][0]
            # A second reader, in the middle of it.
            self.wait_for_buffers(300)
            self.assertEqual(e2e.decoding_complaints(self.recording), '')
            self.wait_for_buffers(600)
            end = growth.changes[-1][0]
            process.interrupt()
            self.assertEqual(process.wait(), 0, process.said())
        self.assertTrue(publisher.is_running(), publisher.said())
        publisher.end()

        packets = self.assert_sound(self.recording, ['aac', 'h264'])
        self.assert_overlap(packets)
        self.assert_every_frame_decodes(packets)
        self.assertTrue(growth.only_grew())
        _, first_buffer, _ = recorder.read(self.ledger)
        self.assertLess(begin - first_buffer, 1.0,
                        'seconds from the first packet to the first byte')
        self.assertLess(growth.longest_pause(begin, end), 0.25,
                        f'(the watcher slept {growth.watcher_slept(begin, end)})')

    def test_resident_memory_stays_as_it_is(self):
        process = self.start_recorder()
        self.start_publisher()
        self.wait_for_buffers(1)
        begin = recorder.read(self.ledger)[1]
        now = e2e.time.monotonic
        e2e.wait_for(lambda: now() >= begin + 10, 'the 10th second')
        early = e2e.rss_of(process.pid)
        e2e.wait_for(lambda: now() >= begin + 60, 'the 60th second', 90)
        late = e2e.rss_of(process.pid)
        print(f'resident memory after 10 s: {early}, after 60 s: {late} bytes')
        self.assertLess(late - early, 1 << 20)
        self.assertGreater(recorder.read(self.ledger)[2], 3000)

    def test_publisher_that_is_killed_leaves_a_sound_recording(self):
        process = self.start_recorder()
        publisher = self.start_publisher()
        self.wait_for_buffers(200)
        publisher.kill()
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.said())
        self.assert_sound(self.recording, ['aac', 'h264'])

    def test_publisher_hears_that_another_one_is_connected(self):
        self.start_recorder()
        self.start_publisher()
        self.wait_for_buffers(10)
        second = self.launch(PUBLISHER.format(port=self.port), 'second')
        self.assertNotEqual(second.wait(), 0)
        self.assertIn('409', second.said())

    def test_ffmpeg_reads_to_the_end_while_it_is_written(self):
        process = self.start_recorder()
        self.start_publisher()
        self.wait_for_buffers(200)
        result = subprocess.run(
            ['ffmpeg', '-nostdin', '-v', 'error', '-i', self.recording, '-c',
             'copy', '-f', 'null', '-'], capture_output=True, text=True,
            timeout=60, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertTrue(process.is_running())


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0')
    e2e.need_elements('webrtcbin', 'x264enc', 'opusenc', 'avenc_aac',
                      'timeoverlay', 'nicesink')
    unittest.main(verbosity=2)
