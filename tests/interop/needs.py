# gst-tsrec: says which Debian package a test is missing
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import importlib.util
import shutil
import subprocess
import sys

MODULES = {'numpy': 'python3-numpy', 'av': 'python3-av', 'aiortc': 'python3-aiortc',
           'aiohttp': 'python3-aiohttp', 'gi': 'python3-gi'}
COMMANDS = {'ffmpeg': 'ffmpeg', 'ffprobe': 'ffmpeg', 'chromium': 'chromium',
            'ip': 'iproute2', 'unshare': 'util-linux'}
SKIP = 77


def skip(reason):
    print('SKIP: ' + reason, flush=True)
    sys.exit(SKIP)


def modules(*names):
    for name in names:
        if not importlib.util.find_spec(name):
            skip(f'the Python module {name} is not there (Debian package {MODULES[name]})')


def commands(*names):
    for name in names:
        if not shutil.which(name):
            skip(f'{name} is not installed (Debian package {COMMANDS[name]})')


def namespaces():
    """Whether this user may make the namespaces that everything runs in."""
    done = subprocess.run(namespace_command() + ['true'], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        skip('no network and PID namespace of its own: ' + done.stderr.strip() +
             ' (needs root or unprivileged user namespaces)')


def namespace_command():
    import os
    mapped = [] if os.geteuid() == 0 else ['--map-root-user']
    return ['unshare', *mapped, '--net', '--pid', '--fork', '--mount-proc',
            '--kill-child=SIGKILL', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
