# gst-tsrec: the version of this tree, for the scripts in Python
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import re

LIB = os.path.dirname(os.path.realpath(__file__))
MESON = os.path.join(LIB, '..', '..', 'meson.build')


def version():
    """Returns the same text that `version` of setup.bash prints."""
    with open(MESON, encoding='utf-8') as file:
        return 'gst-tsrec ' + re.search(r"^  version : '(.*)',", file.read(), re.M)[1]
