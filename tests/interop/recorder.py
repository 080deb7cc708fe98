#!/usr/bin/python3
# gst-tsrec: runs one launch line and says on its output what the bus said
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: recorder.py LAUNCH-LINE

Prints one JSON object a line: {"time", "type", "src", "name", "fields"}.
Reads commands, one a line: "stats ELEMENT" prints its property `stats`,
"set ELEMENT PROPERTY VALUE", "usage" prints threads, descriptors and memory
(resident, and what is allocated and not freed), "eos" ends the recording. Ends
after EOS or an error, by status 0 or 1.
"""

import ctypes
import gc
import json
import os
import sys
import time

import gi
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402


def say(**line):
    sys.stdout.write(json.dumps({'time': time.time(), **line}) + '\n')
    sys.stdout.flush()


def plain(value):
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, Gst.Structure):
        return fields_of(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    try:
        return value.to_string()
    except (AttributeError, TypeError):
        return str(value)


def fields_of(structure):
    fields = {}
    for index in range(structure.n_fields()):
        name = structure.nth_field_name(index)
        try:
            fields[name] = plain(structure.get_value(name))
        except TypeError:
            fields[name] = None
    return fields


class MallInfo(ctypes.Structure):
    """struct mallinfo2 of glibc."""
    _fields_ = [(name, ctypes.c_size_t) for name in (
        'arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks', 'fsmblks', 'uordblks',
        'fordblks', 'keepcost')]


def allocated():
    """Bytes that malloc has given out and not got back. Exact only with
    processes.EXACT_MALLOC."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = MallInfo
    info = mallinfo2()
    return info.uordblks + info.hblkhd


def usage():
    gc.collect()
    with open('/proc/self/status', encoding='ascii', errors='replace') as status:
        lines = dict(line.split(':', 1) for line in status)
    return {'threads': int(lines['Threads']),
            'descriptors': len(os.listdir('/proc/self/fd')),
            'rss': int(lines['VmRSS'].split()[0]) * 1024,
            'allocated': allocated()}


class Recorder:
    def __init__(self, launch):
        self.loop = GLib.MainLoop()
        self.status = 0
        self.input = ''       # of a command, as far as it has come
        self.pipeline = Gst.parse_launch(launch)
        bus = self.pipeline.get_bus()
        bus.add_watch(GLib.PRIORITY_HIGH, self.on_message)

    def on_message(self, _bus, message):
        kind = message.type
        source = message.src.get_name() if message.src else ''
        if kind == Gst.MessageType.ELEMENT:
            structure = message.get_structure()
            if structure and structure.get_name().startswith(('rec', 'tsrec')):
                say(type='element', src=source, name=structure.get_name(),
                    fields=fields_of(structure))
        elif kind == Gst.MessageType.WARNING:
            error, debug = message.parse_warning()
            say(type='warning', src=source, name=error.message, fields={'debug': debug})
        elif kind == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            say(type='error', src=source, name=error.message, fields={'debug': debug})
            self.status = 1
            self.loop.quit()
        elif kind == Gst.MessageType.EOS:
            say(type='eos', src=source, name='eos', fields={})
            self.loop.quit()
        elif kind == Gst.MessageType.STATE_CHANGED and message.src is self.pipeline:
            say(type='state', src=source, name=message.parse_state_changed()[1].value_nick,
                fields={})
        return True

    def obey(self, line):
        words = line.split()
        if words[:1] == ['stats']:
            element = self.pipeline.get_by_name(words[1])
            say(type='stats', src=words[1], name='stats',
                fields=fields_of(element.get_property('stats')))
        elif words[:1] == ['set']:
            Gst.util_set_object_arg(self.pipeline.get_by_name(words[1]), words[2],
                                    ' '.join(words[3:]))
        elif words[:1] == ['usage']:
            say(type='usage', src='', name='usage', fields=usage())
        elif words[:1] == ['eos']:
            self.pipeline.send_event(Gst.Event.new_eos())

    def on_input(self, *_):
        """One callback for all commands: each that is made leaks 16 bytes."""
        text = os.read(sys.stdin.fileno(), 65536).decode()
        *lines, self.input = (self.input + text).split('\n')
        for line in lines:
            self.obey(line)
        if not text:
            self.loop.quit()
        return bool(text)

    def run(self):
        GLib.io_add_watch(GLib.IOChannel.unix_new(sys.stdin.fileno()), GLib.PRIORITY_DEFAULT,
                          GLib.IOCondition.IN | GLib.IOCondition.HUP, self.on_input)
        if self.pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            self.status = 1
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        say(type='ended', src='', name='ended', fields={'status': self.status})
        return self.status


if __name__ == '__main__':
    Gst.init(None)
    sys.exit(Recorder(sys.argv[1]).run())
