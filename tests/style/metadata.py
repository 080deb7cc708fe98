#!/usr/bin/python3
# gst-tsrec: the metadata of our elements is complete
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every element has complete metadata, every pad template is documented by
caps, and every property has a blurb that says its unit where it is a quantity.
"""

import json
import os
import re
import subprocess
import sys
import unittest

try:
    import gi
    gi.require_version('Gst', '1.0')
    from gi.repository import GObject, Gst
except (ImportError, ValueError) as error:
    print(f'SKIP: {error} (Debian packages python3-gi, gir1.2-gstreamer-1.0)')
    sys.exit(77)

BUILD_DIR = os.environ['REC_BUILD_DIR']
PLUGINS = ('tsrec', 'recwebrtc', 'recserver')
# A service, which has no pads.
PADLESS = ('recserver',)

# A number that a person sets is in a unit, or is a count, a number of a port
# or of a field of the standard: the blurb says which.
UNITS = re.compile(
    r'\b(ns|nanoseconds?|us|µs|microseconds?|ms|milliseconds?|seconds?|hours?|'
    r'days?|bytes?|KiB|MiB|GiB|bits?|bits?/s|kbit/s|Mbit/s|frames?|packets?|'
    r'buffers?|files?|fragments?|entries|times|attempts|retries|ticks?|'
    r'percent|%|ratio|Hz|kHz|port|PID|ids?|id|number|version|count|index|'
    r'identifier|mode|stream_type|type|access units?|sessions?|tracks?|messages?|lines?)\b', re.I)
NUMBERS = ('gint', 'guint', 'gint64', 'guint64', 'glong', 'gulong', 'gfloat',
           'gdouble')


def our_factories():
    registry = Gst.Registry.get()
    for name in PLUGINS:
        plugin = registry.find_plugin(name)
        if plugin is None:
            continue
        for feature in registry.get_feature_list_by_plugin(name):
            if isinstance(feature, Gst.ElementFactory):
                yield plugin, feature


class Metadata(unittest.TestCase):
    def test_there_are_elements_and_they_were_built_here(self):
        found = list(our_factories())
        self.assertTrue(found, 'no element of ours was found')
        for plugin, factory in found:
            self.assertTrue(
                plugin.get_filename().startswith(BUILD_DIR),
                f'{factory.get_name()} comes from {plugin.get_filename()}')

    def test_they_are_installed_where_gstreamer_looks(self):
        said = subprocess.run(['meson', 'introspect', '--installed', BUILD_DIR],
                              capture_output=True, text=True, check=True).stdout
        chosen = subprocess.run(['pkg-config', '--variable=pluginsdir', 'gstreamer-1.0'],
                                capture_output=True, text=True, check=True).stdout.strip()
        plugins = {os.path.basename(source): os.path.dirname(target)
                   for source, target in json.loads(said).items()
                   if os.path.basename(source).startswith('libgst')}
        self.assertIn('libgsttsrec.so', plugins)
        self.assertEqual(set(plugins.values()), {chosen})

    def test_metadata_is_complete(self):
        for _, factory in our_factories():
            for key in ('long-name', 'klass', 'description', 'author'):
                value = factory.get_metadata(key)
                with self.subTest(element=factory.get_name(), key=key):
                    self.assertTrue(value and value.strip())
            author = factory.get_metadata('author')
            with self.subTest(element=factory.get_name()):
                self.assertGreater(len(factory.get_metadata('description')), 20)
                self.assertNotIn('FIXME', author)

    def test_there_is_a_pad_template(self):
        for _, factory in our_factories():
            with self.subTest(element=factory.get_name()):
                self.assertEqual(bool(factory.get_static_pad_templates()), factory.get_name() not in PADLESS)

    def test_every_property_says_what_it_is_in_which_unit(self):
        for _, factory in our_factories():
            element = factory.create(None)
            self.assertIsNotNone(element, factory.get_name())
            bases = own_bases(element)
            for spec in element.list_properties():
                if spec.owner_type not in bases:
                    continue
                where = f'{factory.get_name()}: {spec.name}'
                with self.subTest(property=where):
                    blurb = (spec.blurb or '').strip()
                    self.assertGreater(len(blurb), 10, f'blurb: "{blurb}"')
                    self.assertNotEqual(blurb, spec.nick)
                    if spec.value_type.name in NUMBERS:
                        self.assertRegex(blurb, UNITS, 'says no unit')


def own_bases(element):
    """The types of the element that are ours, not GStreamer's."""
    bases = []
    gtype = element.__gtype__
    while gtype.name not in ('GstElement', 'GstBin', 'GstBaseSink', 'GstBaseSrc',
                             'GstBaseTransform', 'GstPushSrc', 'GObject'):
        bases.append(gtype)
        gtype = GObject.type_parent(gtype)
    return bases


if __name__ == '__main__':
    Gst.init(None)
    unittest.main(verbosity=1)
