#!/usr/bin/python3
# gst-tsrec: records, and acts on the alerts of the monitor
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same as record-and-watch.c. The action depends on the stage that has stalled.
If the network is dead, the source is restarted. If a depayloader, decoder or encoder
has stalled, a key frame is requested. Otherwise a command pages a person."""

import argparse
import shlex
import subprocess
import sys

import gi
gi.require_version('Gst', '1.0')
gi.require_version('GstVideo', '1.0')
from gi.repository import GLib, Gst, GstVideo

TEST_SOURCE = ('videotestsrc is-live=true ! video/x-raw,format=I420 ! '
               'x264enc tune=zerolatency ! h264parse config-interval=-1')


class Recording:
    def __init__(self, args):
        self.page_command = args.page
        self.loop = GLib.MainLoop()
        self.status = 0
        self.pipeline = Gst.Pipeline()
        self.source = Gst.parse_bin_from_description(args.source, True)
        self.monitor = Gst.ElementFactory.make('recmonitor')
        sink = Gst.ElementFactory.make('tsrecsink')
        if not sink or not self.monitor:
            sys.exit('no tsrecsink or recmonitor: add the folder of the plugin to GST_PLUGIN_PATH')
        self.monitor.set_property('report', True)
        self.monitor.set_property('max-memory', args.max_memory)
        sink.set_property('location', args.output)
        for element in self.source, self.monitor, sink:
            self.pipeline.add(element)
        if not self.source.link(self.monitor) or not self.monitor.link(sink):
            sys.exit('the source does not end in anything that can be recorded')
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message', self.on_message)

    def run(self, duration):
        if duration:
            GLib.timeout_add_seconds(duration, self.end)
        self.pipeline.set_state(Gst.State.PLAYING)
        try:
            self.loop.run()
        finally:
            self.pipeline.set_state(Gst.State.NULL)
        return self.status

    def end(self):
        """EOS finalizes the file."""
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    # --- messages

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.ERROR:
            error, _debug = message.parse_error()
            print(error.message, file=sys.stderr)
            self.page_person(error.message)
            self.status = 1
            self.loop.quit()
        elif message.has_name('recmonitor-alert'):
            self.act_on_alert(message.get_structure())

    def act_on_alert(self, alert):
        where, text = alert.get_string('where'), alert.get_string('text')
        print(f"ALERT {alert.get_string('rule')} {alert.get_string('state')}"
              f"{' at ' + where if where else ''}: {text}")
        if alert.get_string('state') != 'raised':
            return
        if where == 'network':
            self.restart_source()
        elif where in ('depayloader', 'decoder', 'encoder'):
            self.request_key_frame()
        else:
            self.page_person(text)

    # --- actions

    def restart_source(self):
        print('restarting the source')
        self.source.set_state(Gst.State.READY)
        self.source.sync_state_with_parent()

    def request_key_frame(self):
        """Sends the event upstream from the monitor. An encoder produces a key
        frame, recwhipsrc sends a PLI."""
        print('requesting a key frame')
        self.monitor.send_event(GstVideo.video_event_new_upstream_force_key_unit(
            Gst.CLOCK_TIME_NONE, True, 0))

    def page_person(self, text):
        print('paging somebody')
        if self.page_command:
            subprocess.Popen(shlex.split(self.page_command) + [text])


def main():
    parser = argparse.ArgumentParser(description='record and watch')
    parser.add_argument('-s', '--source', default=TEST_SOURCE, metavar='LAUNCH',
                        help='what to record, as for gst-launch-1.0, ending in parsed video')
    parser.add_argument('-o', '--output', default='rec.ts', metavar='FILE')
    parser.add_argument('-d', '--duration', type=int, default=0, metavar='SECONDS')
    parser.add_argument('-p', '--page', metavar='COMMAND',
                        help='run this when a person is needed')
    parser.add_argument('-m', '--max-memory', type=int, default=500_000_000, metavar='BYTES')
    args = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    Gst.init(None)
    sys.exit(Recording(args).run(args.duration))


if __name__ == '__main__':
    main()
