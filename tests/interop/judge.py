# gst-tsrec: reads the test pattern of a recording
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges a .ts file by decoding it, and watches one while it grows.

Nothing here talks to the recorder. The decoder is FFmpeg's: as a library for
the pictures and the sound, as a command for the list of errors.
"""

import bisect
import os
import pathlib
import re
import statistics
import subprocess
import threading
import time

import numpy as np

import pattern

PACKET = 188


# --- packets

def read_packets(data):
    """Array of whole packets (n, 188)."""
    whole = len(data) // PACKET * PACKET
    return np.frombuffer(data, np.uint8)[:whole].reshape(-1, PACKET)


def packet_pids(packets):
    return ((packets[:, 1].astype(int) & 0x1f) << 8) | packets[:, 2]


def continuity_errors(data):
    """ISO/IEC 13818-1 2.4.3.3; one duplicate and a signalled discontinuity
    are legal. A list of sentences."""
    errors = []
    if len(data) % PACKET:
        errors.append(f'{len(data) % PACKET} bytes of a torn packet at the end')
    packets = read_packets(data)
    if len(packets) and (packets[:, 0] != 0x47).any():
        errors.append(f'no sync byte in packet {(packets[:, 0] != 0x47).argmax()}')
        return errors
    pids = packet_pids(packets)
    for pid in set(pids.tolist()) - {0x1fff}:
        at = np.nonzero(pids == pid)[0]
        errors += _continuity_errors_of(packets[at], at, pid)
    return errors


def _continuity_errors_of(packets, positions, pid):
    errors = []
    last = None
    for packet, position in zip(packets, positions):
        counter = int(packet[3]) & 0xf
        has_payload = packet[3] & 0x10
        signalled = packet[3] & 0x20 and packet[4] > 0 and packet[5] & 0x80
        if last is not None and not signalled:
            expected = (last + 1) & 0xf if has_payload else last
            if counter not in ((expected, last) if has_payload else (expected,)):
                errors.append(f'PID {pid}: counter {counter} after {last} in packet {position}')
        last = counter
    return errors


class Growth(threading.Thread):
    """Follows a growing file: when which PID got another access unit."""

    def __init__(self, path, interval=0.02):
        super().__init__(daemon=True)
        self.path = path
        self.interval = interval
        self.units = []       # (time, pid)
        self.polls = []       # time of every look at the file
        self.first_byte = None
        self.size = 0
        self.running = True
        self.start()

    def run(self):
        rest = b''
        file = None
        while self.running:
            try:
                file = file or open(self.path, 'rb')
                data = file.read()
            except FileNotFoundError:
                data = b''
            now = time.time()
            self.polls.append(now)
            if data:
                self.first_byte = self.first_byte or now
                self.size += len(data)
                rest = self._note(rest + data, now)
            time.sleep(self.interval)
        if file:
            file.close()

    def _note(self, data, now):
        packets = read_packets(data)
        starts = packets[(packets[:, 1] & 0x40) != 0]
        self.units += [(now, pid) for pid in packet_pids(starts).tolist()]
        return data[len(packets) * PACKET:]

    def stop(self):
        self.running = False
        self.join()

    def times_of(self, pid):
        return [t for t, p in self.units if p == pid]

    def stalls(self, pid, arrivals, latency=0.0, tolerance=0.25):
        """[(from, seconds)]: the network delivered this track to the recorder
        and its PID did not grow for longer than `tolerance` + `latency` (the
        jitter buffer's). Time in which the watcher itself slept is deducted.

        A packet that arrived at a has to show in the file by a + tolerance +
        latency; stalls are the packets for which nothing was written in that
        window, merged."""
        times = self.times_of(pid)
        if not times:
            return []
        arrivals = [a for a in sorted(arrivals) if times[0] <= a <= times[-1]]
        found = []
        for arrival in arrivals:
            index = bisect.bisect_right(times, arrival)
            if index >= len(times):
                break
            late = times[index] - arrival
            late -= self._slept(arrival, times[index])
            if late > tolerance + latency:
                if found and arrival - found[-1][0] < found[-1][1]:
                    continue
                found.append((arrival, late))
        return found

    def _slept(self, start, end):
        first = max(0, bisect.bisect_left(self.polls, start) - 1)
        last = bisect.bisect_right(self.polls, end)
        steps = self.polls[first:last + 1]
        return sum(max(0, b - a - 2 * self.interval) for a, b in zip(steps, steps[1:]))


# --- decoding

def decode_errors(path):
    """What `ffmpeg -v error` says while it decodes all of the file."""
    done = subprocess.run(
        ['ffmpeg', '-nostdin', '-v', 'error', '-i', path, '-map', '0',
         '-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-f', 'null', '-'],
        capture_output=True, text=True, errors='replace', timeout=300, check=False)
    # The null muxer counts in frames and has nothing to say about the file.
    lines = [line for line in done.stderr.splitlines()
             if line.strip() and not line.startswith('[null @')]
    if done.returncode and not lines:
        lines = [f'ffmpeg ended with status {done.returncode}']
    return lines


def packet_times(path, kind):
    """PTS in seconds of every packet of the first 'video' or 'audio' stream."""
    done = subprocess.run(
        ['ffprobe', '-v', 'quiet', '-select_streams', kind[0] + ':0',
         '-show_entries', 'packet=pts_time,dts_time', '-of', 'csv=p=0', path],
        capture_output=True, text=True, timeout=300, check=False)
    times = []
    for line in done.stdout.splitlines():
        match = re.match(r'([\d.-]+),?', line)
        if match:
            times.append(float(match.group(1)))
    return times


class Recording:
    """The decoded file.

    pictures: [(pts, sequence, ms)], sequence None for a damaged picture and
    'black' for one without any light; sound: [(pts of onset, pitch number)].
    """

    def __init__(self, path):
        import av  # noqa: late, so that the rest works without it
        av.logging.set_level(av.logging.FATAL)
        self.path = path
        self.data = pathlib.Path(path).read_bytes()
        self.pictures = []
        self.sizes = []
        self.sound = []
        self.pids = {}
        self.codecs = {}
        self.audio_seconds = 0.0
        self.refused = []     # packets the decoder refused
        if len(self.data) >= PACKET:
            with av.open(path, 'r', format='mpegts') as container:
                self._decode(container, av)

    def _decode(self, container, av):
        wanted = []
        for kind in ('video', 'audio'):
            for stream in getattr(container.streams, kind)[:1]:
                self.pids[kind] = stream.id
                self.codecs[kind] = stream.codec_context.name
                wanted.append(stream)
        resampler = av.AudioResampler(format='flt', layout='mono', rate=48000)
        pieces = []
        for packet in container.demux(wanted):
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self.refused.append(f'{packet.stream.type} at {packet.pts}: {error}')
                continue
            for frame in frames:
                if packet.stream.type == 'video':
                    self._look(frame)
                else:
                    pts = frame.time
                    for piece in resampler.resample(frame):
                        pieces.append((pts, piece.to_ndarray().reshape(-1)))
        self._listen(pieces)

    def _look(self, frame):
        luma = np.frombuffer(frame.planes[0], np.uint8)
        luma = luma.reshape(frame.height, frame.planes[0].line_size)[:, :frame.width]
        if not self.sizes or self.sizes[-1] != (frame.width, frame.height):
            self.sizes.append((frame.width, frame.height))
        code = pattern.decode_picture(luma)
        if code:
            self.pictures.append((frame.time, *code))
        else:
            black = luma.max() < 40
            self.pictures.append((frame.time, 'black' if black else None, None))

    def _listen(self, pieces):
        """Sound without holes, run by run; each onset gets the timestamp of
        its own piece, as those may wander without leaving a hole."""
        run, end = [], None
        for pts, samples in pieces:
            if end is not None and abs(pts - end) > 0.015:
                self._listen_run(run)
                run = []
            run.append((pts, samples))
            end = pts + len(samples) / 48000
            self.audio_seconds += len(samples) / 48000
        self._listen_run(run)

    def _listen_run(self, run):
        if not run:
            return
        begins = [0]
        for _, samples in run:
            begins.append(begins[-1] + len(samples) / 48000)
        for at, number in pattern.find_beeps(np.concatenate([s for _, s in run])):
            index = min(bisect.bisect_right(begins, at), len(run)) - 1
            self.sound.append((run[index][0] + at - begins[index], number))


# --- verdict

def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def unwrap_rtp(timestamps, rate):
    """Seconds from the first one, in order."""
    first = timestamps[0]
    return sorted({((t - first + (1 << 31)) % (1 << 32) - (1 << 31)) / rate for t in timestamps})


def follows_rtp(pictures, times, slack=0.01):
    """Whether every picture, (PTS, number, ms), is at its RTP timestamp, one of
    `times`: all are off by the same, which may move slowly, and two pictures of
    which one was drawn right after the other have timestamps that were sent one
    after the other. Then it is the sender that says when they were captured."""
    pictures = sorted(pictures, key=lambda picture: picture[1])
    if len(pictures) < 2 or not times:
        return False

    def nearest(at):
        return min(range(len(times)), key=lambda i: abs(times[i] - at))

    def misses(shift):
        return sum(abs(times[nearest(p[0] - shift)] + shift - p[0]) > slack for p in pictures[:40])

    shift = min((pictures[0][0] - t for t in times[:50]), key=misses)
    before = None
    for pts, number, _ in pictures:
        index = nearest(pts - shift)
        error = pts - shift - times[index]
        if abs(error) > slack:
            return False
        if before and number == before[0] + 1 and index != before[1] + 1:
            return False
        shift += 0.2 * error
        before = number, index
    return True


class Verdict:
    """The numbers of one recording; times in seconds, None when unknown."""

    def __init__(self, path, heard=None):
        """heard: {second: ms} where the sender knows when a beep really began."""
        recording = Recording(path)
        self.recording = recording
        self.bytes = len(recording.data)
        self.sizes = recording.sizes
        self.codecs = recording.codecs
        self.continuity = continuity_errors(recording.data)
        self.errors = decode_errors(path) if self.bytes else ['the file is empty']
        self.refused = recording.refused
        good = [p for p in recording.pictures if isinstance(p[1], int)]
        self.good = good
        self.frames = len(recording.pictures)
        self.black = sum(p[1] == 'black' for p in recording.pictures)
        self.damaged = sum(p[1] is None for p in recording.pictures)
        self._count_sequence(good)
        self._time_errors(good)
        self.video_times = packet_times(path, 'video')
        self.audio_times = packet_times(path, 'audio')
        self.backwards = {
            'video': sum(b <= a for a, b in zip(self.video_times, self.video_times[1:])),
            'audio': sum(b <= a for a, b in zip(self.audio_times, self.audio_times[1:]))}
        self.beeps = len(recording.sound)
        self._offsets(good, recording.sound, heard or {})

    def _count_sequence(self, good):
        numbers = [p[1] for p in good]
        steps = [(b - a) % pattern.SEQUENCE_MODULUS for a, b in zip(numbers, numbers[1:])]
        self.missing = sum(s - 1 for s in steps if 0 < s < 0x8000)
        self.repeated = sum(s == 0 for s in steps)
        self.reordered = sum(s >= 0x8000 for s in steps)
        self.longest_gap = max((s - 1 for s in steps if s < 0x8000), default=0)

    def _time_errors(self, good):
        """How far a picture's timestamp is from the time written in it,
        after the median."""
        differences = [pts - ms / 1000 for pts, _, ms in good]
        self.time_shift = statistics.median(differences) if differences else None
        errors = [abs(d - self.time_shift) for d in differences]
        self.time_error_p95 = quantile(errors, 0.95)
        self.time_error_max = max(errors, default=None)

    def _offsets(self, good, sound, heard):
        """Audio minus video, one for every beep near a readable picture.
        Positive: the sound is late. Against the median of the pictures within
        a second, so that a picture's own error does not count."""
        self.offsets = []
        times = [p[0] for p in good]
        for onset, number in sound:
            low = bisect.bisect_left(times, onset - 1)
            high = bisect.bisect_right(times, onset + 1)
            near = [pts - ms / 1000 for pts, _, ms in good[low:high]]
            if len(near) < 10:
                continue
            shift = statistics.median(near)
            second = round(onset - shift)
            nearest = min(range(second - 8, second + 8),
                          key=lambda k: (k % pattern.BEEP_PITCHES != number, abs(k - second)))
            real = heard.get(nearest, nearest * 1000) / 1000
            self.offsets.append((onset, onset - shift - real))
        values = [o for _, o in self.offsets]
        self.offset = statistics.median(values) if values else None
        self.offset_worst = max(values, key=abs) if values else None
        self.offset_drift = self._drift(values)

    @staticmethod
    def _drift(values):
        """Second half minus first half."""
        if len(values) < 4:
            return None
        middle = len(values) // 2
        return statistics.median(values[middle:]) - statistics.median(values[:middle])

    def frames_between(self, first_ms, last_ms):
        """Readable pictures drawn in this span of the page's clock."""
        return sum(first_ms <= ms < last_ms for _, _, ms in self.good)

    def holes(self, kind, longer_than=0.25):
        """[(pts, seconds)] where a track has no packet for longer than that."""
        times = sorted(self.video_times if kind == 'video' else self.audio_times)
        return [(a, b - a) for a, b in zip(times, times[1:]) if b - a > longer_than]


def main(paths):
    for path in paths:
        verdict = Verdict(path)
        verdict.recording = None
        shown = {k: v for k, v in vars(verdict).items()
                 if k not in ('good', 'video_times', 'audio_times')}
        print(os.path.basename(path))
        for key, value in shown.items():
            print(f'  {key}: {value}')


if __name__ == '__main__':
    import sys
    main(sys.argv[1:])
