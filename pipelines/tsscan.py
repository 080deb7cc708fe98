# gst-tsrec: reads a transport stream packet by packet, however damaged it is
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What pipelines/check and pipelines/ts-to-mp4 know about a recording.

Names and clauses are those of ISO/IEC 13818-1. Times are seconds on the clock
of the recording, without the wrap of 33 bits. Only the standard library.
"""

import os

PACKET_SIZE = 188
SYNC_BYTE = 0x47
CLOCK = 90000
WRAP = 1 << 33
NULL_PID = 0x1fff
# Nothing at all for so long is a gap; one frame may be this late.
GAP = 0.5
# A time stamp of a track so far before the last one: the clock started over.
BACK = 1.0
CHUNK_PACKETS = 16384
# Positions that are kept of what repeats endlessly in a ruined file.
MAX_KEPT = 1000

# Table 2-34, and the values others have registered
STREAM_TYPES = {
    0x01: ('video', 'MPEG-1'), 0x02: ('video', 'MPEG-2'),
    0x1b: ('video', 'H.264'), 0x24: ('video', 'H.265'), 0x33: ('video', 'H.266'),
    0x03: ('audio', 'MPEG audio'), 0x04: ('audio', 'MPEG audio'),
    0x0f: ('audio', 'AAC'), 0x11: ('audio', 'AAC'),
    0x81: ('audio', 'AC-3'), 0x87: ('audio', 'E-AC-3'),
    0x15: ('data', 'metadata'), 0x86: ('data', 'SCTE-35'),
}
# 2.6.8, registration_descriptor, for stream_type 6: private data
REGISTRATIONS = {
    b'Opus': ('audio', 'Opus'), b'AC-3': ('audio', 'AC-3'),
    b'EAC3': ('audio', 'E-AC-3'), b'HEVC': ('video', 'H.265'),
    b'DTS1': ('audio', 'DTS'), b'DTS2': ('audio', 'DTS'), b'DTS3': ('audio', 'DTS'),
    b'KLVA': ('data', 'KLV'),
}
# Descriptors of ETSI EN 300 468 that say the same
DESCRIPTORS = {
    0x56: ('data', 'teletext'), 0x59: ('data', 'DVB subtitles'),
    0x6a: ('audio', 'AC-3'), 0x7a: ('audio', 'E-AC-3'), 0x7b: ('audio', 'DTS'),
}

# What other files begin with: (offset, bytes, name)
SIGNATURES = (
    (4, b'ftyp', 'MP4 or QuickTime'), (4, b'moov', 'QuickTime'), (4, b'mdat', 'QuickTime'),
    (4, b'styp', 'a fragment of MP4 (CMAF)'), (4, b'moof', 'a fragment of MP4 (CMAF)'),
    (0, b'\x1a\x45\xdf\xa3', 'Matroska or WebM'), (8, b'AVI ', 'AVI'), (8, b'WAVE', 'WAV'),
    (8, b'WEBP', 'WebP'), (0, b'OggS', 'Ogg'), (0, b'fLaC', 'FLAC'), (0, b'ID3', 'MP3'),
    (0, b'FLV', 'Flash video'), (0, b'\0\0\1\xba', 'an MPEG program stream'),
    (0, b'\0\0\1\xb3', 'an MPEG video stream without a container'),
    (0, b'\x30\x26\xb2\x75', 'Windows Media'), (0, b'DKIF', 'IVF'), (0, b'\x0b\x77', 'AC-3'),
    (0, b'\0\0\0\1', 'an H.264 or H.265 stream without a container'),
    (0, b'\x89PNG', 'PNG'), (0, b'\xff\xd8\xff', 'JPEG'), (0, b'GIF8', 'GIF'), (0, b'%PDF', 'PDF'),
    (0, b'PK\3\4', 'a ZIP archive'), (0, b'\x1f\x8b', 'gzip'), (0, b'\x7fELF', 'a program'),
    (0, b'#EXTM3U', 'an HLS playlist'), (0, b'#!', 'a script'),
)


def _is_in_steps(head, first, step):
    """Whether a sync byte is at @first and every @step bytes from there."""
    signs = head[first::step]
    return len(signs) > 3 and signs.count(SYNC_BYTE) == len(signs)


def identify(path):
    """What a file is that is no transport stream, in words, or None. Raises
    OSError."""
    with open(path, 'rb') as file:
        head = file.read(4096)
    if not head:
        return 'empty'
    for offset, signature, name in SIGNATURES:
        if head[offset:offset + len(signature)] == signature:
            return name
    if head[0] == 0xff and len(head) > 1 and head[1] & 0xe0 == 0xe0:
        return 'AAC (ADTS) without a container' if head[1] & 6 == 0 else 'MP3 or MPEG audio'
    if _is_in_steps(head, 4, 192):
        return 'M2TS (packets of 192 bytes, as cameras and Blu-ray discs have them)'
    if _is_in_steps(head, 0, 204):
        return 'a transport stream with packets of 204 bytes'
    if not head.strip(b'\0'):
        return 'nothing but zero bytes'
    try:
        text = head[:4093].decode()
    except UnicodeDecodeError as error:
        text = head[:error.start].decode() if error.start > len(head) - 8 else '\0'
    return 'text' if all(c.isprintable() or c in '\t\r\n' for c in text) else None


def difference(earlier, later):
    """How far @later is after @earlier on a clock of 33 bits."""
    ticks = (later - earlier) % WRAP
    return ticks - WRAP if ticks >= WRAP // 2 else ticks


def _put_timestamp(data, at, ticks):
    value = (Scan.timestamp(data, at) + ticks) % WRAP
    data[at] = data[at] & 0xf1 | value >> 29 & 0x0e
    data[at + 1] = value >> 22 & 0xff
    data[at + 2] = value >> 14 & 0xfe | 1
    data[at + 3] = value >> 7 & 0xff
    data[at + 4] = value << 1 & 0xfe | 1


def shifted(data, ticks):
    """Whole packets with PCR, PTS and DTS later by @ticks of 90 kHz."""
    data = bytearray(data)
    at = 0
    for high, flags in zip(data[1::PACKET_SIZE], data[3::PACKET_SIZE]):
        payload = at + 4
        if flags & 0x20:
            payload += 1 + data[at + 4]
            if data[at + 4] >= 7 and data[at + 5] & 0x10:  # 2.4.3.5
                base = (int.from_bytes(data[at + 6:at + 10], 'big') << 1 | data[at + 10] >> 7) + ticks
                data[at + 6:at + 10] = (base % WRAP >> 1).to_bytes(4, 'big')
                data[at + 10] = data[at + 10] & 0x7f | (base & 1) << 7
        if high & 0x40 and flags & 0x10 and payload + 19 <= at + PACKET_SIZE and \
                data[payload:payload + 3] == b'\0\0\1':
            if data[payload + 7] & 0x80:
                _put_timestamp(data, payload + 9, ticks)
            if data[payload + 7] & 0x40:
                _put_timestamp(data, payload + 14, ticks)
        at += PACKET_SIZE
    return bytes(data)


class Track:
    def __init__(self, pid, kind, codec):
        self.pid = pid
        self.kind = kind
        self.codec = codec
        self.units = 0          # PES packets
        self.first_offset = 0   # of the packet in which the first one starts
        self.last_offset = 0
        self.first_pts = None   # seconds
        self.last_pts = None    # the highest
        self.last_dts = None
        self.step = 0           # between the last two
        self.gaps = []          # (time, seconds) without a PES packet
        self.late = 0           # PES packets whose DTS PCR has passed
        self.latest = 0         # seconds: by how much at most

    @property
    def duration(self):
        return 0 if self.first_pts is None else self.last_pts + self.step - self.first_pts


class Scan:
    """All of @path, read once. Raises OSError."""

    def __init__(self, path, progress=lambda done: None):
        self.path = path
        self.tracks = {}
        self.runs = []          # (start, end): whole packets, one after the other
        self.skipped = []       # (start, end): bytes that are no packets
        self.skipped_at = []    # time or None, of each of them
        self.torn = 0           # bytes of a packet that was not finished
        self.torn_pid = None
        self.losses = []        # (time or None, pid): packets are missing there
        self.lost = 0           # how often
        self.damaged = 0        # packets marked so by a receiver
        self.damaged_at = []    # time or None
        self.gaps = []          # (time, seconds, announced): nothing on any track
        self.resets = []        # time: the clock starts over
        self.first_counters = {}
        self.start = None       # seconds: first time stamp
        self.end = None         # highest time stamp
        self._counters = {}
        self._pmt_pid = None
        self._last_pid = None
        self._announced = set()
        self._pcr = None        # the last one, ticks of its base
        self._last = None       # ticks of the last DTS on any track
        self._time = 0          # the same in seconds, without wraps
        self._stale = set()     # tracks that a reset has not reached yet
        with open(path, 'rb', buffering=0) as file:
            self.size = os.fstat(file.fileno()).st_size
            self._read(file, progress)

    @property
    def duration(self):
        if self.start is None:
            return 0
        steps = [t.step for t in self.media() if t.last_pts is not None]
        return self.end - self.start + min(steps + [1 / 24])

    def media(self):
        """The tracks with picture or sound in them."""
        return [t for t in self.tracks.values() if t.kind != 'data' and t.units]

    # --- packets

    def _read(self, file, progress):
        data = b''
        offset = 0
        while True:
            more = file.read(CHUNK_PACKETS * PACKET_SIZE)
            data += more
            used = self._packets(data, offset, not more)
            offset += used
            data = data[used:]
            progress(offset)
            if not more:
                break
        if data:
            self.torn = len(data)
            # Where even its PID is torn off: packets of one access unit stand
            # together.
            self.torn_pid = self._last_pid
            if data[0] == SYNC_BYTE and len(data) >= 3:
                self.torn_pid = (data[1] & 0x1f) << 8 | data[2]

    def _packets(self, data, offset, last):
        """Takes whole packets off the front of @data; how many bytes."""
        at = 0
        while len(data) - at >= PACKET_SIZE:
            if data[at] != SYNC_BYTE:
                found = self._resync(data, at, last)
                self._skip(offset + at, offset + found)
                if found == at:
                    break
                at = found
                continue
            count = (len(data) - at) // PACKET_SIZE
            end = at + count * PACKET_SIZE
            signs = data[at:end:PACKET_SIZE]
            if signs.count(SYNC_BYTE) != count:
                count = len(signs) - len(signs.lstrip(b'\x47'))
                end = at + count * PACKET_SIZE
            self._run(data, at, end, offset)
            at = end
            self._last_pid = (data[end - 187] & 0x1f) << 8 | data[end - 186]
        return at

    def _resync(self, data, at, last):
        """Where packets go on: two sync bytes, a packet apart."""
        found = at
        while True:
            found = data.find(b'\x47', found + 1)
            if found < 0:
                return len(data) if last else max(at, len(data) - PACKET_SIZE)
            after = found + PACKET_SIZE
            if after >= len(data) or data[after] == SYNC_BYTE:
                return found

    def _skip(self, start, end):
        if end > start:
            if self.skipped and self.skipped[-1][1] == start:
                start = self.skipped.pop()[0]
            else:
                self.skipped_at.append(self._shown_time())
            self.skipped.append((start, end))

    def _run(self, data, start, end, offset):
        if self.runs and self.runs[-1][1] == offset + start:
            self.runs[-1] = (self.runs[-1][0], offset + end)
        else:
            self.runs.append((offset + start, offset + end))
        counters = self._counters
        at = start
        for high, low, flags in zip(data[start + 1:end:PACKET_SIZE],
                                    data[start + 2:end:PACKET_SIZE],
                                    data[start + 3:end:PACKET_SIZE]):
            if flags & 0x20 and data[at + 4] >= 7 and data[at + 5] & 0x10:
                self._pcr = int.from_bytes(data[at + 6:at + 10], 'big') << 1 | data[at + 10] >> 7
            if flags & 0x10:
                pid = (high & 0x1f) << 8 | low
                if counters.get(pid) != flags & 15:
                    self._unexpected(data, at, pid, flags)
                if high & 0xc0:
                    self._start(data, at, offset + at, pid)
                counters[pid] = (flags + 1) & 15
            elif flags & 0x20 and data[at + 4] and data[at + 5] & 0x80:
                pid = (high & 0x1f) << 8 | low
                self._announced.add(pid)
                counters[pid] = (flags + 1) & 15
            at += PACKET_SIZE

    def _unexpected(self, data, at, pid, flags):
        """2.4.3.3: continuity_counter does not go on from the last packet."""
        if pid == NULL_PID:
            return
        if pid not in self._counters:
            self.first_counters[pid] = flags & 15
            return
        if flags & 0x20 and data[at + 4] and data[at + 5] & 0x80:
            self._announced.add(pid)
            return
        if (self._counters[pid] - 1) & 15 == flags & 15:
            return  # a packet may be sent twice
        self.lost += 1
        if len(self.losses) < MAX_KEPT:
            self.losses.append((self._shown_time(), pid))

    def _shown_time(self):
        return None if self.start is None else self._time - self.start

    # --- what starts in a packet

    def _start(self, data, at, offset, pid):
        if data[at + 1] & 0x80:
            self.damaged += 1
            if len(self.damaged_at) < MAX_KEPT:
                self.damaged_at.append(self._shown_time())
        if not data[at + 1] & 0x40:
            return
        payload = at + 4
        if data[at + 3] & 0x20:
            payload += 1 + data[at + 4]
            if data[at + 4] and data[at + 5] & 0x80:
                self._announced.add(pid)
        unit = data[payload:at + PACKET_SIZE]
        if pid == 0:
            self._pat(unit)
        elif pid == self._pmt_pid:
            self._pmt(unit)
        elif pid in self.tracks:
            self._pes(unit, offset, self.tracks[pid])

    def _section(self, unit, table_id):
        """A section that fits into its first packet, without its CRC."""
        section = unit[1 + unit[0]:] if unit else b''
        if len(section) < 12 or section[0] != table_id:
            return b''
        return section[:max(0, 3 + ((section[1] & 15) << 8 | section[2]) - 4)]

    def _pat(self, unit):  # 2.4.4.3
        section = self._section(unit, 0)
        for at in range(8, len(section) - 3, 4):
            if section[at] or section[at + 1]:
                self._pmt_pid = (section[at + 2] & 0x1f) << 8 | section[at + 3]
                return

    def _pmt(self, unit):  # 2.4.4.8
        section = self._section(unit, 2)
        if not section:
            return
        at = 12 + ((section[10] & 15) << 8 | section[11])
        while at + 5 <= len(section):
            pid = (section[at + 1] & 0x1f) << 8 | section[at + 2]
            end = at + 5 + ((section[at + 3] & 15) << 8 | section[at + 4])
            if pid not in self.tracks:
                kind, codec = STREAM_TYPES.get(section[at]) or self._registered(section[at + 5:end])
                self.tracks[pid] = Track(pid, kind, codec)
            at = end

    @staticmethod
    def _registered(info):
        while len(info) >= 2:
            if info[0] == 5 and info[2:6] in REGISTRATIONS:
                return REGISTRATIONS[info[2:6]]
            if info[0] in DESCRIPTORS:
                return DESCRIPTORS[info[0]]
            info = info[2 + info[1]:]
        return ('data', 'data')

    def _pes(self, unit, offset, track):  # 2.4.3.6
        if unit[:3] != b'\0\0\1' or len(unit) < 14 or not unit[7] & 0x80:
            return
        pts = dts = self.timestamp(unit, 9)
        if unit[7] & 0x40 and len(unit) >= 19:
            dts = self.timestamp(unit, 14)
        if not track.units:
            track.first_offset = offset
        track.units += 1
        track.last_offset = offset
        if self._pcr is not None:  # 2.4.2.3
            late = difference(dts, self._pcr) / CLOCK
            if late > 0:
                track.late += 1
                track.latest = max(late, track.latest)
        if track.kind != 'data':
            self._at(track, dts, difference(dts, pts) / CLOCK)

    @staticmethod
    def timestamp(unit, at):  # 2.4.3.7
        return ((unit[at] >> 1 & 7) << 30 | unit[at + 1] << 22 | unit[at + 2] >> 1 << 15 |
                unit[at + 3] << 7 | unit[at + 4] >> 1)

    def _at(self, track, dts, ahead):
        """A PES packet of @track at @dts, to be shown @ahead seconds later."""
        if self._last is None:
            self._last = dts
            self._time = dts / CLOCK
        # PCR alone says so after any silence (docs/mux.md); where a recording
        # was resumed, the PAT does as well.
        announced = 0 in self._announced
        step = difference(self._last, dts) / CLOCK
        if track.last_dts is not None and track.pid not in self._stale:
            if self._time + step < track.last_dts - BACK:
                self._reset(dts, track)
                step = 0
        self._stale.discard(track.pid)
        if step > GAP and self.start is not None and len(self.gaps) < MAX_KEPT:
            self.gaps.append((self._time - self.start, step, announced))
        time = self._time + step
        if step > 0:
            self._last, self._time = dts, time
        self._note(track, time, time + ahead)
        self._announced -= {0, track.pid}

    def _reset(self, dts, track):
        """Another recording was appended: it goes on where this one ends."""
        self.resets.append(self._time - self.start)
        self._last = dts
        self._time = self.end
        self._stale = set(self.tracks) - {track.pid}

    def _note(self, track, dts, pts):
        if track.last_dts is not None:
            track.step = min(max(dts - track.last_dts, 0), GAP)
            if dts - track.last_dts > GAP and len(track.gaps) < MAX_KEPT:
                track.gaps.append((track.last_dts - self.start, dts - track.last_dts))
        if track.first_pts is None:
            track.first_pts = pts
        track.last_pts = pts if track.last_pts is None else max(pts, track.last_pts)
        track.last_dts = dts
        self.start = pts if self.start is None else min(pts, self.start)
        self.end = pts if self.end is None else max(pts, self.end)


def clock(seconds):
    """3725.5 → 1:02:05.5"""
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36000)
    minutes, rest = divmod(rest, 600)
    text = f'{rest // 10:02d}.{rest % 10}'
    return f'{hours}:{minutes:02d}:{text}' if hours else f'{minutes}:{text}'


def size(count):
    """1234567 → 1.2 MB"""
    for unit in ('bytes', 'kB', 'MB', 'GB'):
        if count < 1000:
            return f'{count} bytes' if unit == 'bytes' else f'{count:.1f} {unit}'
        count /= 1000
    return f'{count:.1f} TB'


def plural(count, one, many):
    return f'{count} {one if count == 1 else many}'
