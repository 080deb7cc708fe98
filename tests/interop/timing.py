# gst-tsrec: scenarios in which everything arrives, at the wrong time
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recording follows the RTP timestamps: whatever the network did to their
arrival, pictures keep their distance, and sound stays with them.
"""

import os
import signal
import time

import judge
from relay import Weather
from stage import OFFSET, is_overloaded, scenario

# Of a picture against the time written in it. Chromium stamps a picture when
# it is captured, up to a tick of the page's clock after it is drawn.
PLACE = 0.12


def sender_errs(stage):
    """A browser that gets no processor time stamps pictures hundreds of ms away
    from when they were drawn, and its reports agree. The recording is right when
    it follows these timestamps, each of them."""
    good = stage.result.verdict.good
    times = [ts for relay in stage.proxy.relays for _, ts in relay.units_of('video')]
    errors = [pts - ms / 1000 for pts, _, ms in good]
    errs = bool(times) and max(errors) - min(errors) > PLACE and judge.follows_rtp(
        good, judge.unwrap_rtp(times, 90000))
    if errs:
        stage.result.notes.append('the timestamps of the sender are '
                                  f'{(max(errors) - min(errors)) * 1000:.0f} ms off')
    return errs


def expect_places(stage, share=0.95):
    """This share of the pictures is where the time in them says."""
    v = stage.result.verdict
    errors = sorted(abs(pts - ms / 1000 - v.time_shift) for pts, _, ms in v.good)
    if not errors:
        stage.result.check(False, 'there is no readable picture')
        return
    at = errors[min(len(errors) - 1, int(share * len(errors)))]
    stage.result.notes.append(f'{share:.0%} of the pictures within {at * 1000:.0f} ms of their '
                              f'place, the worst {errors[-1] * 1000:.0f} ms')
    stage.result.check(at <= PLACE or sender_errs(stage),
                       f'{share:.0%} of the pictures are within {at * 1000:.0f} ms '
                       'of their place only')


def expect_every_offset(stage):
    """No beep is away from its picture."""
    offsets = [(round(at, 1), round(offset * 1000)) for at, offset in stage.result.verdict.offsets]
    away = [(at, ms) for at, ms in offsets if abs(ms) > OFFSET * 1000]
    stage.result.notes.append(f'offsets (s, ms): {offsets}')
    if away and sender_errs(stage):
        away = [(at, ms) for at, ms in sound_errors(stage) if abs(ms) > OFFSET * 1000]
    stage.result.check(offsets and not away, f'A/V offset at (s, ms): {away}')


def sound_errors(stage):
    """The offsets without what is the fault of the pictures, against the beep
    that is nearest to its picture."""
    good = sorted(stage.result.verdict.good)
    found = []
    for at, offset in stage.result.verdict.offsets:
        pts, _, ms = min(good, key=lambda picture: abs(picture[0] - at))
        found.append((at, offset, pts - ms / 1000))
    _, _, error = min(found, key=lambda f: abs(f[1]))
    return [(round(at, 1), round((offset + e - error) * 1000))
            for at, offset, e in found]


def finish(stage, stats):
    stage.leave()
    stage.finish()
    counts = {k: stats.get(k) for k in ('clock-steps', 'socket-drops', 'video-rtp-late',
                                        'video-timestamps-corrected',
                                        'audio-timestamps-corrected')}
    stage.result.notes.append(f'{counts}')
    expect_every_offset(stage)
    expect_places(stage)
    if not is_overloaded():
        stage.result.check(not counts['video-timestamps-corrected'],
                           f"{counts['video-timestamps-corrected']} times of pictures corrected")


# --- a network that holds everything back, and then lets go of it in order

def held(stage, seconds):
    stage.record()
    stage.publish()
    stage.run(18, (8, lambda: stage.proxy.relay.hold(seconds)))
    stats = stage.recorder.stats()
    finish(stage, stats)
    stage.expect_pictures(('connected', 500), ('8', -300))
    stage.expect_pictures(('8', 1000 * seconds + 1500), ('end', -500))


@scenario('held-half-a-second', group='timing')
def held_half(stage):
    held(stage, 0.5)


@scenario('held-1.2-s', group='timing', short=True)
def held_1(stage):
    held(stage, 1.2)


@scenario('held-3-s', group='timing')
def held_3(stage):
    held(stage, 3)


@scenario('burst-at-the-start', group='timing')
def burst(stage):
    """The first 2.5 s of media arrive at once."""
    stage.record()
    stage.proxy.hold_media = 2.5
    stage.publish()
    stage.run(14)
    stats = stage.recorder.stats()
    finish(stage, stats)
    stage.expect_pictures(('connected', 4500), ('end', -500))


@scenario('recorder-stopped-2-s', group='timing')
def recorder_stopped(stage):
    """SIGSTOP, and the packets that the kernel keeps."""
    stage.record()
    process = stage.recorder.process
    stage.publish()
    stage.run(16, (7, lambda: os.kill(process.pid, signal.SIGSTOP)),
              (9, lambda: os.kill(process.pid, signal.SIGCONT)))
    stats = stage.recorder.stats()
    finish(stage, stats)
    stage.expect_pictures(('connected', 500), ('7', -300))
    stage.expect_pictures(('9', 1500), ('end', -500))


# --- jitter

@scenario('jitter-80-ms', group='timing')
def jitter_80(stage):
    stage.record()
    stage.publish()
    stage.proxy.relay.set(Weather(jitter=0.08), Weather())
    stage.run(14)
    stats = stage.recorder.stats()
    stage.proxy.relay.set()
    finish(stage, stats)


# --- key frames that are larger than the kernel's receive buffer by default

# Default limit of Linux for a socket, in packets of this size.
DEFAULT_BUFFER_PACKETS = 100


@scenario('large-key-frames', group='timing')
def large_key_frames(stage):
    """The network delivers 1.5 s of packets at once, before one of them is read."""
    stage.record()
    process = stage.recorder.process
    stage.publish()
    stage.do('size', 1280, 720)
    for _ in range(3):
        stage.run(3)
        stage.proxy.relay.hold(1.5)
        time.sleep(1.3)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(process.pid, signal.SIGCONT)
    stats = stage.recorder.stats()
    stage.leave()
    stage.finish()
    largest = max(stage.proxy.relay.bursts(0.2))
    stage.result.notes.append(f'largest burst: {largest} packets')
    stage.result.check(largest > DEFAULT_BUFFER_PACKETS, f'the largest burst was of {largest} packets')
    stage.result.check(stats['socket-buffer'] > 0, 'no receive buffer was asked for')
    stage.result.check(not stats['socket-drops'], f"the kernel dropped {stats['socket-drops']}")
    expect_places(stage)
