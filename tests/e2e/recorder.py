#!/usr/bin/python3
# gst-tsrec: a recorder for tests, which says what it has accepted
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: recorder.py LEDGER LINE

Runs LINE, a launch line with a tsrecsink or recfilesink named "rec" and
optionally a recwhipsrc named "whip", until EOS, SIGINT or SIGKILL. LEDGER is
a file of three 64-bit numbers that survives SIGKILL:

  accepted   bytes of the buffers whose chain function has returned
  first      monotonic time of the first buffer out of "whip", ns
  buffers    how many buffers that were

Writing into a shared mapping leaves nothing in this process to lose.
"""

import mmap
import signal
import struct
import sys
import time

import gi
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

LEDGER_SIZE = 24


class Ledger:
    def __init__(self, path):
        with open(path, 'w+b') as file:
            file.truncate(LEDGER_SIZE)
            self.memory = mmap.mmap(file.fileno(), LEDGER_SIZE)
        self.pending = 0
        self.accepted = 0
        self.buffers = 0

    def at_file_sink(self, _, info):
        """The one before has been accepted when the next one comes."""
        self.accepted += self.pending
        if info.type & Gst.PadProbeType.BUFFER:
            self.pending = info.get_buffer().get_size()
        else:
            self.pending = 0
        struct.pack_into('=Q', self.memory, 0, self.accepted)
        return Gst.PadProbeReturn.OK

    def at_source(self, _, __):
        if self.buffers == 0:
            struct.pack_into('=Q', self.memory, 8, time.monotonic_ns())
        self.buffers += 1
        struct.pack_into('=Q', self.memory, 16, self.buffers)
        return Gst.PadProbeReturn.OK


def file_sink_of(pipeline):
    element = pipeline.get_by_name('rec')
    if isinstance(element, Gst.Bin):
        for child in element.children:
            if child.get_factory().get_name() == 'recfilesink':
                return child
    return element


def main(ledger_path, line):
    Gst.init(None)
    pipeline = Gst.parse_launch(line)
    ledger = Ledger(ledger_path)
    file_sink_of(pipeline).get_static_pad('sink').add_probe(
        Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM,
        ledger.at_file_sink)
    whip = pipeline.get_by_name('whip')
    for pad in whip.srcpads if whip else ():
        pad.add_probe(Gst.PadProbeType.BUFFER, ledger.at_source)
    loop = GLib.MainLoop()
    failures = []

    def on_message(_, message):
        if message.type == Gst.MessageType.ERROR:
            failures.append(message.parse_error())
            loop.quit()
        elif message.type == Gst.MessageType.EOS:
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect('message', on_message)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT,
                         lambda: pipeline.send_event(Gst.Event.new_eos()))
    if pipeline.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE:
        loop.run()
    pipeline.set_state(Gst.State.NULL)
    for failure in failures:
        print(*failure, file=sys.stderr)
    return 1 if failures else 0


def read(path):
    """(accepted bytes, time of the first buffer in seconds, buffers)."""
    with open(path, 'rb') as file:
        accepted, first, buffers = struct.unpack('=QQQ', file.read(LEDGER_SIZE))
    return accepted, first / 1e9, buffers


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
