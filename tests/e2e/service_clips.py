#!/usr/bin/python3
# gst-tsrec: ranges of recordings by wall-clock time
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random ranges of three recordings, of which one grows, one has a gap and one
was resumed after a crash. The bar codes of a whole recording say what is in it,
and so what a clip has to begin and end with. REC_SERVICE_CLIPS: how many.
"""

import bisect
import datetime
import os
import random
import shutil
import signal
import subprocess
import sys
import unittest

import barcodes
import e2e
import service

e2e.need_tools('ffprobe', 'ffmpeg')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')

CLIPS = int(os.environ.get('REC_SERVICE_CLIPS', '24'))


def as_time(text):
    return datetime.datetime.fromisoformat(text)


class Media:
    """The pictures of a recording: [(UTC, number)], and which are key frames."""

    def __init__(self, path, facts):
        first = as_time(facts['first_utc'])
        packets = subprocess.run(
            ['ffprobe', '-v', 'error', '-show_entries', 'packet=pts_time,flags,codec_type,pos', '-of', 'csv=p=0', path],
            capture_output=True, text=True, check=True).stdout.split()
        rows = [row.split(',') for row in packets]
        # first_utc is when the first access unit of the file came, which need not
        # be the one with the lowest PTS.
        zero = float(min((row for row in rows if row[1] != 'N/A'), key=lambda row: int(row[2]))[1])
        keys = {round(float(row[1]), 3) for row in rows if row[0] == 'video' and 'K' in row[3]}
        self.pictures = [(first + datetime.timedelta(seconds=pts - zero), number, round(pts, 3) in keys)
                         for pts, number, _ in barcodes.read(path) if number is not None]
        self.keys = [picture for picture in self.pictures if picture[2]]
        self.begin, self.end = self.pictures[0][0], self.pictures[-1][0]

    def groups(self, start, stop):
        """(first, last number) of the groups of pictures that meet a range; None: no media is in it."""
        at = max(bisect.bisect_right([key[0] for key in self.keys], start) - 1, 0)
        begins = [key[0] for key in self.keys] + [self.end + datetime.timedelta(hours=1)]
        last = max(p[0] for p in self.pictures if begins[at] <= p[0] < begins[at + 1])
        if last < start:
            at += 1
        if at >= len(self.keys) or begins[at] >= stop:
            return None
        limit = begins[bisect.bisect_left(begins, stop, at + 1)]
        return self.keys[at][1], max((p for p in self.pictures if p[0] < limit), key=lambda p: p[0])[1]


class Clips(e2e.TestCase):
    def record(self, server, name, seconds):
        sender = self.start([sys.executable, barcodes.__file__, f'http://127.0.0.1:{server.port}/whip/{name}'],
                            f'sender-{name}-{seconds}')
        self.wait_for_duration(server, name, seconds)
        return sender

    def wait_for_duration(self, server, name, seconds):
        return e2e.wait_for(lambda: (s := server.request('GET', f'/api/recording/status/{name}')[2]).get(
            'duration_seconds', 0) > seconds and s, f'{seconds} s of {name}', 120)

    def make_three(self):
        """server, {name: path}"""
        camera = barcodes.Camera(self.path('camera.ts'), 240)
        self.addCleanup(camera.end)
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write(f'[path resumed]\nsource={camera.url}\n')
        server = service.Service(self, self.folder, '--config', config)
        self.wait_for_duration(server, 'resumed', 4)
        os.kill(server.pid(), signal.SIGKILL)
        e2e.wait_for(lambda: not server.process.is_running(), 'the script to notice')
        server = service.Service(self, self.folder, '--config', config)
        self.record(server, 'gaps', 4).end()
        server.wait_for_state('gaps', 'waiting')
        before = server.ask('GET', '/api/recording/status/gaps')['duration_seconds']
        self.record(server, 'growing', 2)
        self.record(server, 'gaps', before + 4).end()
        paths = {name: server.ask('GET', f'/api/recording/status/{name}')['output_path']
                 for name in ('growing', 'gaps', 'resumed')}
        size = os.path.getsize(paths['resumed'])
        e2e.wait_for(lambda: os.path.getsize(paths['resumed']) > size + 200000, 'more of the resumed one', 120)
        for name in ('gaps', 'resumed'):
            server.ask('POST', '/api/recording/stop', {'id': name})
            e2e.wait_for(lambda n=name: service.load(paths[n].replace('.ts', '.json')).get('ended'), 'the sidecar')
        return server, paths

    def check_nothing(self, media, answer, start, stop):
        before = [p[0] for p in media.pictures if p[0] < start]
        after = [p[0] for p in media.pictures if p[0] >= stop]
        self.assertEqual('ends at' in answer['detail'], bool(before), (answer, start, stop))
        self.assertEqual('begins at' in answer['detail'], bool(after), (answer, start, stop))

    def check(self, server, path, media, start, duration, growing):
        stop = start + datetime.timedelta(seconds=duration)
        at = start.isoformat(timespec='milliseconds').replace('+00:00', 'Z')
        status, _, data = server.request(
            'GET', f'/api/recordings/{os.path.basename(path)}/clip?start={at}&duration={duration}')
        wanted = media.groups(start, stop)
        if wanted is None:
            self.assertEqual(status, 404, (start, stop, str(data)[:100]))
            self.check_nothing(media, data, start, stop)
            return False
        self.assertEqual(status, 200, data)
        clip = self.path('clip.ts')
        with open(clip, 'wb') as file:
            file.write(data)
        self.assertEqual(e2e.decoding_complaints(clip), '')
        numbers = barcodes.numbers(clip)
        if numbers[-1] is None:
            numbers.pop()  # the end of the recording, in the middle of a picture
        self.assertNotIn(None, numbers)
        self.assertEqual(numbers[0], wanted[0], (start, stop))
        if growing and numbers[-1] >= media.pictures[-1][1]:
            return True
        self.assertEqual(numbers[-1], wanted[1], (start, stop))
        return True

    def test_random_ranges_are_what_was_recorded(self):
        server, paths = self.make_three()
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        print(f'seed {seed}')
        count = {True: 0, False: 0}
        for name, path in paths.items():
            snapshot = self.path('snapshot.ts')
            shutil.copyfile(path, snapshot)  # it grows
            media = Media(snapshot, service.load(path.replace('.ts', '.json')))
            length = (media.end - media.begin).total_seconds()
            for number in range(CLIPS // 3):
                start = media.begin + datetime.timedelta(seconds=dice.uniform(-2, length + 1))
                start = start.replace(microsecond=start.microsecond // 1000 * 1000 + 500)
                if name == 'growing' and start > media.end - datetime.timedelta(seconds=2):
                    start = media.begin - datetime.timedelta(seconds=30)
                duration = round(dice.uniform(0.1, 1.0 if number % 2 else 4.0), 3)
                with self.subTest(name=name, start=str(start), duration=duration):
                    start = start.replace(microsecond=start.microsecond // 1000 * 1000)
                    count[self.check(server, path, media, start, duration, name == 'growing')] += 1
        print(f'{count[True]} clips, {count[False]} ranges without media')


if __name__ == '__main__':
    unittest.main(verbosity=2)
