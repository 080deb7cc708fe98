# gst-tsrec: reads a transport stream packet by packet, and tolerates any damage
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reader of recordings for pipelines/check and pipelines/ts-to-mp4.

Names and clauses are from ISO/IEC 13818-1. Times are in seconds on the clock of
the recording, and continue where its 33 bits wrap. Uses only the standard library.
"""

import os

PACKET_SIZE = 188
SYNC_BYTE = 0x47
CLOCK = 90000
WRAP = 1 << 33
NULL_PID = 0x1fff
# Seconds without an access unit that make a gap; a single frame may be this late.
GAP = 0.5
# Pictures closer than this many seconds have lost their display times.
SQUEEZED = 0.0001
# If a timestamp of a track is this many seconds before the last one, the clock has
# restarted.
BACK = 1.0
CHUNK_PACKETS = 16384
# Messages that are not about the media: from libgcrypt in ffmpeg, if the system does
# not allow locked memory; and about two pictures that have the same timestamp in the
# frame rate that ffmpeg guesses.
FFMPEG_NOISE = ('Warning: using insecure memory!', 'non monotonically increasing dts to muxer')
# Maximum number of positions kept per kind of finding, for heavily damaged files.
MAX_KEPT = 1000

# Table 2-34, and registered values
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
# Descriptors of ETSI EN 300 468 that identify a codec
DESCRIPTORS = {
    0x56: ('data', 'teletext'), 0x59: ('data', 'DVB subtitles'),
    0x6a: ('audio', 'AC-3'), 0x7a: ('audio', 'E-AC-3'), 0x7b: ('audio', 'DTS'),
}

# Signatures of other file types: (offset, bytes, name)
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


def complaints(lines):
    """Returns the lines of ffmpeg that are about the media."""
    return [line for line in lines if line and not any(noise in line for noise in FFMPEG_NOISE)]


def _is_in_steps(head, first, step):
    """Returns true if there is a sync byte at @first and every @step bytes after it."""
    signs = head[first::step]
    return len(signs) > 3 and signs.count(SYNC_BYTE) == len(signs)


def identify(path):
    """Returns the type, in words, of a file that is not a transport stream; None if it
    is unknown. Raises OSError."""
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
        return 'M2TS (packets of 192 bytes, as on cameras and Blu-ray discs)'
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
    """Returns the ticks from @earlier to @later on a clock of 33 bits."""
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
    """Returns the packets in @data with PCR, PTS and DTS increased by @ticks of 90 kHz."""
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


# --- audio parameters

ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
MPEG_AUDIO_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
AC3_RATES = (48000, 44100, 32000)
AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)


def _adts(frame):  # ISO/IEC 14496-3 1.A.2.2
    if len(frame) < 4 or frame[0] != 0xff or frame[1] & 0xf6 != 0xf0 or frame[2] >> 2 & 15 >= len(ADTS_RATES):
        return None
    return ADTS_RATES[frame[2] >> 2 & 15], (frame[2] & 1) << 2 | frame[3] >> 6


def _mpeg_audio(frame):  # ISO/IEC 11172-3 2.4.1.3
    if len(frame) < 4 or frame[0] != 0xff or frame[1] & 0xe0 != 0xe0:
        return None
    rates = MPEG_AUDIO_RATES.get(frame[1] >> 3 & 3)
    if not rates or frame[2] >> 2 & 3 == 3:
        return None
    return rates[frame[2] >> 2 & 3], 1 if frame[3] >> 6 == 3 else 2


def _ac3(frame):  # ETSI TS 102 366 4.4.1, without the subwoofer
    if len(frame) < 7 or frame[:2] != b'\x0b\x77' or frame[4] >> 6 == 3:
        return None
    return AC3_RATES[frame[4] >> 6], AC3_CHANNELS[frame[6] >> 5]


HEADERS = {'AAC': _adts, 'MPEG audio': _mpeg_audio, 'AC-3': _ac3}


def sound(rate, channels):
    names = {1: 'mono', 2: 'stereo'}
    return f'{rate / 1000:g} kHz {names.get(channels, f"{channels} channels")}'


def crc32(data):
    """Annex A: returns 0 for a valid section with its CRC."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04c11db7 if crc & 0x80000000 else crc << 1) & 0xffffffff
    return crc


class Span:
    """The access units of a track in one part of the file."""

    def __init__(self, part, offset):
        self.part = part
        self.first_offset = offset
        self.sound = None       # (rate, channels)
        self.units = 0
        self.first_pts = None
        self.last_pts = None


class Change:
    """A track of @kind changes from @before to @after (in words), @time seconds after
    the start. @codec: false if only parameters change."""

    def __init__(self, kind, before, after, time, codec):
        self.kind = kind
        self.before = before
        self.after = after
        self.time = time
        self.codec = codec

    def __str__(self):
        at = f'{self.time:.1f} s' if self.time < 60 else clock(self.time)
        return f'{self.kind} changes from {self.before} to {self.after} at {at}'


class Track:
    def __init__(self, pid, kind, codec, words=None):
        self.pid = pid
        self.kind = kind
        self.codec = codec
        self.words = words or codec
        self.sound = None       # (rate, channels) of its frames
        self.next_sound = None  # (sound, offset, time) of a single different frame: damage or a change
        self.spans = []         # one Span per part of the file
        self.replaces = None    # the track that this one replaces
        self.units = 0          # PES packets
        self.first_offset = 0   # of the packet in which the first PES packet starts
        self.last_offset = 0
        self.first_pts = None   # seconds
        self.last_pts = None    # the highest PTS
        self.last_dts = None
        self.step = 0           # seconds between the last two DTS
        self.gaps = []          # (time, seconds) without a PES packet
        self.late = 0           # PES packets with a DTS before PCR
        self.latest = 0         # maximum of DTS behind PCR, seconds
        self.newest_pts = None  # of the last PES packet
        self.squeezed = []      # times of pictures shown at the time of another picture

    @property
    def duration(self):
        return 0 if self.first_pts is None else self.last_pts + self.step - self.first_pts


class Scan:
    """The contents of the file @path, which is read once. Raises OSError."""

    def __init__(self, path, progress=lambda done: None):
        self.path = path
        self.tracks = {}        # PID: current Track
        self.former = []        # tracks whose PID now has another codec
        self.changes = []       # changes of codecs and of audio parameters
        self.part_starts = [(0, b'')]  # (offset, PAT and PMT in force) of each part
        self.runs = []          # (start, end) of contiguous whole packets
        self.skipped = []       # (start, end) of bytes that are not packets
        self.skipped_at = []    # time or None, one per range in skipped
        self.torn = 0           # bytes of a partial packet at the end
        self.torn_pid = None
        self.losses = []        # (time or None, pid): packets are missing there
        self.lost = 0           # number of losses
        self.damaged = 0        # packets with transport_error_indicator
        self.damaged_at = []    # time or None
        self.gaps = []          # (time, seconds, announced): nothing on any track
        self.resets = []        # times at which the clock restarts
        self.first_counters = {}
        self.start = None       # lowest PTS, seconds
        self.end = None         # highest PTS, seconds
        self._counters = {}
        self._pmt_pid = None
        self._pmt_section = None
        self._named = ()        # PIDs in the PMT
        self._tables = {}       # PID: packet of the last PAT and PMT
        self._last_pid = None
        self._announced = set()
        self._pcr = None        # last PCR base, ticks
        self._last = None       # ticks of the last DTS on any track
        self._time = 0          # the last DTS in seconds, without wraps
        self._stale = set()     # PIDs without an access unit since the last reset
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
        """Returns the video and audio tracks that have access units."""
        return [t for t in self.all_tracks() if t.kind != 'data' and t.units]

    def all_tracks(self):
        return self.former + list(self.tracks.values())

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
            # If the partial packet has no PID: packets of an access unit are
            # contiguous, so it has the PID of the packet before.
            self.torn_pid = self._last_pid
            if data[0] == SYNC_BYTE and len(data) >= 3:
                self.torn_pid = (data[1] & 0x1f) << 8 | data[2]

    def _packets(self, data, offset, last):
        """Reads the whole packets at the front of @data. Returns their size in bytes."""
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
        """Returns the position of the next packet: a sync byte that is followed by
        another one after a packet."""
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
        """2.4.3.3: the continuity_counter does not continue from the last packet."""
        if pid == NULL_PID:
            return
        if pid not in self._counters:
            self.first_counters[pid] = flags & 15
            return
        if flags & 0x20 and data[at + 4] and data[at + 5] & 0x80:
            self._announced.add(pid)
            return
        if (self._counters[pid] - 1) & 15 == flags & 15:
            return  # duplicate packets are allowed
        self.lost += 1
        if len(self.losses) < MAX_KEPT:
            self.losses.append((self._shown_time(), pid))

    def _shown_time(self):
        return None if self.start is None else self._time - self.start

    # --- tables and PES packets

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
            self._tables[pid] = bytes(data[at:at + PACKET_SIZE])
        elif pid == self._pmt_pid:
            self._pmt(unit)
            self._tables[pid] = bytes(data[at:at + PACKET_SIZE])
        elif pid in self.tracks:
            random_access = data[at + 3] & 0x20 and data[at + 4] and data[at + 5] & 0x40
            self._pes(unit, offset, self.tracks[pid], random_access)

    def _section(self, unit, table_id):
        """Returns the section at the start of @unit without its CRC; b'' if it is another
        table."""
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
        if not section or section == self._pmt_section:
            return
        self._pmt_section = section
        start = 1 + unit[0]
        whole = crc32(unit[start:start + len(section) + 4]) == 0
        streams = {}
        at = 12 + ((section[10] & 15) << 8 | section[11])
        while at + 5 <= len(section):
            pid = (section[at + 1] & 0x1f) << 8 | section[at + 2]
            end = at + 5 + ((section[at + 3] & 15) << 8 | section[at + 4])
            kind, codec = STREAM_TYPES.get(section[at]) or self._registered(section[at + 5:end])
            streams[pid] = Track(pid, kind, codec, self._described(codec, section[at + 5:end]))
            at = end
        if whole:
            self._replace(streams)
        for pid, track in streams.items():
            self.tracks.setdefault(pid, track)
        if whole:
            self._named = tuple(streams)

    def _replace(self, streams):
        """Notes which track replaces another. A new track replaces one of its kind that
        leaves in the same PMT, and another codec on a PID replaces the one before."""
        left = [self.tracks[pid] for pid in self._named if pid not in streams]
        for pid, new in streams.items():
            old = self.tracks.get(pid)
            if old and old.words != new.words:
                if old.units:
                    self.former.append(old)
                    new.replaces = old
                    new.last_dts = old.last_dts
                self.tracks[pid] = new
            elif pid not in self._named and self._named:
                gone = next((t for t in left if t.kind == new.kind and t.words != new.words and t.units), None)
                if gone:
                    left.remove(gone)
                    (old or new).replaces = gone

    @staticmethod
    def _described(codec, info):
        """Returns the codec with the channels of Opus, which are in a descriptor."""
        while codec == 'Opus' and len(info) >= 4:
            if info[0] == 0x7f and info[2] == 0x80:
                return f'{codec} {sound(48000, info[3] & 0x7f or 2)}'
            info = info[2 + info[1]:]
        return codec

    @staticmethod
    def _registered(info):
        while len(info) >= 2:
            if info[0] == 5 and info[2:6] in REGISTRATIONS:
                return REGISTRATIONS[info[2:6]]
            if info[0] in DESCRIPTORS:
                return DESCRIPTORS[info[0]]
            info = info[2 + info[1]:]
        return ('data', 'data')

    def _pes(self, unit, offset, track, random_access):  # 2.4.3.6
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
        if track.kind == 'data':
            return
        time = self._at(track, dts, difference(dts, pts) / CLOCK)
        self._notice_changes(track, unit[9 + unit[8]:], offset, time)
        self._count(track, offset, random_access, time)

    # --- changes of codecs and parameters

    def _notice_changes(self, track, frame, offset, time):
        if track.replaces:
            old, track.replaces = track.replaces, None
            self._change(old, old.words, track.words, time, True)
            self._begin_part(track, old, offset)
        header = HEADERS.get(track.codec)
        found = header and header(frame)
        if not found or found == track.sound:
            track.next_sound = None
        elif not track.sound:
            track.sound = found
        elif track.next_sound and track.next_sound[0] == found:
            _, offset, time = track.next_sound
            before, track.sound, track.next_sound = track.sound, found, None
            other = track.codec == 'AAC'  # an MP4 does not contain the header of each frame
            self._change(track, f'{track.codec} {sound(*before)}', f'{track.codec} {sound(*found)}', time, other)
            if other:
                self._take_back(track)
                self._begin_part(track, track, offset)
                self._add(track.spans[-1], time)
        else:
            track.next_sound = found, offset, time

    def _change(self, track, before, after, time, codec):
        if len(self.changes) < MAX_KEPT:
            self.changes.append(Change(track.kind, before, after, time - self.start, codec))

    def _begin_part(self, track, old, offset):
        """@track replaces @old at @offset. This begins another part of the file if @old
        is in the current part."""
        if any(span.part == len(self.part_starts) - 1 for span in old.spans) and len(self.part_starts) < MAX_KEPT:
            self.part_starts.append((offset, b''.join(self._tables.values())))
        track.spans.append(Span(len(self.part_starts) - 1, offset))

    @staticmethod
    def _take_back(track):
        """Removes the last access unit, which belongs to the new parameters."""
        track.spans[-1].units -= 1
        if not track.spans[-1].units:
            track.spans.pop()

    @staticmethod
    def _add(span, time):
        span.units += 1
        span.first_pts = time if span.first_pts is None else min(time, span.first_pts)
        span.last_pts = time if span.last_pts is None else max(time, span.last_pts)

    def _count(self, track, offset, random_access, time):
        """Adds an access unit to a span. A span of video begins with a random access
        point."""
        part = len(self.part_starts) - 1
        if not track.spans or track.spans[-1].part < part and (track.kind == 'audio' or random_access):
            track.spans.append(Span(part, offset))
        self._add(track.spans[-1], time)
        if track.next_sound is None:
            track.spans[-1].sound = track.sound

    @staticmethod
    def timestamp(unit, at):  # 2.4.3.7
        return ((unit[at] >> 1 & 7) << 30 | unit[at + 1] << 22 | unit[at + 2] >> 1 << 15 |
                unit[at + 3] << 7 | unit[at + 4] >> 1)

    def _at(self, track, dts, ahead):
        """Adds a PES packet of @track with @dts, and PTS @ahead seconds later. Returns
        its PTS in seconds."""
        if self._last is None:
            self._last = dts
            self._time = dts / CLOCK
        # The PAT has a discontinuity_indicator only where a recording was resumed; the
        # PCR PID also has it after each silence (docs/internals/mux.md).
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
        return time + ahead

    def _reset(self, dts, track):
        """Handles a restart of the clock, as in an appended recording: time continues from
        the end."""
        self.resets.append(self._time - self.start)
        self._last = dts
        self._time = self.end
        self._stale = set(self.tracks) - {track.pid}

    def _note(self, track, dts, pts):
        if track.last_dts is not None:
            track.step = min(max(dts - track.last_dts, 0), GAP)
            if dts - track.last_dts > GAP and len(track.gaps) < MAX_KEPT:
                track.gaps.append((track.last_dts - self.start, dts - track.last_dts))
        if track.kind == 'video' and track.newest_pts is not None and self.start is not None \
                and abs(pts - track.newest_pts) < SQUEEZED:
            track.squeezed.append(pts - self.start)
        track.newest_pts = pts
        if track.first_pts is None:
            track.first_pts = pts
        track.last_pts = pts if track.last_pts is None else max(pts, track.last_pts)
        track.last_dts = dts
        self.start = pts if self.start is None else min(pts, self.start)
        self.end = pts if self.end is None else max(pts, self.end)


class Part:
    """A part of @scan in which no codec changes. It has the interface of the Scan of a
    file with only this part."""

    def __init__(self, scan, number):
        self.path = scan.path
        self.size = scan.size
        self.runs = scan.runs
        self.tables = scan.part_starts[number][1]
        self.first_counters = scan.first_counters
        last = number == len(scan.part_starts) - 1
        self.torn = scan.torn if last else 0
        self.torn_pid = scan.torn_pid
        self.skipped = scan.skipped if number == 0 else []
        begin = scan.part_starts[number][0]
        end = scan.size if last else scan.part_starts[number + 1][0]
        self.range = (begin, end)   # offsets of the tables
        self.ranges = {}            # PID: offsets of its packets
        self.tracks = {}
        times = []
        for track in scan.media():
            for i, span in enumerate(track.spans):
                if span.part != number:
                    continue
                after = track.spans[i + 1].first_offset if i + 1 < len(track.spans) else self._end(scan, track)
                self.ranges[track.pid] = (span.first_offset, after)
                self.tracks[track.pid] = self._track(track, span)
                times += [span.first_pts, span.last_pts]
        for track in scan.tracks.values():
            if track.kind == 'data':
                self.tracks[track.pid] = track
        self.start = min(times, default=scan.start)
        self.duration = max(times, default=scan.start) - self.start + \
            min([t.step for t in self.media()] + [1 / 24])
        self.losses = [(at, pid) for at, pid in scan.losses
                       if at is None or self.start <= at + scan.start <= self.start + self.duration]

    @staticmethod
    def _end(scan, track):
        """Returns the offset at which another codec begins on the PID of @track."""
        later = [t.first_offset for t in scan.media() if t.pid == track.pid and t.first_offset > track.first_offset]
        return min(later, default=scan.size)

    @staticmethod
    def _track(track, span):
        part = Track(track.pid, track.kind, track.codec, track.words)
        part.units = span.units
        part.spans = [span]
        part.step = track.step
        part.first_offset = span.first_offset
        part.last_offset = track.last_offset
        return part

    def media(self):
        return [t for t in self.tracks.values() if t.kind != 'data' and t.units]

    def whole(self, start, end):
        """Returns true if all packets from @start to @end belong to this part."""
        return all(first <= start and end <= last for first, last in [*self.ranges.values(), self.range])

    def select(self, data, start, torn_pid, cut):
        """Returns the packets of @data (at offset @start of the file) that belong to this
        part, without packets of @torn_pid from offset @cut on."""
        chosen = []
        for i in range(0, len(data), PACKET_SIZE):
            pid = (data[i + 1] & 0x1f) << 8 | data[i + 2]
            if self._has(pid, start + i) and (start + i < cut or pid != torn_pid):
                chosen.append(data[i:i + PACKET_SIZE])
        return b''.join(chosen)

    def _has(self, pid, offset):
        first, last = self.ranges.get(pid, self.range)
        return first <= offset < last


def parts(scan):
    """Returns @scan as a list of Scans and Parts without a change of codec."""
    count = len(scan.part_starts)
    if count == 1:
        return [scan]
    return [part for part in (Part(scan, number) for number in range(count)) if part.media()]


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
