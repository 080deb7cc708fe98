# gst-tsrec: reads access units out of a transport stream, for the corpus run
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An independent reader, written from ISO/IEC 13818-1: it shares no code with
the mux or with pipelines/lib/tsscan.py. Whole files in memory, no repair: what is
not conformant raises ValueError.
"""

PACKET_SIZE = 188


class Unit:
    """@pts, @dts: 90 kHz, not wrapped, None where the PES packet has none."""

    def __init__(self, data, pts, dts):
        self.data = data
        self.pts = pts
        self.dts = dts


class Stream:
    def __init__(self, pid, stream_type, info):
        self.pid = pid
        self.stream_type = stream_type
        self.info = info
        self.units = []
        self.pes = bytearray()


def _timestamp(data, at):
    return ((data[at] >> 1 & 7) << 30 | data[at + 1] << 22 | (data[at + 2] >> 1) << 15 |
            data[at + 3] << 7 | data[at + 4] >> 1)


def _end_pes(stream):
    pes, stream.pes = bytes(stream.pes), bytearray()
    if not pes:
        return
    if pes[:3] != b'\0\0\1':
        raise ValueError(f'PID {stream.pid:#x}: no PES packet starts where one should')
    start = 9 + pes[8]
    end = len(pes)
    length = pes[4] << 8 | pes[5]
    if length:
        end = 6 + length
        if end != len(pes):
            raise ValueError(f'PID {stream.pid:#x}: a PES packet of {end} bytes has {len(pes)}')
    pts = dts = None
    if pes[7] & 0x80:
        pts = dts = _timestamp(pes, 9)
    if pes[7] & 0x40:
        dts = _timestamp(pes, 14)
    stream.units.append(Unit(pes[start:end], pts, dts))


def _section(payload, table):
    start = 1 + payload[0]
    if payload[start] != table:
        return b''
    return payload[start:start + 3 + ((payload[start + 1] & 15) << 8 | payload[start + 2]) - 4]


def _read_pmt(section, streams):
    at = 12 + ((section[10] & 15) << 8 | section[11])
    while at + 5 <= len(section):
        pid = (section[at + 1] & 0x1f) << 8 | section[at + 2]
        length = (section[at + 3] & 15) << 8 | section[at + 4]
        if pid not in streams:
            streams[pid] = Stream(pid, section[at], section[at + 5:at + 5 + length])
        at += 5 + length


def read(path):
    """{PID: Stream} of the file, in the order of the PMT."""
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) % PACKET_SIZE:
        raise ValueError(f'{len(data)} bytes are not whole packets')
    streams, pmt_pid, pmt = {}, None, bytearray()
    for at in range(0, len(data), PACKET_SIZE):
        if data[at] != 0x47:
            raise ValueError(f'no sync byte at {at}')
        pid = (data[at + 1] & 0x1f) << 8 | data[at + 2]
        start = data[at + 1] & 0x40
        payload = at + 4
        if data[at + 3] & 0x20:
            payload += 1 + data[at + 4]
        if not data[at + 3] & 0x10:
            continue
        body = data[payload:at + PACKET_SIZE]
        if pid == 0:
            section = _section(body, 0)
            pmt_pid = (section[10] & 0x1f) << 8 | section[11]
        elif pid == pmt_pid:
            pmt = bytearray(body) if start else pmt + body
            if len(pmt) >= 4 + pmt[0] + ((pmt[2 + pmt[0]] & 15) << 8 | pmt[3 + pmt[0]]):
                _read_pmt(_section(bytes(pmt), 2), streams)
        elif pid in streams:
            if start:
                _end_pes(streams[pid])
            streams[pid].pes += body
    for stream in streams.values():
        _end_pes(stream)
    return streams
