#!/usr/bin/python3
# gst-tsrec: what pipelines/record does and says while nobody publishes, when only
# sound comes, and when the disk is full
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import re
import shutil
import signal
import subprocess
import time
import unittest
import urllib.request

import e2e

# How long the recorder is left alone; the campaign takes ten minutes.
ALONE = float(os.environ.get('REC_ALONE_SECONDS', '10'))

VIDEO = (
    'videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! '
    'videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! '
    'video/x-h264,profile=constrained-baseline ! ')
AUDIO = 'audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! '
SDP_HEAD = (
    'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n'
    'a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n'
    'a=fingerprint:sha-256 ' + ':'.join(['00'] * 32) + '\r\n')
SINK = 'recwhipsink name=whip location=http://127.0.0.1:{port}/whip '


class Record(e2e.TestCase):
    def record(self, *arguments, wrapper=()):
        self.port = e2e.free_port()
        process = self.start([*wrapper, os.path.join(e2e.PIPELINES, 'record'),
                              '--output', 'out', '--port', str(self.port),
                              *arguments], 'record')
        e2e.wait_for(lambda: e2e.is_listening(self.port) or not process.is_running(),
                     'the recorder to listen')
        return process

    def wait_for_publishing(self):
        return self.record('--publisher', 'none', '--duration', '0')

    def publish(self, name, *branches):
        line = ' '.join(branch + 'whip.' if i else branch + SINK.format(port=self.port)
                        for i, branch in enumerate(branches))
        return self.launch(line, name)

    def recording(self):
        folder = self.path('out')
        names = [n for n in os.listdir(folder) if n.endswith('.ts')]
        return os.path.join(folder, names[0]) if names else None

    def size(self):
        path = self.recording()
        return e2e.size_of(path) if path else 0

    def stop(self, process):
        """By SIGTERM, as systemd does; the recorder must end by itself."""
        process.child.send_signal(signal.SIGTERM)
        status = process.wait()
        self.assertNotIn('does not end', process.said())
        return status


class Waiting(Record):
    def test_recorder_left_alone_does_nothing(self):
        process = self.wait_for_publishing()
        e2e.wait_for(lambda: 'waiting for a publisher' in process.said(), 'the line')
        before = cpu_of(process.pid)
        said = process.said()
        time.sleep(ALONE)  # the time is what is tested
        share = (cpu_of(process.pid) - before) / ALONE
        left = [self.size(), process.said().count('ALERT'), len(process.said().splitlines()) - len(said.splitlines())]
        print('{:.0f} s alone: {} bytes, {} alerts, {} lines more, {:.2f} % of a CPU'.format(
            ALONE, *left, 100 * share))
        self.assertEqual(process.said(), said)
        self.assertEqual(os.listdir(self.path('out')), [])
        self.assertLess(share, 0.02)
        self.assertEqual(self.stop(process), 0)
        self.assertNotIn('ALERT', process.said())

    def test_nothing_is_written_after_the_publisher_has_left(self):
        process = self.wait_for_publishing()
        first = self.publish('first', VIDEO, AUDIO)
        e2e.wait_for(lambda: self.size() > 100000, '100 kB')
        first.interrupt()
        e2e.wait_for(lambda: 'disconnected' in process.said(), 'the end of the session')
        e2e.wait_for(lambda: re.search('disconnected.*waiting for a publisher',
                                       process.said(), re.S), 'the recorder to wait')
        left = self.size()
        time.sleep(3)  # 24 kB/s of silence would be 72 kB
        self.assertLess(self.size() - left, 2000)
        self.publish('second', VIDEO, AUDIO)
        e2e.wait_for(lambda: self.size() > left + 100000, '100 kB more')
        self.assertEqual(self.stop(process), 0, process.said())
        self.assertNotIn('ALERT', process.said())
        self.assert_sound(self.recording(), ['aac', 'h264'])


class SoundOnly(Record):
    def test_sound_alone_is_recorded_and_ends_in_order(self):
        process = self.wait_for_publishing()
        self.publish('publisher', AUDIO)
        e2e.wait_for(lambda: self.size() > 50000, '50 kB')
        e2e.wait_for(lambda: 'the publisher sends none' in process.said(), 'the status')
        self.assertEqual(self.stop(process), 0, process.said())
        self.assertNotIn('ALERT', process.said())
        path = self.recording()
        self.assert_sound(path, ['aac'])
        with open(path[:-2] + 'm3u8', encoding='utf-8') as playlist:
            self.assertIn('#EXT-X-ENDLIST', playlist.read())


class OneTrack(Record):
    """mp4mux and matroskamux wait for every track: that is said at once."""

    def test_publisher_of_one_track_is_warned_of(self):
        for kind, name, branch in (('mkv', 'video', AUDIO), ('mp4', 'audio', VIDEO)):
            with self.subTest(kind):
                process = self.record('--format', kind, '--publisher', 'none', '--duration', '0')
                publisher = self.publish(kind, branch)
                e2e.wait_for(lambda: f'sends no {name}, so nothing' in process.said(),
                             'the warning')
                publisher.kill()
                self.assertEqual(self.stop(process), 1)
                self.assertRegex(process.said(), 'nothing was recorded: --format .* needs both')


class Rotation(Record):
    def test_files_that_follow_each_other_lack_nothing(self):
        process = self.rotate('--duration', '7')
        files = self.files()
        self.assertGreaterEqual(len(files), 3)
        self.assertRegex(process.said(), rf'Files: +{len(files)}, ')
        packets = []
        for path in files:
            self.assert_sound(path, ['aac', 'h264'])
            packets += times_of(path)
        steps = [b - a for a, b in zip(packets, packets[1:])]
        # 30 pictures a second, the times of which jitter
        self.assertLess(max(steps), 0.09)
        self.assertGreater(min(steps), 0)
        playlist = self.one_playlist()
        for path in files:
            self.assertIn(os.path.basename(path), playlist)
        # On the even second; on a busy machine a key frame may come late.
        aligned = [path for path in files[1:] if int(re.search(r'(\d\d)\.ts', path)[1]) % 2 == 0]
        self.assertGreater(2 * len(aligned), len(files) - 1, files)

    def test_oldest_files_are_deleted(self):
        process = self.rotate('--duration', '9', '--keep-files', '2')
        self.assertEqual(len(self.files()), 2)
        self.assertRegex(process.said(), r'Files: +[4-9], ')
        self.one_playlist()

    def rotate(self, *arguments):
        process = self.record('--rotate', '2', '--name', 'rec-%H%M%S', *arguments)
        self.assertEqual(process.wait(60), 0, process.said())
        return process

    def files(self):
        folder = self.path('out')
        paths = [os.path.join(folder, n) for n in os.listdir(folder) if n.endswith('.ts')]
        return sorted(paths, key=os.path.getmtime)

    def one_playlist(self):
        folder = self.path('out')
        names = [n for n in os.listdir(folder) if n.endswith('.m3u8')]
        self.assertEqual(len(names), 1)
        with open(os.path.join(folder, names[0]), encoding='utf-8') as playlist:
            text = playlist.read()
        self.assertIn('#EXT-X-ENDLIST', text)
        return text


class Sessions(Record):
    def test_each_publisher_gets_a_file(self):
        process = self.record('--publisher', 'none', '--duration', '0', '--new-file-per-session',
                              '--name', 'rec-%05d')
        for i in range(2):
            publisher = self.publish(f'publisher {i}', VIDEO, AUDIO)
            path = os.path.join(self.path('out'), f'rec-0000{i}.ts')
            e2e.wait_for(lambda: os.path.exists(path) and e2e.size_of(path) > 100000, '100 kB')
            publisher.interrupt()
            e2e.wait_for(lambda: len(re.findall('disconnected', process.said())) > i,
                         'the end of the session')
        self.assertEqual(self.stop(process), 0, process.said())
        for i in range(2):
            self.assert_sound(os.path.join(self.path('out'), f'rec-0000{i}.ts'), ['aac', 'h264'])
        self.assertRegex(process.said(), 'Files: +2, ')

    def test_name_has_to_differ(self):
        process = self.start([os.path.join(e2e.PIPELINES, 'record'), '--output', 'out', '--name',
                              'rec', '--new-file-per-session'], 'record')
        self.assertEqual(process.wait(), 2)
        self.assertIn('differs from file to file', process.said())


class Network(Record):
    def test_session_with_ports_and_an_address_is_recorded(self):
        process = self.record('--publisher', 'none', '--duration', '2', '--port-range',
                              '42000-42099', '--public-address', '203.0.113.5')
        self.publish('publisher', VIDEO, AUDIO)
        self.assertEqual(process.wait(60), 0, process.said())
        self.assert_sound(self.recording(), ['aac', 'h264'])

    def test_wrong_ports_are_refused(self):
        process = self.start([os.path.join(e2e.PIPELINES, 'record'), '--output', 'out',
                              '--publisher', 'none', '--port-range', '9-8'], 'record')
        self.assertEqual(process.wait(60), 1)
        self.assertIn('port-range cannot be "9-8"', process.said())


class Others(Record):
    """Warnings are seen of the other commands, too."""

    def test_monitor(self):
        port = e2e.free_port()
        process = self.start([os.path.join(e2e.PIPELINES, 'monitor'), str(port)], 'monitor')
        e2e.wait_for(lambda: e2e.is_listening(port) or not process.is_running(),
                     'the monitor to listen')
        offer = SDP_HEAD + ''.join(
            f'm={kind} 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:{i}\r\na=sendonly\r\n'
            f'a=rtcp-mux\r\na=setup:actpass\r\na=rtpmap:96 {codec}\r\n'
            for i, (kind, codec) in enumerate((('video', 'VP8/90000'), ('audio', 'opus/48000/2'))))
        request = urllib.request.Request(f'http://127.0.0.1:{port}/whip', offer.encode(),
                                         {'Content-Type': 'application/sdp'})
        urllib.request.urlopen(request, timeout=30).close()
        e2e.wait_for(lambda: 'No video is recorded' in process.said(), 'the warning')
        self.assertIn('WARNING: ', process.said())
        process.child.send_signal(signal.SIGINT)
        process.wait()

    def test_record_camera(self):
        if os.geteuid() != 0 or not shutil.which('unshare'):
            self.skipTest('needs to mount a file system')
        os.mkdir(self.path('out'))
        process = self.start(
            ['unshare', '--mount', 'sh', '-c',
             'mount -t tmpfs -o size=300k none out && exec "$0" "$@"',
             os.path.join(e2e.PIPELINES, 'record-camera'), 'out/camera.ts'], 'record-camera')
        e2e.wait_for(lambda: 'No space left on device' in process.said(), 'the warning')
        process.child.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0, process.said())
        self.assertNotIn('Setting pipeline', process.said())


class Log(Record):
    """GST_DEBUG=NAME:4 shows every change of state of an element."""

    LINES = (
        ('recwhipsrc', 'publish to http'),
        ('recwhipsrc', r'session \S+ with \S+ begins'),
        ('recwhipsrc', r'session \S+: described with [1-9]\d* candidates'),
        ('recwhipsrc', r'session \S+: DTLS is connected'),
        ('recwhipsrc', r'session \S+: connected, candidate pair .*certificate is verified'),
        ('recwhipsrc', r'session \S+: negotiated video H264, audio OPUS'),
        ('recwhipsrc', r'session \S+ ended: '),
        ('recwhipsink', 'posting the offer to 127.0.0.1'),
        ('recwhipsink', 'DTLS is connected'),
        ('recwhipsink', 'connected, candidate pair .* negotiated video H264, audio OPUS'),
        ('recwhipsink', 'recwhip-disconnected: '),
        ('recmonitor', 'the source is waiting: no media is expected'),
        ('recmonitor', 'media is expected from the source'),
        ('tsrecsink', 'recording begins, to "out/'),
        ('tsrecsink', 'pad video_0 is there'),
        ('tsrecsink', 'recording ends'),
        ('tsrecmux', '<rec-mux:video_0> requested|video_0.* requested'),
        ('tsrecmux', r'video_0> track on PID 0x\w+: video/x-h264'),
        ('tsrecmux', r'audio_0> track on PID 0x\w+: audio/mpeg'),
        ('tsrecmux', 'video_0> end of stream'),
        ('recfilesink', r'session "\S+" begins'),
        ('recfilesink', 'opened "out/'),
    )

    def test_changes_of_state_are_logged(self):
        names = dict.fromkeys(name for name, _ in self.LINES)
        process = self.record(
            '--publisher', 'none', '--duration', '0',
            wrapper=('env', 'GST_DEBUG_NO_COLOR=1', 'GST_DEBUG=' + ','.join(n + ':4' for n in names)))
        for name, value in ('GST_DEBUG', 'recwhipsink:4'), ('GST_DEBUG_NO_COLOR', '1'):
            os.environ[name] = value
            self.addCleanup(os.environ.pop, name)
        publisher = self.publish('publisher', VIDEO, AUDIO)
        e2e.wait_for(lambda: self.size() > 100000, '100 kB')
        publisher.interrupt()
        publisher.wait()
        e2e.wait_for(lambda: re.search('disconnected:', process.said()), 'the end of the session')
        self.assertEqual(self.stop(process), 0, process.said())
        said = process.said() + publisher.said()
        missing = [line for line in self.LINES
                   if not re.search(rf'INFO\S* +{line[0]} .*({line[1]})', said)]
        self.assertEqual(missing, [], said)


class FullDisk(Record):
    def test_full_disk_is_said_at_once_and_ends_with_status_1(self):
        if os.geteuid() != 0 or not shutil.which('unshare'):
            self.skipTest('needs to mount a file system')
        os.mkdir(self.path('out'))
        process = self.record(
            '--duration', '12', '--status-interval', '0.5',
            wrapper=('unshare', '--mount', 'sh', '-c',
                     'mount -t tmpfs -o size=300k none out && exec "$0" "$@"'))
        self.assertEqual(process.wait(60), 1, process.said())
        said = process.said()
        self.assertIn('No space left on device', said)
        self.assertRegex(said, r'DISK FULL  [\d.]+ k?M?B dropped')
        self.assertRegex(said, r'could not be written and are missing')


def times_of(path):
    """Of the pictures, in the order of decoding, seconds."""
    listed = subprocess.run(
        ['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries',
         'packet=dts_time', '-of', 'csv=p=0', path],
        capture_output=True, text=True, check=True).stdout
    return [float(line.strip(',')) for line in listed.split()]


def cpu_of(pid):
    """Seconds of processor time of a process and all below it."""
    listed = subprocess.run(['ps', '-eo', 'pid=,ppid=,cputimes=,stat='],
                            capture_output=True, text=True, check=True).stdout
    parents = {}
    for line in listed.splitlines():
        child, parent, *_ = line.split()
        parents[int(child)] = int(parent)

    def is_below(child):
        while child and child != pid:
            child = parents.get(child, 0)
        return child == pid

    ticks = 0
    for child in filter(is_below, parents):
        try:
            with open(f'/proc/{child}/stat', encoding='ascii') as stat:
                fields = stat.read().rsplit(')', 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf('SC_CLK_TCK')


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'gst-launch-1.0', 'ps')
    e2e.need_elements('webrtcbin', 'x264enc', 'opusenc', 'avenc_aac', 'nicesink')
    unittest.main(verbosity=2)
