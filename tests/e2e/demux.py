#!/usr/bin/python3
# gst-tsrec: reads a recording by tsdemux and GStreamer's decoders
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: demux.py FILE

Prints how many pictures and how many buffers of sound were decoded. tsdemux
takes a PMT with another stream in it for another program, and then ends its
pads and adds new ones: every pad gets a decoder of its own, as in a player.
"""

import os
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

DECODERS = {
    'video/x-h264': 'h264parse ! avdec_h264 max-threads=1',
    'video/x-h265': 'h265parse ! avdec_h265 max-threads=1',
    'audio/mpeg': 'aacparse ! avdec_aac',
    'audio/x-opus': 'opusparse ! opusdec',
}


def main(path):
    Gst.init(None)
    pipeline = Gst.Pipeline.new(None)
    source = Gst.parse_bin_from_description(
        f'filesrc location="{path}" ! queue ! tsdemux name=demux', False)
    pipeline.add(source)
    counts = {'video': 0, 'audio': 0}

    def on_buffer(_, __, medium):
        counts[medium] += 1
        return Gst.PadProbeReturn.OK

    def on_pad(_, pad):
        name = pad.get_current_caps().get_structure(0).get_name()
        chain = Gst.parse_bin_from_description(
            f'queue max-size-time=0 ! {DECODERS[name]} ! '
            'fakesink name=end sync=false async=false', True)
        chain.get_by_name('end').get_static_pad('sink').add_probe(
            Gst.PadProbeType.BUFFER, on_buffer, name.split('/')[0])
        source.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad('sink'))

    source.get_by_name('demux').connect('pad-added', on_pad)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        100 * Gst.SECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    if message is None or message.type == Gst.MessageType.ERROR:
        print(message.parse_error() if message else 'no end', file=sys.stderr)
        return 1
    print(counts['video'], counts['audio'])
    return 0


if __name__ == '__main__':
    status = main(sys.argv[1])
    sys.stdout.flush()
    os._exit(status)  # a demuxer that was replaced may leave threads behind
