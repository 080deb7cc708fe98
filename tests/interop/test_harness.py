#!/usr/bin/python3
# gst-tsrec: the judge finds what is wrong with a file, the relay does harm
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A campaign is worth what its judge is worth, so the judge is judged first:
with files that ffmpeg makes of the pattern, whole and with known damage."""

import importlib.util
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import needs  # noqa: E402

needs.modules('numpy', 'av')
needs.commands('ffmpeg', 'ffprobe')

import numpy as np  # noqa: E402

import judge  # noqa: E402
import pattern  # noqa: E402
import relay  # noqa: E402

FPS = 25


def make_recording(path, seconds=6, leave_out=(), audio_delay=0.0, black=(), scramble=()):
    """An MPEG-TS of the pattern, made by ffmpeg; picture i was drawn at i*40 ms."""
    folder = tempfile.mkdtemp()
    try:
        raw = os.path.join(folder, 'video.raw')
        pcm = os.path.join(folder, 'audio.raw')
        with open(raw, 'wb') as out:
            for i in range(seconds * FPS):
                shown = next(k for k in range(i, -1, -1) if k not in leave_out)
                picture = pattern.encode_picture(shown, shown * 1000 // FPS, 320, 180)
                if i in black:
                    picture[:] = 16
                if i in scramble:
                    picture[:66, 100:200] = 235
                out.write(picture.tobytes())
        sound = pattern.encode_sound(0, seconds)
        sound = np.concatenate([np.zeros(int(audio_delay * 48000), np.float32), sound])
        sound.tofile(pcm)
        subprocess.run(
            ['ffmpeg', '-nostdin', '-v', 'error', '-y',
             '-f', 'rawvideo', '-pix_fmt', 'gray', '-s', '320x180', '-r', str(FPS), '-i', raw,
             '-f', 'f32le', '-ar', '48000', '-ac', '1', '-i', pcm,
             '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-pix_fmt', 'yuv420p',
             '-c:a', 'aac', '-f', 'mpegts', path], check=True)
    finally:
        shutil.rmtree(folder)


class Pattern(unittest.TestCase):
    def test_a_picture_is_read_back_at_every_size(self):
        for width, height in ((640, 360), (360, 640), (160, 90), (480, 270)):
            luma = pattern.encode_picture(65535, 0xabcdef, width, height)
            self.assertEqual(pattern.decode_picture(luma), (65535, 0xabcdef))

    def test_one_flipped_cell_is_noticed(self):
        for cell in range(pattern.COLUMNS * pattern.ROWS):
            luma = pattern.encode_picture(1234, 567890).astype(int)
            y, x = divmod(cell, pattern.COLUMNS)
            part = luma[y * 45:(y + 1) * 45, x * 40:(x + 1) * 40]
            part[:] = 251 - part
            self.assertIsNone(pattern.decode_picture(luma))

    def test_one_colour_is_no_code(self):
        for value in (0, 16, 128, 235, 255):
            self.assertIsNone(pattern.decode_picture(np.full((360, 640), value, np.uint8)))

    def test_pitch_and_onset_are_heard(self):
        sound = pattern.encode_sound(7, 12) + np.random.default_rng(1).normal(0, 0.01, 12 * 48000)
        beeps = pattern.find_beeps(sound)
        self.assertEqual([n for _, n in beeps], [(7 + k) % 16 for k in range(12)])
        for k, (at, _) in enumerate(beeps):
            self.assertAlmostEqual(at, k, delta=0.005)


class Judge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.whole = os.path.join(cls.folder, 'whole.ts')
        make_recording(cls.whole)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def file(self, **damage):
        path = os.path.join(self.folder, self.id() + '.ts')
        make_recording(path, **damage)
        return path

    def test_nothing_is_found_in_a_sound_file(self):
        v = judge.Verdict(self.whole)
        self.assertEqual((v.frames, v.missing, v.damaged, v.black, v.repeated), (150, 0, 0, 0, 0))
        self.assertEqual((v.continuity, v.errors, v.refused), ([], [], []))
        self.assertEqual(v.beeps, 6)
        self.assertLess(abs(v.offset), 0.03)
        self.assertLess(v.time_error_max, 0.001)
        self.assertEqual(v.holes('video') + v.holes('audio'), [])

    def test_missing_pictures_are_counted(self):
        v = judge.Verdict(self.file(leave_out=(50, 51, 100)))
        self.assertEqual((v.missing, v.longest_gap), (3, 2))

    def test_late_sound_is_measured(self):
        v = judge.Verdict(self.file(audio_delay=0.2))
        self.assertAlmostEqual(v.offset - judge.Verdict(self.whole).offset, 0.2, delta=0.01)

    def test_an_onset_has_the_timestamp_of_its_own_piece(self):
        """Timestamps that wander by 10 ms a piece, and never leave a hole."""
        sound = pattern.encode_sound(0, 3)
        pieces = [(i * 0.02 + min(i, 30) * 0.01, sound[i * 960:(i + 1) * 960])
                  for i in range(150)]
        recording = judge.Recording(self.whole)
        recording.sound = []
        recording._listen(pieces)  # pylint: disable=protected-access
        self.assertEqual([n for _, n in recording.sound], [0, 1, 2])
        for (at, _), right in zip(recording.sound, (0, 1.3, 2.3)):
            self.assertAlmostEqual(at, right, delta=0.01)

    def test_black_and_damaged_pictures_are_told_apart(self):
        v = judge.Verdict(self.file(black=range(30, 40), scramble=range(60, 63)))
        self.assertEqual((v.black, v.damaged), (10, 3))

    def test_a_lost_packet_is_a_continuity_error_and_a_decoding_error(self):
        data = pathlib.Path(self.whole).read_bytes()
        packets = judge.read_packets(data)
        pid = judge.Recording(self.whole).pids['video']
        at = np.nonzero(judge.packet_pids(packets) == pid)[0]
        lost = int(at[len(at) // 2])
        path = os.path.join(self.folder, 'lost.ts')
        with open(path, 'wb') as out:
            out.write(data[:lost * 188] + data[(lost + 1) * 188:])
        v = judge.Verdict(path)
        self.assertEqual(len(v.continuity), 1)
        self.assertTrue(v.errors or v.refused or v.damaged)

    def test_a_torn_tail_is_named(self):
        data = pathlib.Path(self.whole).read_bytes()
        self.assertIn('torn', judge.continuity_errors(data[:-100])[0])

    def test_a_stall_of_one_track_is_seen_and_a_pause_of_the_sender_is_not(self):
        path = os.path.join(self.folder, 'growing.ts')
        packet = bytes([0x47, 0x41, 0x00, 0x10]) + bytes(184)
        growth = judge.Growth(path, 0.005)
        arrivals = []
        with open(path, 'wb', buffering=0) as out:
            for i in range(60):
                now = time.time()
                if not 15 <= i < 30:          # the sender pauses
                    arrivals.append(now)
                    if not 40 <= i < 50:      # the recorder stalls
                        out.write(packet)
                time.sleep(0.03)
        growth.stop()
        stalls = growth.stalls(0x100, arrivals, tolerance=0.2)
        self.assertEqual(len(stalls), 1, stalls)
        self.assertGreater(stalls[0][1], 0.2)


class Timestamps(unittest.TestCase):
    """Pictures that follow their RTP timestamps, whatever is drawn in them."""

    def setUp(self):
        # every 40 ms, one of them a bit late, and a clock that wraps
        self.rtp = [(2 ** 32 - 90000 + i * 3600 + (i % 7) * 90) % 2 ** 32 for i in range(200)]
        self.times = judge.unwrap_rtp(self.rtp, 90000)

    def recorded(self, move=lambda i: 0, left_out=()):
        return [(5 + t + move(i), i, 0) for i, t in enumerate(self.times) if i not in left_out]

    def test_they_are_followed(self):
        self.assertEqual(len(self.times), 200)
        self.assertTrue(judge.follows_rtp(self.recorded(), self.times))
        self.assertTrue(judge.follows_rtp(self.recorded(left_out=range(40, 90)), self.times))
        # 10 ms a second
        self.assertTrue(judge.follows_rtp(self.recorded(lambda i: 0.0004 * i), self.times))

    def test_pictures_that_were_moved_are_found(self):
        for by in (0.02, 0.04, 0.08, 0.2, -0.2):
            self.assertFalse(judge.follows_rtp(
                self.recorded(lambda i: by if i >= 100 else 0), self.times), by)
            self.assertFalse(judge.follows_rtp(
                self.recorded(lambda i: by if 100 <= i < 130 else 0), self.times), by)
        self.assertFalse(judge.follows_rtp([], self.times))


class RelayTest(unittest.TestCase):
    def test_loss_comes_in_bursts_and_at_the_rate_asked_for(self):
        for rate in (0.02, 0.1):
            direction = relay.Direction(3)
            direction.weather = relay.Weather(loss=rate, burst=5)
            fate = [direction.release_time(1000, 0) is None for _ in range(200000)]
            self.assertAlmostEqual(sum(fate) / len(fate), rate, delta=rate * 0.1)
            bursts = sum(a and not b for a, b in zip(fate, fate[1:]))
            self.assertAlmostEqual(sum(fate) / bursts, 5, delta=0.5)

    def test_the_rate_is_kept_and_the_queue_is_bounded(self):
        direction = relay.Direction(1)
        direction.weather = relay.Weather(rate=300e3, queue=0.4)
        out = [direction.release_time(1200, t / 1000) for t in range(0, 5000, 5)]
        passed = [t for t in out if t is not None]
        self.assertAlmostEqual(len(passed) * 1200 * 8 / 5, 300e3, delta=30e3)
        late = max(t - i * 0.005 for i, t in enumerate(out) if t is not None)
        self.assertLess(late, 0.45)

    def test_what_is_held_back_is_let_go_at_once(self):
        direction = relay.Direction(1)
        direction.held_until = 12.0
        self.assertEqual([direction.release_time(1000, now) for now in (10.0, 11.0, 12.5)],
                         [12.0, 12.0, 12.5])

    def test_packets_go_both_ways_until_the_hole(self):
        wire = relay.Relay()
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(('127.0.0.1', 0))
        peer.settimeout(2)
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.bind(('127.0.0.1', 0))
        client.settimeout(2)
        self.addCleanup(peer.close)
        self.addCleanup(client.close)
        wire.recorder = peer.getsockname()
        rtp = bytes([0x80, 96, 0, 1]) + bytes(8) + b'x'
        client.sendto(rtp, wire.client_side.getsockname())
        data, source = peer.recvfrom(100)
        self.assertEqual((data, source), (rtp, wire.recorder_side.getsockname()))
        peer.sendto(b'back', source)
        self.assertEqual(client.recv(100), b'back')
        wire.set(relay.Weather(hole=True), relay.Weather(hole=True))
        client.sendto(rtp, wire.client_side.getsockname())
        peer.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            peer.recv(100)
        wire.stop()
        self.assertEqual([a[1:] for a in wire.arrivals], [(96, 0, 1)])

    def test_candidates_are_replaced_in_every_media_section(self):
        sdp = ('v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n'
               'a=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\na=mid:0\r\n'
               'm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 H264/90000\r\n'
               'a=rtpmap:97 rtx/90000\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\n'
               'a=candidate:2 1 tcp 1 10.0.0.1 9 typ host tcptype active\r\n')
        out = relay.replace_candidates(sdp, ('127.0.0.1', 7000))
        self.assertEqual(out.count('a=candidate'), 2)
        self.assertEqual(relay.first_udp_address(out), ('127.0.0.1', 7000))
        self.assertEqual(relay.first_udp_address(sdp), ('10.0.0.1', 5))
        self.assertEqual(relay.media_of_payload_types(out), {111: 'audio', 96: 'video'})


if __name__ == '__main__':
    assert importlib.util.find_spec('av')
    unittest.main(verbosity=1)
