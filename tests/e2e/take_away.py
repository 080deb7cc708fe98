#!/usr/bin/python3
# gst-tsrec: ts-to-mp4 loses nothing, and check recognizes an intact recording
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import e2e

PACKET = e2e.TS_PACKET
FRAME = 1 / 25


def ffmpeg(*arguments):
    return subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-y', *arguments],
                          check=True, capture_output=True).stdout


def elementary(path, kind):
    """The access units of the first track of a kind, as the decoder gets them,
    one behind the other, without what the container adds."""
    data = ffmpeg('-i', path, '-map', f'0:{kind}:0', '-c', 'copy', '-f', 'data', '-')
    if path.endswith('.mp4'):
        return data
    if kind == 'a':
        return b''.join(adts_frames(data))
    return data


def adts_frames(data):
    at = 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        header = 7 if data[at + 1] & 1 else 9
        yield data[at + header:at + size]
        at += size


def nal_units_annex_b(data):
    return [unit.rstrip(b'\0') for unit in re.split(b'\0\0\1', data)[1:]]


def nal_units_of_length(data):
    units = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], 'big')
        units.append(data[at + 4:at + 4 + size].rstrip(b'\0'))
        at += 4 + size
    return units


def packet_times(path, kind):
    """Sorted PTS of a track in seconds, from where the file begins."""
    out = subprocess.run(['ffprobe', '-v', 'error', '-of', 'json', '-select_streams', kind,
                          '-show_entries', 'packet=pts_time:format=start_time', path],
                         check=True, capture_output=True).stdout
    document = json.loads(out)
    start = float(document['format']['start_time'])
    return sorted(float(p['pts_time']) - start for p in document['packets'])


@functools.lru_cache(None)
def sample(seconds=12, extra=()):
    """A recording with B-frames, and audio that starts later and ends later."""
    folder = tempfile.mkdtemp(prefix='tsrec-e2e-sample-')
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, 'sample.ts')
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size=320x240:rate=25:duration={seconds}',
           '-itsoffset', '0.7', '-f', 'lavfi', '-i', f'sine=frequency=440:sample_rate=48000:duration={seconds}',
           '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-b:v', '400k',
           '-c:a', 'aac', *extra, '-f', 'mpegts', path)
    with open(path, 'rb') as file:
        return file.read()


class TakeAway(e2e.TestCase):
    def write(self, name, data):
        path = self.path(name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def command(self, name, *arguments):
        return subprocess.run([os.path.join(e2e.PIPELINES, name), *arguments], cwd=self.folder,
                              capture_output=True, text=True, check=False, timeout=120)

    def convert(self, *arguments, status=0):
        result = self.command('ts-to-mp4', *arguments)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertEqual([n for n in os.listdir(self.folder) if n.endswith('.part')], [])
        return result.stdout + result.stderr

    def check(self, *arguments, status=0):
        result = self.command('check', *arguments)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertNotIn('Traceback', result.stderr)
        return result.stdout

    def assert_same_access_units(self, ts, mp4):
        self.assertEqual(nal_units_of_length(elementary(mp4, 'v')),
                         nal_units_annex_b(elementary(ts, 'v')))
        self.assertEqual(elementary(mp4, 'a'), elementary(ts, 'a'))

    def assert_same_times(self, ts, mp4, tolerance=0.002):
        for kind in 'va':
            before, after = packet_times(ts, kind), packet_times(mp4, kind)
            self.assertEqual(len(before), len(after), kind)
            worst = max(abs(a - b) for a, b in zip(before, after))
            self.assertLess(worst, tolerance, f'{kind}: {worst} s off')


class Convert(TakeAway):
    def test_every_access_unit_and_its_time_is_kept(self):
        ts = self.write('a.ts', sample())
        said = self.convert('a.ts')
        mp4 = self.path('a.mp4')
        self.assert_same_access_units(ts, mp4)
        self.assert_same_times(ts, mp4)
        self.assertEqual(e2e.decoding_complaints(mp4), '')
        self.assertIn('a.mp4: 0:12.', said)
        self.assertNotIn('Skipped', said)

    def test_index_is_in_front(self):
        self.write('a.ts', sample())
        self.convert('a.ts', 'out.mp4')
        with open(self.path('out.mp4'), 'rb') as file:
            data = file.read()
        self.assertLess(data.index(b'moov'), data.index(b'mdat'))

    def test_recording_of_ours_is_kept_to_the_access_unit(self):
        recorder = self.launch(
            'videotestsrc num-buffers=150 ! video/x-raw,width=320,height=240,framerate=30/1 ! '
            'x264enc tune=zerolatency key-int-max=30 ! h264parse ! tsrecsink name=rec location=own.ts '
            'journal-location=own.jsonl '
            'audiotestsrc num-buffers=215 ! audioconvert ! avenc_aac ! aacparse ! rec.', 'recorder')
        self.assertEqual(recorder.wait(), 0, recorder.said())
        said = self.check('own.ts')
        self.assertIn('own.ts: OK', said)
        self.assertIn('UTC (by own.jsonl)', said)
        self.convert('own.ts')
        self.assert_same_access_units(self.path('own.ts'), self.path('own.mp4'))
        self.assert_same_times(self.path('own.ts'), self.path('own.mp4'))

    def test_opus_is_kept(self):
        ts = self.write('a.ts', sample(5, ('-c:a', 'libopus')))
        self.convert('a.ts')
        self.assertEqual(sorted(e2e.Probe(self.path('a.mp4')).codecs), ['h264', 'opus'])
        self.assert_same_times(ts, self.path('a.mp4'), tolerance=0.02)

    def test_fragments_join_to_what_one_file_would_be(self):
        data = sample()
        cuts = [0, 700 * PACKET, 1500 * PACKET, len(data)]
        names = []
        for number, (start, end) in enumerate(zip(cuts, cuts[1:])):
            names.append(f'f-{number}.ts')
            self.write(names[-1], data[start:end])
        self.write('whole.ts', data)
        self.convert('whole.ts')
        said = self.convert(*names, 'joined.mp4')
        self.assertIn('from 3 files', said)
        self.assertNotIn('Skipped', said)
        for kind in 'va':
            self.assertEqual(elementary(self.path('joined.mp4'), kind),
                             elementary(self.path('whole.mp4'), kind))
        self.assert_same_times(self.path('whole.ts'), self.path('joined.mp4'))

    def test_two_recordings_are_put_behind_each_other(self):
        ts = self.write('a.ts', sample())
        self.write('b.ts', sample())
        said = self.convert('a.ts', 'b.ts', 'ab.mp4')
        self.assertNotIn('Skipped', said)
        once, twice = (elementary(self.path(n), 'a') for n in ('a.ts', 'ab.mp4'))
        self.assertEqual(twice, once + once)
        self.assertEqual(nal_units_of_length(elementary(self.path('ab.mp4'), 'v')),
                         2 * nal_units_annex_b(elementary(ts, 'v')))
        video, audio = (packet_times(self.path('ab.mp4'), kind) for kind in 'va')
        whole = max(video[-1], audio[-1])
        self.assertAlmostEqual(whole, 2 * packet_times(ts, 'a')[-1], delta=0.5)
        # Picture and sound of the second are as far apart as in the first.
        first = packet_times(ts, 'a')[0] - packet_times(ts, 'v')[0]
        half = [times[len(times) // 2] for times in (video, audio)]
        self.assertAlmostEqual(half[1] - half[0], first, delta=FRAME)

    def test_gap_of_a_resumed_recording_stays_a_gap(self):
        data = bytearray(sample())
        later = shifted(data, 40)
        ts = self.write('a.ts', bytes(data) + announced(later))
        self.convert('a.ts')
        times = packet_times(self.path('a.mp4'), 'v')
        self.assertEqual(len(times), 600)
        self.assertAlmostEqual(times[300] - times[0], 40, delta=FRAME)
        audio = packet_times(self.path('a.mp4'), 'a')
        self.assertAlmostEqual(audio[len(audio) // 2] - audio[0], 40, delta=FRAME)
        said = self.check(ts, status=1)
        self.assertRegex(said, r'nothing was recorded for 27\.\d s at 0:12')
        self.assertIn('resumed', said)

    def test_track_that_starts_minutes_late_is_there(self):
        data = sample()
        pids = sorted({pid_of(data, i) for i in range(0, len(data), PACKET)} - {0, 17, 4096})
        audio_only = b''.join(
            shift_packet(data[i:i + PACKET], at) for at in range(0, 240, 12)
            for i in range(0, len(data), PACKET) if pid_of(data, i) != pids[0])
        self.write('late.ts', audio_only + bytes(shifted(data, 240)))
        self.convert('late.ts')
        video = packet_times(self.path('late.mp4'), 'v')
        self.assertEqual(len(video), 300)
        self.assertGreater(video[0], 239)

    def test_never_overwrites_without_force(self):
        self.write('a.ts', sample())
        self.write('a.mp4', b'precious')
        said = self.convert('a.ts', status=1)
        self.assertIn('--force', said)
        with open(self.path('a.mp4'), 'rb') as file:
            self.assertEqual(file.read(), b'precious')
        os.symlink('nowhere', self.path('link.mp4'))
        self.convert('a.ts', 'link.mp4', status=1)
        self.convert('--force', 'a.ts')
        self.assertEqual(e2e.decoding_complaints(self.path('a.mp4')), '')

    def test_failure_leaves_nothing_behind(self):
        self.write('text.ts', b'this is no recording ' * 1000)
        self.write('empty.ts', b'')
        for name, words in (('text.ts', 'MPEG transport stream'), ('empty.ts', 'it is empty'),
                            ('none.ts', 'No such file')):
            said = self.convert(name, 'out.mp4', status=1)
            self.assertIn(words, said)
            self.assertNotIn('Traceback', said)
            self.assertFalse(os.path.exists(self.path('out.mp4')))
        self.write('a.ts', sample())
        self.assertIn('cannot write', self.convert('a.ts', 'no/such/out.mp4', status=1))
        self.convert('--frobnicate', 'a.ts', status=2)
        self.convert(status=2)


def stream(codec, pictures, rate=48000, channels=1):
    """A recording of ffmpeg: every one has the same PIDs."""
    with tempfile.NamedTemporaryFile(suffix='.ts') as file:
        ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size=160x120:rate=25:duration={pictures / 25}',
               '-f', 'lavfi', '-i', f'sine=duration={pictures / 25}:sample_rate={rate}',
               '-c:v', codec, '-preset', 'ultrafast', '-g', '25', '-bf', '0',
               *(['-x265-params', 'log-level=none'] if codec == 'libx265' else []),
               '-c:a', 'aac', '-ac', str(channels), '-f', 'mpegts', file.name)
        return file.read()


class OtherCodecs(TakeAway):
    """No MP4 with status 0 that is broken, and no access unit in none of them."""

    def record(self, name, *branches):
        """Records branches: (pad, [source ! encoder, …]), one behind the other."""
        line = f'tsrecsink name=r location={self.path(name)}'
        for number, (pad, pieces) in enumerate(branches):
            line += f' concat name=c{number} ! r.{pad}' + ''.join(f' {piece} ! c{number}.' for piece in pieces)
        result = subprocess.run(['gst-launch-1.0', '-q', *line.split()], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.path(name)

    def packets(self, name):
        """[(codec, packets)] of a file, which also decodes."""
        path = self.path(name)
        self.assertEqual(e2e.decoding_complaints(path), '')
        out = subprocess.run(['ffprobe', '-v', 'error', '-of', 'json', '-count_packets', '-show_entries',
                              'stream=codec_name,nb_read_packets', path], check=True, capture_output=True).stdout
        return sorted((s['codec_name'], int(s['nb_read_packets'])) for s in json.loads(out)['streams'])

    VIDEO = 'videotestsrc num-buffers=50 ! video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! '
    H264 = VIDEO + 'x264enc speed-preset=ultrafast bframes=0 key-int-max=25 ! h264parse'
    H265 = VIDEO + 'x265enc speed-preset=ultrafast tune=zerolatency ! h265parse'

    @staticmethod
    def aac(count, rate, channels):
        return f'audiotestsrc num-buffers={count} samplesperbuffer=1024 ! ' \
            f'audio/x-raw,rate={rate},channels={channels} ! avenc_aac ! aacparse'

    AC3 = 'audiotestsrc num-buffers=60 samplesperbuffer=1536 ! audio/x-raw,rate=48000,channels=2 ! ' \
        'avenc_ac3 ! ac3parse'

    def test_other_video_codec_begins_another_mp4(self):
        e2e.need_elements('x265enc')
        self.record('v.ts', ('video_0', [self.H264, self.H265, self.H264]), ('audio_0', [self.aac(282, 48000, 2)]))
        said = self.check('v.ts')
        self.assertIn('video changes from H.264 to H.265 at 2.0 s', said)
        self.assertIn('video changes from H.265 to H.264 at 4.0 s', said)
        self.assertNotIn('no video', said)
        said = self.convert('v.ts')
        self.assertIn('changes from H.264 to H.265', said)
        found = [self.packets(name) for name in ('v.mp4', 'v-2.mp4', 'v-3.mp4')]
        self.assertEqual([dict(f).get('h264', 0) for f in found], [50, 0, 50])
        self.assertEqual([dict(f).get('hevc', 0) for f in found], [0, 50, 0])
        self.assertEqual(sum(dict(f)['aac'] for f in found), dict(self.packets('v.ts'))['aac'])

    def test_other_audio_codec_begins_another_mp4(self):
        self.record('a.ts', ('audio_0', [self.aac(100, 48000, 2), self.AC3]))
        self.assertRegex(self.check('a.ts'), r'audio changes from AAC to AC-3 at 2\.\d s')
        self.convert('a.ts', 'out.mp4')
        self.assertEqual(self.packets('out.mp4'), [('aac', 101)])
        self.assertEqual(self.packets('out-2.mp4'), [('ac3', 60)])

    def test_other_sampling_rate_of_aac_begins_another_mp4_and_loses_no_picture(self):
        self.record('r.ts', ('audio_0', [self.aac(60, 48000, 2), self.aac(60, 32000, 1)]), ('video_0', [self.H264]))
        self.assertIn('audio changes from AAC 48 kHz stereo to AAC 32 kHz mono', self.check('r.ts'))
        self.convert('r.ts')
        found = [dict(self.packets(name)) for name in ('r.mp4', 'r-2.mp4')]
        self.assertEqual([f['aac'] for f in found], [61, 61])
        self.assertEqual(sum(f.get('h264', 0) for f in found), 50)

    def test_other_codec_on_the_same_pid_begins_another_mp4(self):
        """As ffmpeg, and recorders of ours before, wrote it."""
        e2e.need_elements('x265enc')
        parts = [stream('libx264', 50), stream('libx265', 50), stream('libx264', 50, channels=2)]
        self.write('a.ts', b''.join(parts))
        said = self.check('a.ts', status=1)
        self.assertIn('video changes from H.264 to H.265 at 2.0 s', said)
        self.convert('a.ts')
        found = [name for name in sorted(os.listdir(self.folder)) if name.endswith('.mp4')]
        pictures = [dict(self.packets(name)) for name in found]
        self.assertEqual(sum(p.get('h264', 0) for p in pictures), 100)
        self.assertEqual(sum(p.get('hevc', 0) for p in pictures), 50)

    def test_fragments_are_joined_as_far_as_the_codec_goes(self):
        e2e.need_elements('x265enc')
        for name, piece in (('f-0.ts', self.H264), ('f-1.ts', self.H265)):
            self.record(name, ('video_0', [piece]))
        with open(self.record('both.ts', ('video_0', [self.H264, self.H265])), 'rb') as file:
            data = file.read()
        pid = 0x100
        last = max(i for i in range(0, len(data), PACKET) if pid_of(data, i) == pid) + PACKET
        self.write('g-0.ts', data[:last])
        self.write('g-1.ts', data[last:])
        said = self.convert('g-0.ts', 'g-1.ts', 'g.mp4')
        self.assertEqual(self.packets('g.mp4'), [('h264', 50)])
        self.assertEqual(self.packets('g-2.mp4'), [('hevc', 50)])
        self.assertIn('a track of an MP4 has one codec', said)
        # the same PID in both: nothing tells which one to go on with
        self.assertIn('cannot join', self.convert('f-0.ts', 'f-1.ts', 'f.mp4', status=1))

    def test_recordings_of_other_sampling_rates_are_not_joined(self):
        self.write('a.ts', stream('libx264', 50))
        self.write('b.ts', stream('libx264', 50, rate=32000))
        self.convert('a.ts', 'b.ts', 'ab.mp4')
        for name in ('ab.mp4', 'ab-2.mp4'):
            self.assertEqual(dict(self.packets(name))['h264'], 50)
        self.convert('a.ts', 'a.ts', 'aa.mp4')
        self.assertEqual(dict(self.packets('aa.mp4'))['h264'], 100)

    def test_all_names_are_looked_at_before_anything_is_made(self):
        self.record('a.ts', ('audio_0', [self.aac(100, 48000, 2), self.AC3]))
        self.write('a-2.mp4', b'precious')
        self.assertIn('a-2.mp4', self.convert('a.ts', status=1))
        self.assertFalse(os.path.exists(self.path('a.mp4')))


class Damaged(TakeAway):
    def test_torn_tail_is_left_out_in_one_line(self):
        whole = sample()
        for cut in (1, 2, 3, 77, 187):
            with self.subTest(cut=cut):
                self.write('torn.ts', whole[:1200 * PACKET + cut])
                said = self.convert('--force', 'torn.ts')
                self.assertEqual(said.count('Skipped'), 1)
                self.assertIn('incomplete end', said)
                self.assertIn(f'{cut} byte', said)
                self.assert_plays_nearly_all(self.path('torn.mp4'), 1200 * PACKET / len(whole))
                self.assertIn('incomplete end', self.check('torn.ts', status=1))

    def assert_plays_nearly_all(self, mp4, share):
        times = packet_times(mp4, 'v')
        self.assertGreater(len(times), 300 * share * 0.85)
        self.assertEqual(e2e.decoding_complaints(mp4), '')

    def test_junk_between_packets_is_left_out(self):
        whole = sample()
        middle = 900 * PACKET
        self.write('junk.ts', b'G' * 99 + whole[:middle] + os.urandom(100000) + whole[middle:])
        said = self.convert('junk.ts')
        self.assertEqual(said.count('Skipped'), 1)
        self.assertIn('not transport packets', said)
        times = packet_times(self.path('junk.mp4'), 'v')
        self.assertGreater(len(times), 295)
        self.assertRegex(self.check('junk.ts', status=1),
                         r'bytes from byte \d+ on are not transport packets \(at 0:0[1-9]\.\d')

    def test_lost_packets_cost_their_access_units_only(self):
        whole = sample()
        lost = 900 * PACKET
        self.write('lost.ts', whole[:lost] + whole[lost + 5 * PACKET:])
        said = self.convert('lost.ts')
        self.assertRegex(said, r'Skipped: \d+ damaged access units? \(packets are missing at 0:0\d\.\d')
        self.assertGreater(len(packet_times(self.path('lost.mp4'), 'v')), 294)
        self.assertIn('packets are missing', self.check('lost.ts', status=1))

    def test_ruined_files_end_in_words(self):
        whole = sample()
        ruined = bytearray(whole)
        for at in range(PACKET * 20, len(ruined), 977):
            ruined[at] ^= 0x5a
        zeros = whole[:PACKET * 400] + bytes(PACKET * 400) + whole[PACKET * 800:]
        for name, data in (('flipped', bytes(ruined)), ('zeros', zeros), ('short', whole[:100]),
                           ('sync', b'G' * 100000), ('headless', whole[5000:])):
            with self.subTest(name):
                self.write(f'{name}.ts', data)
                for tool in ('check', 'ts-to-mp4'):
                    result = self.command(tool, f'{name}.ts')
                    self.assertIn(result.returncode, (0, 1))
                    self.assertNotIn('Traceback', result.stderr)
                self.check(f'{name}.ts', status=1)


class Check(TakeAway):
    def test_what_comes_behind_pcr_is_a_note(self):
        """A branch lagged: times are right, a decoder that goes by PCR is not pleased."""
        data = bytearray(sample())
        for at in range(len(data) // 2 // PACKET * PACKET, len(data) * 2 // 3, PACKET):
            if data[at + 3] & 0x20 and data[at + 4] >= 7 and data[at + 5] & 0x10:
                base = int.from_bytes(data[at + 6:at + 10], 'big') + 3 * 45000
                data[at + 6:at + 10] = base.to_bytes(4, 'big')
        self.write('a.ts', sample())
        self.assertNotIn('PCR', self.check('a.ts'))
        self.write('b.ts', data)
        said = self.check('b.ts')
        self.assertRegex(said, r'Note +[0-9]+ access units of the video are up to [12]\.[0-9] s late relative to PCR')
        self.assertIn('b.ts: OK', said)

    def lapse(self, name, expression, *extra):
        """Pictures alone, as tsrecsink records them, at other times."""
        ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=1', '-vf', f'setpts={expression}', '-fps_mode', 'passthrough',
               '-c:v', 'libx264', '-preset', 'ultrafast', *extra, self.path('lapse.mkv'))
        subprocess.run(['gst-launch-1.0', '-q', 'filesrc', 'location=lapse.mkv', '!', 'matroskademux', '!',
                        'tsrecsink', f'location={name}'], cwd=self.folder, check=True, timeout=60)

    def test_a_time_lapse_is_ok(self):
        for number, frames in enumerate(('0', '2')):
            self.lapse(f'{number}.ts', 'PTS*1500', '-bf', frames)
            said = self.check(f'{number}.ts')
            self.assertIn(f'{number}.ts: OK', said)
            self.assertRegex(said, r'Note +a time lapse: one access unit in 60\.0 s from 0:0')

    def test_a_pause_in_a_time_lapse_is_a_fault(self):
        self.lapse('a.ts', 'PTS*1500+gt(N\\,12)*60/TB', '-bf', '0')
        said = self.check('a.ts', status=1)
        self.assertRegex(said, r'Fault +nothing was recorded for 120\.0 s at 12:0')

    def test_pcr_that_jumps_over_a_silence_is_no_resume(self):
        """discontinuity_indicator on the PCR PID alone."""
        data = bytearray(sample())
        for at in range(0, len(data), PACKET):
            if data[at + 3] & 0x20 and data[at + 4] >= 7 and data[at + 5] & 0x10:
                data[at + 5] |= 0x80
        half = len(data) // 2 // PACKET * PACKET
        end = half + len(data) // 6 // PACKET * PACKET
        self.write('a.ts', data[:half] + data[end:])
        said = self.check('a.ts', status=1)
        self.assertIn('nothing was recorded for', said)
        self.assertNotIn('resumed', said)

    def test_a_file_of_another_kind_is_named(self):
        for name, data, word in (
                ('movie.mov', b'\0\0\0 ftypisom' + bytes(5000), 'it is MP4'),
                ('movie.mkv', b'\x1a\x45\xdf\xa3' + os.urandom(5000), 'it is Matroska'),
                ('song.mp3', b'ID3\3' + os.urandom(5000), 'it is MP3'),
                ('tone.mp3', b'\xff\xfb\x90\0' + bytes(5000), 'it is MP3'),
                ('tone.aac', b'\xff\xf1\x4c\x80' + bytes(5000), 'it is AAC'),
                ('list.m3u8', b'#EXTM3U\n', 'it is an HLS playlist'),
                ('notes.ts', 'Grüße von der Kamera\n'.encode() * 500, 'it is text'),
                ('disc.m2ts', (b'\0\0\0\0G' + bytes(187)) * 50, 'it is M2TS'),
                ('nothing.ts', b'', 'it is empty'),
                ('zero.ts', bytes(5000), 'it is nothing but zero bytes')):
            with self.subTest(name):
                self.write(name, data)
                said = self.check(name, status=1)
                self.assertIn(f'{name}: NOT A TRANSPORT STREAM', said)
                self.assertIn(word, said)
                self.assertIn(word, self.command('ts-to-mp4', name, 'out.mp4').stderr)

    def test_a_recording_is_ok(self):
        self.write('a.ts', sample())
        said = self.check('--decode', 'a.ts')
        self.assertIn('a.ts: OK', said)
        for words in ('video H.264 320x240', 'audio AAC 48 kHz mono', 'Duration  0:12.', 'UTC', 'starting at 0:00.7'):
            self.assertIn(words, said)

    def test_lost_display_times_are_a_fault(self):
        good, bad = (os.path.join(self.folder, name) for name in ('good.ts', 'bad.ts'))
        ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25:d=3', '-c:v', 'libx264', '-bf', '3', good)
        self.assertIn('good.ts: OK', self.check(good))
        ffmpeg('-i', good, '-c', 'copy', '-bsf:v',
               'setts=pts=if(between(N\\,20\\,22)\\,PREV_OUTPTS+1\\,PTS)', bad)
        said = self.check(bad, status=1)
        self.assertIn('3 pictures have lost the display time', said)

    def test_irregular_times_are_no_fault_of_the_decoder(self):
        """Pictures less than half of the usual distance apart, as RTP brings them."""
        self.launch('videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! '
                    'x264enc tune=zerolatency ! h264parse ! tsrecsink location=regular.ts', 'regular').wait()
        filtered = ['ffmpeg', '-v', 'error', '-i', 'regular.ts', '-c', 'copy',
                    '-bsf:v', r'setts=ts=TS-if(mod(N\,5)\,0\,2400)', 'irregular.ts']
        subprocess.run(filtered, cwd=self.folder, check=True)
        self.assertIn('irregular.ts: OK', self.check('--decode', 'irregular.ts'))

    def test_memory_that_cannot_be_locked_is_no_fault(self):
        """A service, or a container: libgcrypt warns in ffmpeg's name."""
        without = ['setpriv', '--bounding-set', '-ipc_lock', '--inh-caps', '-ipc_lock', 'prlimit', '--memlock=0']
        if os.getuid() != 0:
            without = without[5:]
        self.write('a.ts', sample())
        for name in ('check', 'ts-to-mp4'):
            result = subprocess.run([*without, os.path.join(e2e.PIPELINES, name), *(['--decode'] * (name == 'check')),
                                     'a.ts'], cwd=self.folder, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertNotIn('insecure', result.stdout + result.stderr)

    def test_one_bad_recording_of_two_is_status_1(self):
        self.write('a.ts', sample())
        self.write('b.ts', sample()[:-1])
        said = self.check('a.ts', 'b.ts', status=1)
        self.assertIn('a.ts: OK', said)
        self.assertIn('b.ts: DAMAGED (playable)', said)

    def test_nothing_is_said_to_a_reader_that_has_gone(self):
        self.write('a.ts', sample())
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, 'wb') as gone:
            result = subprocess.run([os.path.join(e2e.PIPELINES, 'check'), 'a.ts'], cwd=self.folder,
                                    stdout=gone, stderr=subprocess.PIPE, check=False, timeout=120)
        self.assertEqual(result.stderr, b'')

    def test_time_comes_from_the_playlist_beside_it(self):
        self.write('a b.ts', sample())
        self.write('list.m3u8', b'#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.000Z\n'
                   b'#EXTINF:6.0,\na%20b.ts\n#EXTINF:6.5,\na%20b.ts\n')
        said = self.check('a b.ts')
        self.assertIn('2026-01-02 03:04:05 to 2026-01-02 03:04:17 UTC (by list.m3u8)', said)

    def test_time_comes_from_the_journal_beside_it(self):
        self.write('a.ts', sample())
        self.write('day.jsonl', b'{"event":"opened","utc":"2026-01-01T03:04:05.000000Z","location":"b.ts"}\n'
                   b'{"event":"opened","utc":"2026-01-02T03:04:05.000000Z","location":"/x/a.ts"}\n'
                   b'{"event":"closed","utc":"2026-01-02T03:04:17.900000Z","location":"/x/a.ts"}\n{"event":"opened"')
        self.assertIn('03:04:05 to 2026-01-02 03:04:17 UTC (by day.jsonl)', self.check('a.ts'))

    def test_muted_camera_is_no_fault(self):
        data = sample()
        pids = sorted({pid_of(data, i) for i in range(0, len(data), PACKET)} - {0, 17, 4096})
        count = len(data) // PACKET
        # whole access units of the middle third, so that no counter is missed
        keep = [pid_of(data, i * PACKET) != pids[0] or not count // 3 < i < 2 * count // 3
                for i in range(count)]
        muted = renumbered(b''.join(data[i * PACKET:(i + 1) * PACKET] for i in range(count) if keep[i]), pids[0])
        self.write('muted.ts', muted)
        said = self.check('muted.ts')
        self.assertRegex(said, r'Note +no video for \d\.\d s at 0:0\d')

    def test_wrap_of_the_clock_is_no_fault(self):
        ts = self.write('wrap.ts', bytes(shifted(sample(), 2 ** 33 / 90000 - 1.4 - 6)))
        self.assertIn('wrap.ts: OK', self.check(ts))
        self.convert('wrap.ts')
        self.assertAlmostEqual(packet_times(self.path('wrap.mp4'), 'v')[-1], 11.96, delta=FRAME)


# --- transport streams made of the sample

def pid_of(data, at):
    return (data[at + 1] & 0x1f) << 8 | data[at + 2]


def renumbered(data, pid):
    """With continuity counters that go on as if nothing had been taken out."""
    data = bytearray(data)
    counter = None
    for at in range(0, len(data), PACKET):
        if pid_of(data, at) == pid and data[at + 3] & 0x10:
            counter = data[at + 3] & 15 if counter is None else (counter + 1) & 15
            data[at + 3] = data[at + 3] & 0xf0 | counter
    return bytes(data)


def put_timestamp(packet, at, ticks):
    value = (read_timestamp(packet, at) + ticks) % 2 ** 33
    packet[at] = packet[at] & 0xf1 | (value >> 29 & 0xe)
    packet[at + 1:at + 5] = bytes([value >> 22 & 255, value >> 14 & 254 | 1, value >> 7 & 255,
                                   value << 1 & 254 | 1])


def read_timestamp(packet, at):
    return ((packet[at] >> 1 & 7) << 30 | packet[at + 1] << 22 | packet[at + 2] >> 1 << 15 |
            packet[at + 3] << 7 | packet[at + 4] >> 1)


def shift_packet(packet, seconds):
    """PCR, PTS and DTS later by so much."""
    packet = bytearray(packet)
    ticks = round(seconds * 90000)
    payload = 4
    if packet[3] & 0x20:
        payload += 1 + packet[4]
        if packet[4] and packet[5] & 0x10:
            base = (int.from_bytes(packet[6:10], 'big') << 1 | packet[10] >> 7) + ticks
            base %= 2 ** 33
            packet[6:10] = (base >> 1).to_bytes(4, 'big')
            packet[10] = packet[10] & 0x7f | (base & 1) << 7
    if packet[1] & 0x40 and packet[3] & 0x10 and packet[payload:payload + 3] == b'\0\0\1':
        if packet[payload + 7] & 0x80:
            put_timestamp(packet, payload + 9, ticks)
        if packet[payload + 7] & 0x40:
            put_timestamp(packet, payload + 14, ticks)
    return bytes(packet)


def shifted(data, seconds):
    return b''.join(shift_packet(data[i:i + PACKET], seconds) for i in range(0, len(data), PACKET))


def announced(data):
    """Preceded, for each PID, by a packet with discontinuity_indicator."""
    first = {}
    for at in range(0, len(data), PACKET):
        first.setdefault(pid_of(data, at), data[at + 3] & 15)
    return b''.join(bytes([0x47, pid >> 8, pid & 255, 0x20 | (counter - 1) & 15, 183, 0x80]) + b'\xff' * 182
                    for pid, counter in first.items()) + bytes(data)


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0')
    e2e.need_elements('tsrecsink', 'x264enc', 'avenc_aac')
    unittest.main(verbosity=2)
