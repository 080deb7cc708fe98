#!/usr/bin/python3
# gst-tsrec: one file of the corpus, recorded and compared
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: judge.py FILE FOLDER

Records FILE by `parsebin ! tsrecsink`, all of its streams, into FOLDER, and
compares what went into the pads with what is in the recording, and with what
others read of the file. Prints one object of JSON: verdict (ok, refused,
upstream, unreadable or FAIL), tracks with their units, and reasons.
"""

import collections
import json
import os
import subprocess
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

import sources  # noqa: E402
import streams  # noqa: E402

TICK = 1e9 / 90000
# A frame of which nothing is presented is a tick or two before the next one.
SILENT_TICKS = 3
PATIENCE = 60 * Gst.SECOND
# With every pad refused no end of stream is to be expected.
NOTHING_LINKED = 3 * Gst.SECOND
REFUSAL_LATE = Gst.SECOND // 2
# Encoders of sound start with silence that readers cut off differently.
PRIMING = 6144
LOST_SAMPLES = 6144
# Pictures of a track, the first ones.
MOST_DECODED = '1500'
# A parser that finds fewer of the access units than this has not understood them.
LEAST_READ = 0.7
# How the warning begins that a track lags, and the one that PTS were moved.
LAGS = 'this track lags behind'
MOVED = 'presentation times (PTS) were moved by more'
JUMPED = 'a timestamp is far off the others'
UNTIMED = 'an access unit has no timestamp'

PARSERS = {'video/x-h264': 'h264parse', 'video/x-h265': 'h265parse'}

# Where avcC and hvcC say how long the lengths are (ISO/IEC 14496-15 5.3.3.1, 8.3.3.1).
LENGTH_SIZE_AT = {'avc': 4, 'avc3': 4, 'hvc1': 21, 'hev1': 21}

In = collections.namedtuple('In', 'data pts dts silent')


AUDIO = {(1, 1): 'MP1', (1, 2): 'MP2', (1, 3): 'MP3', (2, None): 'AAC', (4, None): 'AAC'}


class Track:
    def __init__(self, pad, recording):
        self.pad = pad
        self.recording = recording
        self.caps = None
        self.segment = None
        self.units = []
        self.stamps = []  # PTS as it is in the buffers
        self.ended = False
        self.repeats = 0
        self.differing = 0

    @property
    def name(self):
        return self.caps.get_structure(0).get_name() if self.caps else 'unknown'

    @property
    def codec(self):
        """Its short name, for the table."""
        if self.name not in ('video/mpeg', 'audio/mpeg'):
            return self.name.split('/x-')[-1]
        structure = self.caps.get_structure(0)
        version = structure.get_int('mpegversion').value
        if self.name == 'video/mpeg':
            return f'MPEG-{version} video'
        layer = structure.get_int('layer')
        return AUDIO.get((version, layer.value if layer[0] else None), f'MPEG-{version} audio')

    def running_time(self, time):
        if time == Gst.CLOCK_TIME_NONE or self.segment is None:
            return None
        sign, running = self.segment.to_running_time_full(Gst.Format.TIME, time)
        return sign * running if sign else None

    def to_byte_stream(self, data):
        """@data with start codes in place of its lengths, as MPEG-TS wants it."""
        structure = self.caps.get_structure(0)
        at = LENGTH_SIZE_AT.get(structure.get_string('stream-format') or '')
        if at is None:
            return data
        record = structure.get_value('codec_data')
        size = 4 if record is None else (record.extract_dup(at, 1)[0] & 3) + 1
        out = b''
        while data:
            end = size + int.from_bytes(data[:size], 'big')
            out += b'\0\0\0\1' + data[size:end]
            data = data[end:]
        return out

    def probe(self, _pad, info):
        if info.type & Gst.PadProbeType.EVENT_DOWNSTREAM:
            event = info.get_event()
            if event.type == Gst.EventType.CAPS:
                self.caps = event.parse_caps()
            elif event.type == Gst.EventType.SEGMENT:
                self.segment = event.parse_segment().copy()
            elif event.type == Gst.EventType.EOS:
                self.ended = True
            return Gst.PadProbeReturn.OK
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            buffers = info.get_buffer_list()
            for n in range(buffers.length()):
                self.add(buffers.get(n))
        else:
            self.add(info.get_buffer())
        return Gst.PadProbeReturn.OK

    def add(self, buffer):
        if buffer.get_size() == 0:
            return
        self.recording.note_arrival(self, buffer)
        data = buffer.extract_dup(0, buffer.get_size())
        if buffer.has_flags(Gst.BufferFlags.HEADER) and data[:8] in (b'OpusHead', b'OpusTags'):
            return
        data = self.to_byte_stream(data)
        silent = buffer.duration == 0 or buffer.has_flags(Gst.BufferFlags.DECODE_ONLY)
        self.stamps.append(buffer.pts)
        self.units.append(In(data, self.running_time(buffer.pts), self.running_time(buffer.dts), silent))


# --- recording

class Recording:
    """What was recorded of @source into @path, and what was said meanwhile."""

    def __init__(self, source, path):
        self.tracks = []
        self.pads = []       # names of the caps of all that parsebin gave
        self.early = 0       # buffers that came before all tracks were linked
        self.newest = 0      # the highest DTS so far
        self.lag = 0         # how far a unit came after it
        self.refused = []    # (caps, reason or None)
        self.warnings = []
        self.error = None
        self.ending = False  # what is said now does not reach the bus
        self.pipeline = Gst.Pipeline.new(None)
        self.sink = Gst.ElementFactory.make('tsrecsink')
        filesrc = Gst.ElementFactory.make('filesrc')
        parse = Gst.ElementFactory.make('parsebin')
        filesrc.set_property('location', source)
        self.sink.set_property('location', path)
        for element in (filesrc, parse, self.sink):
            self.pipeline.add(element)
        filesrc.link(parse)
        parse.connect('pad-added', self.on_pad)
        parse.connect('drained', self.on_drained)
        self.run()

    def note_arrival(self, track, buffer):
        """How far the tracks are out of order as they come, ns."""
        time = track.running_time(buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else buffer.pts)
        if time is not None:
            self.lag = max(self.lag, self.newest - time)
            self.newest = max(self.newest, time)

    def convert(self, pad, caps):
        """Behind @pad, what a tsrecsink that takes byte streams only needs."""
        name = caps.get_structure(0).get_name()
        template = self.sink.get_pad_template('video_%u').get_caps()
        if name not in PARSERS or template.can_intersect(Gst.Caps.from_string(f'{name}, stream-format=avc')) \
                or template.can_intersect(Gst.Caps.from_string(f'{name}, stream-format=hvc1')):
            return pad
        parser = Gst.ElementFactory.make(PARSERS[name])
        capsfilter = Gst.ElementFactory.make('capsfilter')
        capsfilter.set_property('caps', Gst.Caps.from_string(f'{name}, stream-format=byte-stream, alignment=au'))
        for element in (parser, capsfilter):
            self.pipeline.add(element)
            element.sync_state_with_parent()
        parser.link(capsfilter)
        pad.link(parser.get_static_pad('sink'))
        return capsfilter.get_static_pad('src')

    def on_pad(self, _parse, pad):
        caps = pad.get_current_caps() or pad.query_caps(None)
        self.pads.append(caps.get_structure(0).get_name())
        self.early += sum(len(track.units) for track in self.tracks if not track.ended)
        pad = self.convert(pad, caps)
        target = self.sink.get_compatible_pad(pad, pad.get_current_caps() or pad.query_caps(None))
        if target is not None:
            track = Track(target, self)
            types = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST | Gst.PadProbeType.EVENT_DOWNSTREAM
            target.add_probe(types, track.probe)
            if pad.link(target) == Gst.PadLinkReturn.OK:
                self.tracks.append(track)
                return
        if not self.ending:
            self.refused.append((caps.to_string(), None))
        fake = Gst.ElementFactory.make('fakesink')
        fake.set_property('sync', False)
        fake.set_property('async', False)
        self.pipeline.add(fake)
        pad.link(fake.get_static_pad('sink'))
        fake.sync_state_with_parent()

    def on_drained(self, parse):
        if not self.tracks:  # no end of stream will ever reach the sink
            parse.post_message(Gst.Message.new_application(parse, Gst.Structure.new_empty('nothing-linked')))

    def on_message(self, message):
        """True at the end."""
        own = message.src is self.sink or message.src.has_as_ancestor(self.sink)
        structure = message.get_structure()
        if message.type == Gst.MessageType.WARNING and own:
            self.warnings.append(message.parse_warning()[0].message)
        elif message.type == Gst.MessageType.ERROR:
            self.error = f'{message.src.get_name()}: {message.parse_error()[0].message}'
            return True
        elif structure and structure.get_name() == 'tsrecmux-track-rejected':
            caps = structure.get_value('caps')
            name = caps.to_string() if hasattr(caps, 'to_string') else str(caps)
            media = name.split(',')[0]
            self.refused = [row for row in self.refused if row[1] or not row[0].startswith(media)]
            self.refused.append((name, structure.get_string('reason')))
        return message.type in (Gst.MessageType.EOS, Gst.MessageType.APPLICATION)

    def run(self):
        bus = self.pipeline.get_bus()
        self.pipeline.set_state(Gst.State.PLAYING)
        silent = 0
        while True:
            message = bus.timed_pop(Gst.SECOND)
            if message is None:
                silent += Gst.SECOND
                if self.refused and not self.tracks and silent >= NOTHING_LINKED:
                    break
                if silent >= PATIENCE:
                    self.error = 'no end of stream'
                    break
                continue
            silent = 0
            if self.on_message(message):
                break
        # NULL flushes the bus: a refusal may still be on its way there
        wait = REFUSAL_LATE if any(reason is None for _, reason in self.refused) else 0
        while (message := bus.timed_pop(wait)) is not None:
            self.on_message(message)
        self.ending = True
        self.pipeline.set_state(Gst.State.NULL)


# --- comparing

def is_part(one, two, name):
    """Whether @two, as written, carries @one, as it came."""
    if one == two or two.endswith(one):
        return True
    if name in ('subpicture/x-dvb', 'application/x-teletext'):
        return one in two
    if name.startswith('video/'):
        common = len(os.path.commonprefix([one, two]))
        return common > 0 and two.endswith(one[common:])
    if name == 'audio/x-opus':  # its streams may have changed places
        at = 2
        while two[at] == 255:
            at += 1
        at += 1 + 2 * bool(two[1] & 0x10) + 2 * bool(two[1] & 8)
        return sorted(one) == sorted(two[at:])
    return False


def is_loas(track):
    return track.caps.get_structure(0).get_string('stream-format') == 'loas'


def is_dependent(unit):
    """A frame of E-AC-3 that belongs to the one before."""
    return unit.data[:2] == b'\x0b\x77' and unit.data[5] >> 3 > 10 and \
        (unit.data[2] >> 6 == 1 or unit.data[2] & 0x38 != 0)


def difference(earlier, later):
    """Ticks, at most half of the 26.5 hours after which timestamps wrap."""
    ticks = (later - earlier) % (1 << 33)
    return ticks - (1 << 33) if ticks >= 1 << 32 else ticks


def expected_times(track):
    """PTS of each unit, ns; None of one that has none of its own. A parser that
    counts dependent frames as time is not believed."""
    times = [unit.pts for unit in track.units]
    dolby = track.name in ('audio/x-ac3', 'audio/x-eac3')
    hidden = [dolby and n > 0 and is_dependent(unit) for n, unit in enumerate(track.units)]
    times = [None if skip else time for skip, time in zip(hidden, times)]
    own = [time for time in times if time is not None]
    if any(hidden) and len(own) > 2 and track.units[1].pts:
        frame = track.units[1].pts - track.units[0].pts
        if own[1] - own[0] > 1.5 * frame:
            times = [None if time is None else own[0] + (time - own[0]) * frame / (own[1] - own[0]) for time in times]
    return times


def compare_times(track, out, origin):
    """(words for what is wrong, number of units); '' and 0 when nothing is."""
    times = expected_times(track)
    worst, count = 0, 0
    if all(unit.pts is None for unit in track.units):
        span = difference(out[0].pts, out[-1].pts)
        if span < 450 * (len(out) - 1) and len(out) > 2:  # 5 ms each
            return f'{len(out)} units without timestamps within {span / 90:.1f} ms', len(out)
        return '', 0
    # Where a reader says the PTS as DTS of each picture, of reordered ones too,
    # it does not know the DTS: the mux makes them, and tscheck sees their order.
    stated = any(unit.pts is not None and unit.dts != unit.pts for unit in track.units)
    repeats, before = 0, None
    for unit, time, written in zip(track.units, times, out):
        if time is None:
            continue
        if written.pts is None:
            return 'a unit without PTS that had one', 1
        # Of those with the same time each is a tick after the one before.
        repeats, before = repeats + 1 if time == before else 0, time
        track.repeats = max(track.repeats, repeats)
        allowed = (SILENT_TICKS if unit.silent else 1.6) + repeats
        off = abs(difference(origin + time / TICK, written.pts))
        dts = abs(difference(origin + unit.dts / TICK, written.dts)) if unit.dts is not None else 0
        if off > allowed or (dts > SILENT_TICKS and track.name.startswith('video/') and
                             (stated or written.pts == written.dts)):
            count += 1
            worst = max(worst, off, dts)
    return f'{count} of {len(out)} timestamps off by up to {worst / 90:.3f} ms' if count else '', count


def compare_track(track, stream, origin):
    units, out = track.units, stream.units
    if len(units) != len(out):
        return f'{len(units)} access units became {len(out)}', max(1, abs(len(units) - len(out)))
    if not is_loas(track):
        other = [n for n, (one, two) in enumerate(zip(units, out)) if not is_part(one.data, two.data, track.name)]
        if other:
            return f'access unit {other[0]} has other bytes', len(other)
    return compare_times(track, out, origin)


def find_origin(pairs):
    """90 kHz of running time 0: what most of the units agree on."""
    votes = collections.Counter()
    for track, stream in pairs:
        for time, written in zip(expected_times(track), stream.units):
            if time is not None and written.pts is not None:
                votes[round(written.pts - time / TICK) % (1 << 33)] += 1
    return votes.most_common(1)[0][0] if votes else 0


def compare(recording, path):
    """Words for what is wrong. Each track gets the number of its units that
    differ."""
    try:
        found = streams.read(path)
    except (OSError, ValueError, IndexError) as error:
        return [str(error)]
    tracks = [track for track in recording.tracks if track.units]
    pids = {'video': 0x100, 'audio': 0x200, 'data': 0x300}
    pairs, wrong = [], []
    for track in tracks:
        kind, number = track.pad.get_name().split('_')
        stream = found.get(pids[kind] + int(number))
        if stream is None or not stream.units:
            if not any(caps.startswith(track.name) and reason for caps, reason in recording.refused):
                wrong.append(f'{track.name}: not in the recording')
                track.differing = len(track.units)
            continue
        pairs.append((track, stream))
    origin = find_origin(pairs)
    for track, stream in pairs:
        words, track.differing = compare_track(track, stream, origin)
        if words:
            wrong.append(f'{track.name}: {words}')
    return wrong


# --- decoding

def decode(path, stream, kind):
    """[hash of each picture], or the number of samples; None when it fails."""
    before = ['-ignore_editlist', '1'] if path.endswith(('.mp4', '.mov', '.m4a', '.3gp')) else []
    if kind == 'video':
        after = ['-fps_mode', 'passthrough', '-frames:v', MOST_DECODED, '-f', 'framemd5']
    else:
        after = ['-f', 'framecrc']
    result = subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', *before, '-i', path, '-map', f'0:{stream}', *after, '-'],
                            capture_output=True, text=True, errors='replace', timeout=240, check=False)
    rows = [line.split(',') for line in result.stdout.splitlines() if line and line[0] != '#']
    if kind == 'video':
        return [row[5].strip() for row in rows]
    return sum(int(row[3]) for row in rows)


def list_streams(path):
    result = subprocess.run(['ffprobe', '-v', 'quiet', '-of', 'json', '-show_entries',
                             'stream=index,id,codec_name,codec_type', path],
                            capture_output=True, timeout=60, check=False)
    try:
        return json.loads(result.stdout).get('streams', [])
    except ValueError:
        return []


def compare_decoded(source, path):
    """Words for what decodes otherwise; what is in both is compared, one codec
    after the other."""
    left = list_streams(source)
    for stream in sorted(list_streams(path), key=lambda s: int(s['id'], 16)):
        kind = stream['codec_type']
        if kind not in ('video', 'audio'):
            continue
        same = [s for s in left if s.get('codec_name') == stream.get('codec_name')]
        if not same:
            continue
        left.remove(same[0])
        one, two = decode(source, same[0]['index'], kind), decode(path, stream['index'], kind)
        if kind == 'video' and one != two:
            missing = len((collections.Counter(one) - collections.Counter(two)))
            if len(one) != len(two) or missing:
                yield f'{stream["codec_name"]}: {len(one)} pictures decode, {len(two)} of the recording, {missing} differ'
        elif kind == 'audio' and one and not -LOST_SAMPLES <= two - one <= PRIMING:
            yield f'{stream["codec_name"]}: {one} samples decode, {two} of the recording'


def check_conformance(path):
    tool = os.path.join(os.environ['REC_BUILD_DIR'], 'tests', 'lib', 'tscheck')
    result = subprocess.run([tool, path], capture_output=True, text=True, errors='replace', timeout=60, check=False)
    return [] if result.returncode == 0 else [f'tscheck: {result.stdout.splitlines()[0].split(": ", 1)[-1]}']


# --- the verdict

def split_refused(recording):
    """(words for what was refused with a reason, for what was without)."""
    reasons = [f'{caps.split(",")[0]} refused: {reason}' for caps, reason in recording.refused if reason]
    # The message may come before this program knows that the link has failed.
    named = {caps.split(',')[0] for caps, reason in recording.refused if reason}
    return reasons, [f'{caps.split(",")[0]} refused without a reason' for caps, reason in recording.refused
                     if not reason and caps.split(',')[0] not in named]


def check_warnings(recording, dts_only):
    """(words for warnings that are wrong, for those that are right)."""
    wrong, right = [], []
    interleave = recording.sink.get_property('max-interleave')
    for text in recording.warnings:
        if LAGS in text and recording.lag > interleave:
            right.append(f'tracks come up to {recording.lag / 1e9:.1f} s out of order, and the mux says so')
        elif MOVED in text and dts_only:
            right.append('the mux has moved PTS, and says so')
        elif MOVED in text and any(track.repeats > 1 for track in recording.tracks):
            right.append('units have the same time, and the mux says that it moves them')
        elif UNTIMED in text and any(unit.pts is None and unit.dts is None
                                     for track in recording.tracks for unit in track.units):
            right.append('a unit has no timestamp, and the mux says so')
        else:
            wrong.append(f'WARNING: {text}')
    return wrong, right


def split_backward(recording, wrong, loud):
    """Where the times that a demuxer gives go back, unlike those of the file, the
    mux cannot keep them: (words that are wrong all the same, warnings, words to
    be said)."""
    names = []
    for track in recording.tracks:
        stamps = [unit.dts if unit.dts is not None else unit.pts for unit in track.units]
        stamps = [stamp for stamp in stamps if stamp is not None]
        if any(two <= one for one, two in zip(stamps, stamps[1:])) and \
                (track.name.startswith('audio/') or any(unit.dts is not None for unit in track.units)):
            names.append(track.name)
    moved = [words for words in wrong if words.split(':')[0] in names and 'timestamps off' in words]
    if not names:
        return wrong, loud, []
    return [words for words in wrong if words not in moved], \
        [words for words in loud if MOVED not in words and JUMPED not in words], \
        [f'{words}, as they go back, and the mux says so' for words in moved]


def check_control(source, recording):
    """Words for what `parsebin` gives otherwise without tsrecsink: then it is
    not what comes from upstream."""
    control = sources.Control(source)
    fed = collections.Counter((track.name, tuple(track.stamps)) for track in recording.tracks)
    missing = collections.Counter((name, tuple(stamps)) for name, stamps in control.pads if stamps) - fed
    # what was refused went to a fakesink, uncounted
    refused = {caps.split(',')[0] for caps, _ in recording.refused}
    missing = [f'{len(stamps)} units of {name} with other times' for name, stamps in missing.elements()
               if name not in refused]
    return [f'without tsrecsink, parsebin gives {", ".join(missing)}'] if missing else []


def check_recording(source, path, recording):
    """(words for what is wrong, for what is right and has to be said, for what
    GStreamer gives otherwise)."""
    upstream = sources.compare(source, recording.tracks, recording.pads)
    wrong = compare(recording, path) + check_conformance(path)
    if not any('access units' in words or 'not in the' in words for words in wrong):
        wrong += compare_decoded(source, path)
    loud, right = check_warnings(recording, any(words.startswith('no PTS') for words in upstream))
    if upstream and loud:
        wrong, loud, excused = split_backward(recording, wrong, loud)
        right += excused
    if upstream:
        wrong += check_control(source, recording)
    if recording.early:
        right.append(f'parsebin gave a track when {recording.early} buffers had come')
    return wrong + loud, right, upstream


def is_misread(source, recording):
    """Whether GStreamer, without tsrecsink as well, has not understood it."""
    _, found = sources.probe(source)
    units = sum(len(track.units) for track in recording.tracks)
    return units < LEAST_READ * sum(len(one.times) for one in found) and not check_control(source, recording)


def describe(words):
    return [f'GStreamer gives {", ".join(words)}'] if words else []


def judge(source, folder):
    path = os.path.join(folder, os.path.basename(source) + '.ts')
    recording = Recording(source, path)
    units = sum(len(track.units) for track in recording.tracks)
    reasons, wrong = split_refused(recording)
    exists = os.path.exists(path) and os.path.getsize(path) > 0
    own_error = recording.error and recording.error.startswith(('tsrec', 'recfile'))
    right, upstream = [], []
    if exists:
        more, right, upstream = check_recording(source, path, recording)
        wrong += more
    elif units and not reasons and not recording.error:
        wrong.append('nothing was recorded')
    row = {'file': os.path.basename(source), 'units': units,
           'tracks': [(track.codec, len(track.units), track.differing) for track in recording.tracks if track.units]}
    if recording.error and not own_error and not (units and exists):
        if not recording.refused:
            _, found = sources.probe(source)
            more = check_control(source, recording)
            about = f'{recording.error} (ffmpeg finds: {", ".join(one.codec for one in found) or "nothing"})'
            return dict(row, verdict='FAIL' if more else 'unreadable', reason='; '.join(more + [about]))
    elif recording.error and not (reasons and not exists):
        wrong.append(recording.error)
    if wrong:
        verdict = 'unreadable' if units and is_misread(source, recording) else 'FAIL'
    elif upstream:
        verdict = 'upstream'
    else:
        verdict = 'ok' if exists else 'refused'
    return dict(row, verdict=verdict, reason='; '.join(wrong + describe(upstream) + right + reasons))


def main():
    Gst.init(None)
    row = judge(sys.argv[1], sys.argv[2])
    print(json.dumps(row))
    sys.stdout.flush()
    os._exit(0)  # elements of others may hang in their finalizers


if __name__ == '__main__':
    main()
