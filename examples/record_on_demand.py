#!/usr/bin/python3
# gst-tsrec: starts and stops recordings of a source that continues
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same as record-on-demand.c. Reads commands from standard input, one per line:

    start LOCATION    start a recording to LOCATION
    split LOCATION    continue in a new file (LOCATION has a number, as in a-%02d.ts)
    stop LOCATION     end that recording; the others continue
    quit              end all recordings and the program
"""

import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst

SOURCE = (
    'videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240 ! '
    'x264enc tune=zerolatency key-int-max=30 ! h264parse config-interval=-1 ! '
    'tee name=video-tee allow-not-linked=true '
    'audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! '
    'tee name=audio-tee allow-not-linked=true')
# Each recording has its own queues, so a recording that waits for its disk stops
# neither the source nor the others.
QUEUE = 'queue leaky=upstream max-size-time=10000000000 max-size-bytes=0 max-size-buffers=0'
RECORDING = (f'{QUEUE} name=video ! sink.video_0 {QUEUE} name=audio ! sink.audio_0 '
             'tsrecsink name=sink')


class Recorder:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(SOURCE)
        # Reports the EOS of one recording while the pipeline continues.
        self.pipeline.set_property('message-forward', True)
        self.recordings = {}
        self.quitting = False
        self.status = 0
        # Unbuffered, because the main loop does not see lines in a read buffer.
        self.commands = open(0, 'rb', buffering=0)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message', self.on_message)

    def start(self, location):
        recording = Gst.parse_bin_from_description(RECORDING, False)
        recording.get_by_name('sink').set_property('location', location)
        self.pipeline.add(recording)
        for kind in 'video', 'audio':
            target = recording.get_by_name(kind).get_static_pad('sink')
            recording.add_pad(Gst.GhostPad.new(kind, target))
        recording.sync_state_with_parent()
        for kind in 'video', 'audio':
            tee_pad = self.pipeline.get_by_name(kind + '-tee').request_pad_simple('src_%u')
            tee_pad.link(recording.get_static_pad(kind))
        self.recordings[location] = recording

    def stop(self, location):
        recording = self.recordings[location]
        for kind in 'video', 'audio':
            tee_pad = recording.get_static_pad(kind).get_peer()
            # Called when no buffer is in transit through the pad.
            tee_pad.add_probe(Gst.PadProbeType.IDLE, self.unlink)

    @staticmethod
    def unlink(tee_pad, _):
        """The branch gets its own EOS, which closes the file."""
        pad = tee_pad.get_peer()
        tee_pad.unlink(pad)
        pad.send_event(Gst.Event.new_eos())
        tee_pad.get_parent_element().release_request_pad(tee_pad)
        return Gst.PadProbeReturn.REMOVE

    def on_message(self, _, message):
        if message.has_name('GstBinForwarded'):
            forwarded = message.get_structure().get_value('message')
            if forwarded.type == Gst.MessageType.EOS:
                self.on_end(forwarded.src)
        elif message.has_name('recfilesink-closed'):
            closed = message.get_structure()
            print('closed', closed.get_value('location'), closed.get_value('bytes'), flush=True)
        elif message.type == Gst.MessageType.WARNING:
            # The disk is full, a track is refused: the recording continues.
            print('warning:', message.parse_warning()[0].message, file=sys.stderr)
        elif message.type == Gst.MessageType.ERROR:
            self.on_error(message)

    def on_end(self, recording):
        location = next((l for l, r in self.recordings.items() if r == recording), None)
        if location:
            self.remove(location)
            print('ended', location, flush=True)

    def on_error(self, message):
        """An error in a recording ends only that recording."""
        error, debug = message.parse_error()
        print(f'error: {error.message} ({debug})', file=sys.stderr)
        for location, recording in list(self.recordings.items()):
            if message.src.has_as_ancestor(recording):
                for kind in 'video', 'audio':
                    pad = recording.get_static_pad(kind)
                    if pad.is_linked():
                        pad.get_peer().add_probe(Gst.PadProbeType.IDLE, self.unlink)
                self.remove(location)
                print('failed', location, flush=True)
                return
        self.status = 1
        self.loop.quit()

    def remove(self, location):
        recording = self.recordings.pop(location)
        recording.set_state(Gst.State.NULL)
        self.pipeline.remove(recording)
        if self.quitting and not self.recordings:
            self.loop.quit()

    def on_command(self, _, __):
        line = self.commands.readline().decode()
        command, _, location = line.strip().partition(' ')
        if command == 'start':
            self.start(location)
        elif command == 'stop':
            self.stop(location)
        elif command == 'split':
            self.recordings[location].get_by_name('sink').emit('split-now')
        elif command == 'quit' or not line:
            self.quitting = True
            for each in self.recordings:
                self.stop(each)
            if not self.recordings:
                self.loop.quit()
            return GLib.SOURCE_REMOVE
        return GLib.SOURCE_CONTINUE

    def run(self):
        GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP,
                          self.on_command)
        self.pipeline.set_state(Gst.State.PLAYING)
        try:
            self.loop.run()
        finally:
            self.pipeline.set_state(Gst.State.NULL)
        return self.status


if __name__ == '__main__':
    Gst.init(None)
    sys.exit(Recorder().run())
