# gst-tsrec: what others read of a file of the corpus
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A demuxer of GStreamer may give fewer tracks than a file has, fewer access
units or other times. The recording cannot have them then, and a comparison of
what went in with what came out does not see it. So the tracks that were given
are held against those that ffprobe finds, and, where they differ, against those
that `parsebin ! fakesink` gives: without any element of this project.
"""

import collections
import json
import statistics
import subprocess

from gi.repository import Gst

# Tolerance of the times of a track against those of ffprobe: containers round, and
# matroskademux rounds to whole pictures.
TOLERANCE = 50e6
# Encoders of sound start with silence that readers cut off differently.
PRIMING = 200e6
# Of a stream without a container, times are made up by each reader.
UNTIMED = ('aac', 'ac3', 'eac3', 'dts', 'flac', 'h264', 'hevc', 'loas', 'm4v', 'mp3', 'mpegvideo', 'truehd', 'wav')
PATIENCE = 30 * Gst.SECOND
# ffprobe takes these for streams; they are an index, a picture on a cover.
OTHERS = ('dvb_subtitle', 'dvb_teletext', 'klv')
CODECS = {'video/x-h264': ('h264',), 'video/x-h265': ('hevc',), 'audio/x-ac3': ('ac3',), 'audio/x-eac3': ('eac3',),
          'video/mpeg': ('mpeg1video', 'mpeg2video', 'mpeg4'), 'audio/x-opus': ('opus',), 'audio/x-dts': ('dts',),
          'audio/mpeg': ('aac', 'aac_latm', 'mp2', 'mp3'), 'subpicture/x-dvb': ('dvb_subtitle',),
          'application/x-teletext': ('dvb_teletext',), 'meta/x-klv': ('klv',)}

Found = collections.namedtuple('Found', 'kind codec times reordered')


def kind_of(caps_name):
    media = caps_name.split('/')[0]
    if media in ('video', 'image'):
        return 'video'
    return media if media == 'audio' else 'other'


def probe(path):
    """(format, [Found]) of the tracks that ffprobe finds in the file. The times
    of the units, ns, None where the file has none, in the order of the file."""
    entries = ('format=format_name:stream=index,codec_name,codec_type,has_b_frames:stream_disposition=attached_pic:'
               'packet=stream_index,pts_time')
    result = subprocess.run(['ffprobe', '-v', 'quiet', '-of', 'json', '-show_packets', '-show_entries', entries, path],
                            capture_output=True, timeout=120, check=False)
    try:
        found = json.loads(result.stdout)
    except ValueError:
        return '', []
    tracks = {}
    for stream in found.get('streams', []):
        codec, kind = stream.get('codec_name', 'unknown'), stream['codec_type']
        if stream.get('disposition', {}).get('attached_pic') or \
                (kind not in ('video', 'audio') and codec not in OTHERS):
            continue
        kind = kind if kind in ('video', 'audio') else 'other'
        tracks[stream['index']] = Found(kind, codec, [], stream.get('has_b_frames', 0) > 0)
    for packet in found.get('packets', []):
        if packet['stream_index'] in tracks:
            time = packet.get('pts_time')
            tracks[packet['stream_index']].times.append(None if time is None else float(time) * 1e9)
    # one that has no packet is declared, and never comes
    return found.get('format', {}).get('format_name', ''), [track for track in tracks.values() if track.times]


class Control:
    """What `parsebin ! fakesink` gives: the name of the caps of each track and the
    PTS of its units, and the error."""

    def __init__(self, path):
        self.pads = []
        self.error = None
        self.pipeline = Gst.Pipeline.new(None)
        source = Gst.ElementFactory.make('filesrc')
        parse = Gst.ElementFactory.make('parsebin')
        source.set_property('location', path)
        self.pipeline.add(source)
        self.pipeline.add(parse)
        source.link(parse)
        parse.connect('pad-added', self.on_pad)
        self.pipeline.set_state(Gst.State.PLAYING)
        message = self.pipeline.get_bus().timed_pop_filtered(PATIENCE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        if message is None:
            self.error = 'no end of stream'
        elif message.type == Gst.MessageType.ERROR:
            self.error = message.parse_error()[0].message
        self.pipeline.set_state(Gst.State.NULL)

    def on_pad(self, _parse, pad):
        sink = Gst.ElementFactory.make('fakesink')
        sink.set_property('sync', False)
        sink.set_property('async', False)
        caps = pad.get_current_caps() or pad.query_caps(None)
        entry = [caps.get_structure(0).get_name(), []]
        self.pads.append(entry)
        target = sink.get_static_pad('sink')
        target.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.probe, entry)
        self.pipeline.add(sink)
        pad.link(target)
        sink.sync_state_with_parent()

    @staticmethod
    def probe(_pad, info, entry):
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            buffers = [info.get_buffer_list().get(n) for n in range(info.get_buffer_list().length())]
        else:
            buffers = [info.get_buffer()]
        entry[1] += [buffer.pts for buffer in buffers if buffer.get_size()]
        return Gst.PadProbeReturn.OK


def pair(tracks, found):
    """[(track, what ffprobe says of it)]."""
    left, pairs = list(found), []
    for track in tracks:
        same = [one for one in left if one.codec in CODECS.get(track.name, ())]
        if same:
            left.remove(same[0])
            pairs.append((track, same[0]))
    return pairs


def compare_tracks(names, found):
    """Words for tracks that were not given. @names: of the caps of each pad."""
    words = []
    for kind in ('video', 'audio', 'other'):
        codecs = [track.codec for track in found if track.kind == kind]
        given = [name for name in names if kind_of(name) == kind]
        if len(given) < len(codecs):
            words.append(f'{len(given)} of {len(codecs)} {"" if kind == "other" else kind + " "}tracks '
                         f'({", ".join(codecs)})')
    return words


def compare_times(pairs):
    """Words for times that are not those of the file; all tracks have one
    origin."""
    words, origins = [], []
    for track, one in pairs:
        if len(track.units) != len(one.times):
            continue
        off = [unit.pts - time for unit, time in zip(track.units, one.times)
               if unit.pts is not None and time is not None]
        if len(off) < 2:
            continue
        origin = statistics.median(off)
        origins.append(origin)
        count = sum(abs(value - origin) > TOLERANCE for value in off)
        if count:
            worst = max(abs(value - origin) for value in off)
            words.append(f'{count} of {len(off)} times of {one.codec} off by up to {worst / 1e9:.3f} s')
    if origins and max(origins) - min(origins) > PRIMING:
        words.append(f'tracks shifted by {(max(origins) - min(origins)) / 1e9:.3f} s')
    return words


def has_dts_only(track, one):
    """AVI has no PTS: reordered pictures get a DTS only, and the key frames the
    same time as PTS."""
    return one.reordered and any(unit.pts is None for unit in track.units) and \
        all(unit.pts in (None, unit.dts) for unit in track.units)


def compare(path, tracks, names):
    """Words for what GStreamer gave otherwise than it is in the file."""
    form, found = probe(path)
    words = compare_tracks(names, found)
    pairs = pair(tracks, found)
    for track, one in pairs:
        # what an edit list leaves out is before 0
        expected = sum(time is None or time > -1e6 for time in one.times)
        if len(track.units) < expected:
            words.append(f'{len(track.units)} of {expected} packets of {one.codec}')
        if form not in UNTIMED and has_dts_only(track, one):
            words.append(f'no PTS to pictures of {one.codec} out of order, and key frames their DTS as PTS')
    if form not in UNTIMED:
        words += compare_times(pairs)
    return words
