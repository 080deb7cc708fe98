# gst-tsrec: what WebRTC sessions may leave behind in the process that records
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bounds for a recorder that runs with processes.EXACT_MALLOC."""

# GnuTLS before 3.8 keeps the state of its random numbers (176 bytes and a list
# entry) for every thread that ever asked for some, and libnice asks in one or
# two threads of a session (docs/results/webrtc.md): 224 or 448 bytes. Nothing else may
# stay allocated.
ALLOCATED = 512
# Free memory in between, which cannot be returned to the system.
RESIDENT = 2048
THREADS = 2
DESCRIPTORS = 5


def of_sessions(usage):
    """Sentences about what grows. usage: what a recorder said at rest
    (Recorder.usage_at_rest), each with the number of `sessions` so far; the
    first of them is when everything has settled."""
    if len(usage) < 2:
        return []
    first, last = usage[0], usage[-1]
    sessions = last['sessions'] - first['sessions']
    found = []
    for what, bound in (('allocated', ALLOCATED), ('rss', RESIDENT)):
        grown = (last[what] - first[what]) / sessions
        if grown > bound:
            found.append(f'{what}: {grown:.0f} bytes more for every session, {first} to {last}')
    for what, bound in (('threads', THREADS), ('descriptors', DESCRIPTORS)):
        if last[what] > first[what] + bound:
            found.append(f'{what} grow: {first} to {last}')
    return found
