# gst-tsrec: what browsers and networks do to a recorder, and what must come of it
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import statistics
import subprocess
import time

import numpy as np

import processes
from relay import Weather
from stage import LATENCY, OFFSET, scenario


def undisturbed(stage, *kinds):
    """What holds in nearly every scenario."""
    stage.finish()
    stage.expect_no_stall(*kinds)


# --- a clean network

@scenario('clean', short=True)
def clean(stage):
    stage.record()
    stage.publish()
    stage.run(21)
    stats = stage.recorder.stats()
    stage.leave()
    undisturbed(stage, 'video', 'audio')
    stage.expect_codecs('H264', 'OPUS')
    stage.expect_pictures(('connected', 500), ('connected', 20500))
    stage.expect_offset()
    stage.expect_first_byte()
    stage.expect_beeps(21)
    check_stats(stage, stats)


def check_stats(stage, stats):
    """Against what the relay delivered until then."""
    result, sent = stage.result, stage.page['sent']
    arrived = {k: len(stage.proxy.relay.times_of(k)) for k in ('video', 'audio')}
    result.notes.append(f'stats: {stats}')
    result.notes.append(f'browser: {sent}; relay: {arrived}')
    for kind, count in arrived.items():
        received = stats.get(kind + '-rtp-received', 0)
        slack = 0.05 * count + 20 + stats.get(kind + '-rtp-retransmitted', 0)
        result.check(abs(received - count) <= slack,
                     f'stats say {received} packets of {kind}, {count} arrived')
    result.check(stats.get('keyframe-requests', 0) >= 1, 'no key frame was asked for')


@scenario('audio-only')
def audio_only(stage):
    stage.record()
    stage.publish(video=False)
    stage.run(8)
    stage.leave()
    undisturbed(stage, 'audio')
    stage.expect_codecs(None, 'OPUS')
    stage.expect_beeps(8)
    stage.expect_first_byte()
    stage.result.check('video' not in stage.result.verdict.codecs, 'there is video in the file')


@scenario('video-only')
def video_only(stage):
    stage.record()
    stage.publish(audio=False)
    stage.run(9)
    stage.leave()
    undisturbed(stage, 'video')
    stage.expect_codecs('H264', None)
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.expect_first_byte()
    stage.result.check('audio' not in stage.result.verdict.codecs, 'there is audio in the file')


# --- tracks that pause, start late, change

@scenario('video-5s-late')
def video_late(stage):
    stage.record()
    stage.publish(videoLate=True)
    stage.run(13, (5, ('replace', 'video', True)))
    stage.leave()
    undisturbed(stage, 'audio')
    stage.expect_pictures(('5', 800), ('end', -500))
    stage.expect_offset()
    stage.expect_first_byte()
    stage.expect_beeps(13)


@scenario('video-disabled')
def video_disabled(stage):
    stage.record()
    stage.publish()
    stage.run(12, (4, ('enable', 'video', False)), (8, ('enable', 'video', True)))
    stage.leave()
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('4', -100))
    stage.expect_pictures(('8', 300), ('end', -500))
    stage.expect_offset()
    black = stage.result.verdict.black
    stage.result.check(black >= 80, f'{black} black pictures in 4 s')


@scenario('audio-disabled')
def audio_disabled(stage):
    stage.record()
    stage.publish()
    stage.run(12, (4, ('enable', 'audio', False)), (8, ('enable', 'audio', True)))
    stage.leave()
    undisturbed(stage, 'video', 'audio')
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.expect_offset()
    stage.expect_beeps(8)
    stage.expect_no_hole('audio')


def paused_video(stage, off, on):
    stage.record()
    stage.publish()
    stage.run(13, (4, off), (8, on))
    stage.leave()
    undisturbed(stage, 'audio')
    stage.expect_pictures(('connected', 500), ('4', -100))
    stage.expect_pictures(('8', 600), ('end', -500))
    stage.expect_offset()
    stage.expect_beeps(13)
    stage.expect_no_hole('audio')


@scenario('video-replaced-null')
def video_replaced(stage):
    paused_video(stage, ('replace', 'video', False), ('replace', 'video', True))


@scenario('video-encoding-inactive')
def video_inactive(stage):
    paused_video(stage, ('encoding', {'active': False}), ('encoding', {'active': True}))


@scenario('video-frozen')
def video_frozen(stage):
    paused_video(stage, ('freeze', True), ('freeze', False))


@scenario('audio-replaced-null')
def audio_replaced(stage):
    stage.record()
    stage.publish()
    stage.run(13, (4, ('replace', 'audio', False)), (8, ('replace', 'audio', True)))
    stage.leave()
    undisturbed(stage, 'video')
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.expect_offset()
    stage.expect_no_hole('video')
    stage.expect_beeps(9)


@scenario('video-stopped')
def video_stopped(stage):
    stage.record()
    stage.publish()
    stage.run(14, (4, ('stopTrack', 'video')))
    stage.leave()
    undisturbed(stage, 'audio')
    stage.expect_pictures(('connected', 500), ('4', -100))
    stage.expect_beeps(14)
    stage.expect_no_hole('audio')


@scenario('scaled')
def scaled(stage):
    stage.record()
    stage.publish()
    stage.run(13, (4, ('encoding', {'scaleResolutionDownBy': 2})),
              (8, ('encoding', {'scaleResolutionDownBy': 1})))
    stage.leave()
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('end', -500), share=0.95)
    stage.expect_offset()
    sizes = stage.result.verdict.sizes
    stage.result.check((320, 180) in sizes and sizes[-1] == (640, 360), f'sizes: {sizes}')


@scenario('rotated')
def rotated(stage):
    stage.record()
    stage.publish()
    stage.run(13, (4, ('size', 360, 640)), (8, ('size', 640, 360)))
    stage.leave()
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('end', -500), share=0.95)
    stage.expect_offset()
    sizes = stage.result.verdict.sizes
    stage.result.check(sizes == [(640, 360), (360, 640), (640, 360)], f'sizes: {sizes}')


# --- the end of a session

@scenario('closed')
def closed(stage):
    stage.record()
    stage.publish()
    stage.run(7)
    before = time.time()
    stage.do('close')
    end = stage.wait_end('closed', 5)
    if end:
        stage.result.check(end['time'] - before < 1.5,
                           f"noticed after {end['time'] - before:.1f} s")
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.expect_offset()


def vanished(stage, vanish):
    stage.record()
    stage.publish()
    stage.run(7)
    before = time.time()
    vanish()
    end = stage.wait_end('timeout', 16)
    if end:
        took = end['time'] - before
        stage.result.check(9 <= took <= 13, f'noticed after {took:.1f} s, peer-timeout is 10 s')
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.expect_offset()


@scenario('browser-killed')
def browser_killed(stage):
    vanished(stage, stage.kill_browser)


HOLE = Weather(hole=True)


@scenario('black-hole-for-good')
def hole_for_good(stage):
    vanished(stage, lambda: stage.proxy.relay.set(HOLE, HOLE))


@scenario('on-disconnect-eos')
def disconnect_eos(stage):
    stage.record(whip='on-disconnect=eos')
    stage.publish()
    stage.run(5)
    stage.leave()
    try:
        stage.recorder.wait_for(5, type='eos')
    except TimeoutError:
        stage.result.check(False, 'no EOS after the peer left')
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('end', -500))


# --- several streams of one track

@scenario('simulcast-of-ssrcs')
def simulcast_of_ssrcs(stage):
    """Layers without an announcement: one is recorded."""
    stage.record()
    stage.publish(layers=True)
    stage.run(10)
    stats = stage.recorder.stats()
    stage.leave()
    undisturbed(stage, 'audio')
    stage.expect_codecs('H264', 'OPUS')
    stage.result.notes.append(f'sizes: {stage.result.verdict.sizes}; stats: {stats}')
    stage.result.check(len(stage.recorder.sessions) == 1, 'there was more than one session')
    stage.result.check(stats.get('rtp-ignored', 0) > 0, 'there was one stream only')
    stage.expect_pictures(('connected', 3000), ('end', -500), share=0.8)
    stage.expect_beeps(10)


# --- reconnecting into the same file

def check_reconnected(stage):
    undisturbed(stage, 'audio', 'video')
    count = len(stage.recorder.sessions)
    stage.result.check(count == 2, f'{count} recwhip-connected for 2 sessions')
    stage.expect_codecs('H264', 'OPUS')
    stage.expect_offset()


@scenario('reconnect')
def reconnect(stage):
    stage.record()
    stage.publish()
    stage.run(6)
    stage.leave()
    for clock in (stage.marks, stage.walls):
        clock['first'], clock['left'] = clock['connected'], clock['end']
    time.sleep(2)
    stage.publish()
    stage.run(7)
    stage.leave()
    check_reconnected(stage)
    stage.expect_pictures(('first', 500), ('left', -500))
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.result.check(stage.result.verdict.holes('video', 1.5), 'no gap where nobody published')


@scenario('killed-and-reconnect')
def killed_reconnect(stage):
    stage.record(whip='peer-timeout=3000000000')
    stage.publish()
    stage.run(5)
    stage.kill_browser()
    stage.wait_end('timeout', 8)
    stage.browser = None
    stage.drawn.clear()
    stage.heard.clear()
    stage.publish()
    stage.run(7)
    stage.leave()
    check_reconnected(stage)
    stage.expect_pictures(('connected', 500), ('end', -500))


# --- bad networks

def bad_network(stage, weather, down, share, seconds=21):
    stage.record()
    stage.publish()
    stage.proxy.relay.set(weather, down)
    stage.run(seconds)
    stats = stage.recorder.stats()
    stage.proxy.relay.set()
    stage.leave()
    stage.finish()
    stage.result.check(not stage.result.verdict.damaged,
                       f'{stage.result.verdict.damaged} damaged pictures recorded')
    stage.expect_pictures(('connected', 500), ('end', -500), of_arrived=share)
    stage.expect_offset()
    check_stats(stage, stats)
    _, _, answer = stage.proxy.offers[0]
    stage.result.check(' nack\r' in answer and ' rtx/' in answer,
                       'the answer offers no retransmission')
    if weather.loss:
        sent = stage.page['sent']
        stage.result.check(stats['audio-rtp-lost'] > 0, 'the stats know of no lost packet')
        stage.result.check(sent['video']['nack'], 'no lost packet of the video was asked for again')
        stage.result.check(not sent['audio']['nack'], 'lost packets of the audio were asked for again')
    return stats


@scenario('loss-2-percent', short=True)
def loss_2(stage):
    bad_network(stage, Weather(loss=0.02, delay=0.02), Weather(loss=0.02, delay=0.02), share=0.75)


@scenario('loss-10-percent')
def loss_10(stage):
    bad_network(stage, Weather(loss=0.1, delay=0.02), Weather(loss=0.1, delay=0.02), share=0.4)


@scenario('jitter-100-ms')
def jitter(stage):
    bad_network(stage, Weather(jitter=0.1), Weather(jitter=0.1), share=0.9)
    stage.expect_no_stall('audio', latency=LATENCY + 0.1)


@scenario('rate-300-kbps')
def rate_300(stage):
    """At full quality, then 300 kb/s for 8 s, then free again."""
    stage.record()
    stage.publish()
    stage.run(26, (8, lambda: stage.proxy.relay.set(Weather(rate=300e3, delay=0.02),
                                                    Weather(delay=0.02))),
              (16, lambda: stage.proxy.relay.set()))
    stage.result.notes.append(f'stats: {stage.recorder.stats()}')
    stage.leave()
    stage.finish()
    stage.result.check(not stage.result.verdict.damaged,
                       f'{stage.result.verdict.damaged} damaged pictures recorded')
    stage.expect_pictures(('connected', 500), ('8', -200))
    # 300 kb/s for video and audio: what waits in the network's queue comes late.
    stage.expect_pictures(('16', 4000), ('end', -500))
    stage.expect_offset()
    stage.result.notes.append(f'sizes: {stage.result.verdict.sizes}')


@scenario('black-hole-3-s')
def hole_3(stage):
    stage.record()
    stage.publish()
    stage.run(15, (5, lambda: stage.proxy.relay.set(HOLE, HOLE)),
              (8, lambda: stage.proxy.relay.set()))
    stage.result.check(not stage.recorder.ends, 'the session was ended')
    stage.leave()
    stage.finish()
    stage.result.check(not stage.result.verdict.damaged,
                       f'{stage.result.verdict.damaged} damaged pictures recorded')
    stage.expect_pictures(('connected', 500), ('5', -300))
    stage.expect_pictures(('8', 2000), ('end', -500))
    stage.expect_offset()


@scenario('ice-restart', short=True)
def ice_restart(stage):
    """The media moves to another way without a picture lost."""
    stage.record()
    stage.publish()
    moved = []
    stage.run(11, (5, lambda: moved.append(stage.do('restartIce'))),
              (7, lambda: stage.proxy.relays[0].set(HOLE, HOLE)))
    check_restarted(stage, moved[0])
    stage.leave()
    undisturbed(stage, 'audio', 'video')
    stage.expect_pictures(('connected', 500), ('end', -500))
    stage.expect_offset()


@scenario('ice-restart-after-loss')
def ice_restart_after_loss(stage):
    """The old way is gone before the new one is found."""
    stage.record()
    stage.publish()
    moved = []
    stage.run(13, (4, lambda: stage.proxy.relays[0].set(HOLE, HOLE)),
              (6, lambda: moved.append(stage.do('restartIce'))))
    check_restarted(stage, moved[0])
    stage.leave()
    stage.finish()
    stage.result.check(not stage.result.verdict.damaged,
                       f'{stage.result.verdict.damaged} damaged pictures recorded')
    stage.expect_pictures(('connected', 500), ('4', -300))
    stage.expect_pictures(('6', 3000), ('end', -500))
    stage.expect_offset()


def check_restarted(stage, moved):
    result = stage.result
    before, after = moved['before'], moved['after']
    result.check(before['local'] != after['local'] and before['remote'] != after['remote'],
                 f'the credentials have not changed: {moved}')
    result.check(len(stage.proxy.relays) == 2, 'there was no second way')
    result.check(len(stage.proxy.relays[-1].times_of('video')) > 100, 'the second way was not used')
    result.check(len(stage.recorder.sessions) == 1 and not stage.recorder.ends,
                 'the session was ended')


# --- other clients

def other_client(stage, arguments, weather=None, video='H264', offset=OFFSET, seconds=12):
    """A client in a process of its own that draws the same pattern. Returns what
    the recorder counted. Stalls are for the short ones: in minutes, a busy
    machine has one of its own."""
    stage.record()
    client = processes.JsonProcess([processes.PYTHON, *arguments], stage.folder / 'client.log')
    try:
        connected = client.wait_for(25, type='connected')
        if weather:
            stage.proxy.relay.set(weather, weather)
        drawn = client.wait_for(seconds + 28, type='drawn')
        stats = stage.recorder.stats()
        stage.result.notes.append(f'stats: {stats}')
        stage.proxy.relay.set()
        stage.marks = {'connected': connected['clock'], 'end': drawn['clock']}
        stage.walls = {'connected': connected['time'], 'end': drawn['time']}
        stage.drawn = {n: ms for n, ms in drawn['drawn']}
        deleted = client.wait_for(10, type='deleted')
        stage.result.check(deleted['name'] in ('200', '204'),
                           f"DELETE was answered {deleted['name']}")
        stage.wait_end('delete')
    finally:
        client.process.kill()
        client.process.wait()
    stage.finish()
    stage.expect_codecs(video, 'OPUS')
    stage.expect_offset(offset)
    if weather:
        stage.result.check(stats['keyframe-requests'] > 1, 'no key frame was asked for')
        stage.result.check(not stage.result.verdict.damaged, 'damaged pictures recorded')
        stage.expect_pictures(('connected', 1000), ('end', -500), of_arrived=0.5)
        return stats
    if seconds < 60:
        stage.expect_no_stall('audio', 'video')
    stage.expect_pictures(('connected', 1000), ('end', -500))
    stage.expect_beeps(seconds - 2)
    return stats


@scenario('aiortc', group='aiortc', short=True)
def aiortc(stage):
    other_client(stage, [str(processes.HERE / 'aiortc_client.py'), stage.proxy.url + '/whip',
                         '--seconds', '12'])


@scenario('aiortc-loss-5-percent', group='aiortc')
def aiortc_loss(stage):
    other_client(stage, [str(processes.HERE / 'aiortc_client.py'), stage.proxy.url + '/whip',
                         '--seconds', '16'], Weather(loss=0.05, delay=0.02))


# --- clocks that do not agree

# A good clock is off by 50 ppm at most, so that what these scenarios let it run
# away in seconds or minutes, it takes hours for: 1.2 s are 6 h 40 min at 50 ppm.

def drift(stage, seconds, clock_ppm=0, sound_ppm=0):
    """The sender's clock runs fast, or the clock of its sound card does."""
    other_client(
        stage, [str(processes.HERE / 'aiortc_client.py'), stage.proxy.url + '/whip',
                '--seconds', str(seconds), '--clock-ppm', str(clock_ppm),
                '--sound-ppm', str(sound_ppm)], seconds=seconds)
    result, offsets = stage.result, [o for _, o in stage.result.verdict.offsets]
    if not offsets:
        return        # expect_offset() has said so
    part = max(1, len(offsets) // 5)
    first, last = statistics.median(offsets[:part]), statistics.median(offsets[-part:])
    away = seconds * (clock_ppm + sound_ppm) / 1e6
    result.notes.append(
        f'A/V offset {first * 1000:.0f} ms at the start, {last * 1000:.0f} ms at the end; the '
        f'clock has run away by {away * 1000:.0f} ms')
    result.check(abs(last - first) <= 0.05,
                 f'A/V offset {first * 1000:.0f} ms at the start, {last * 1000:.0f} ms at the end')


@scenario('clock-drift', group='aiortc')
def clock_drift(stage):
    drift(stage, 60, clock_ppm=5000)


@scenario('sound-card-drift', group='aiortc')
def sound_card_drift(stage):
    drift(stage, 60, sound_ppm=5000)


@scenario('clock-drift-hours', group='aiortc', long=True)
def clock_drift_hours(stage):
    drift(stage, 300, clock_ppm=4000)


@scenario('sound-card-drift-hours', group='aiortc', long=True)
def sound_card_drift_hours(stage):
    drift(stage, 300, sound_ppm=4000)


# --- and more clients

@scenario('like-ffmpeg', group='aiortc')
def like_ffmpeg(stage):
    other_client(stage, [str(processes.HERE / 'aiortc_client.py'), stage.proxy.url + '/whip',
                         '--seconds', '12', '--like', 'ffmpeg'])


@scenario('ice-lite', group='aiortc')
def ice_lite(stage):
    """A publisher that makes no checks. Over udp-port the recorder makes none
    either, and says so."""
    arguments = [str(processes.HERE / 'aiortc_client.py'), stage.proxy.url + '/whip',
                 '--seconds', '8', '--like', 'lite']
    if os.environ.get('REC_UDP_PORT', '0') == '0':
        other_client(stage, arguments, seconds=8)
        return
    stage.record()
    client = processes.JsonProcess([processes.PYTHON, *arguments], stage.folder / 'client.log')
    client.end(20)
    said = client.tail()
    stage.result.check('POST was answered 422' in said and 'ICE-lite' in said, said)


@scenario('recwhipsink', group='gst')
def recwhipsink(stage):
    other_client(stage, [str(processes.HERE / 'gst_client.py'), stage.proxy.url + '/whip', '12'])


# --- what the answer has to ask for

@scenario('stereo')
def stereo(stage):
    """Beeps on the left only: Chromium mixes both channels unless it is asked not to."""
    stage.record()
    stage.publish(left=True)
    stage.run(8)
    stage.leave()
    undisturbed(stage, 'video', 'audio')
    stage.expect_beeps(8)
    left, right = channel_levels(stage.recorder.file)
    stage.result.notes.append(f'left {left:.0f}, right {right:.0f}')
    stage.result.check(left > 100 and right < 0.1 * left,
                       f'the right channel is not silent: {right:.0f} beside {left:.0f}')


def channel_levels(path):
    """Root mean square of both channels."""
    samples = subprocess.run(
        ['ffmpeg', '-v', 'quiet', '-i', path, '-map', '0:a', '-ac', '2', '-f', 's16le', '-'],
        capture_output=True, check=True).stdout
    return np.sqrt(np.mean(np.frombuffer(samples, np.int16).reshape(-1, 2).astype(float) ** 2, 0))


@scenario('simulcast')
def simulcast(stage):
    """Three layers, the smallest first: the largest that Chromium sends is recorded."""
    stage.record()
    stage.publish(size=[960, 540],
                  encodings=[{'rid': 'l', 'scaleResolutionDownBy': 4, 'maxBitrate': 100000},
                             {'rid': 'm', 'scaleResolutionDownBy': 2, 'maxBitrate': 300000},
                             {'rid': 'h', 'maxBitrate': 900000}])
    stage.run(15)
    sent = {layer: stage.page['sent'].get('video-' + layer) or {} for layer in 'lmh'}
    stage.leave()
    stage.finish()
    stage.expect_codecs('H264', 'OPUS')
    stage.expect_beeps(15)
    answer = stage.proxy.offers[0][2]
    for line in ('a=rid:l recv', 'a=rid:m recv', 'a=rid:h recv', 'a=simulcast:recv l;m;h'):
        stage.result.check(line in answer, f'no {line} in the answer')
    sizes = stage.result.verdict.sizes
    stage.result.notes.append(f'sizes {sizes}, the page sent {sent}')
    largest = max((s['width'], s['height']) for s in sent.values() if s.get('frames', 0) > 100)
    stage.result.check(largest > (240, 135), f'Chromium sent one layer only: {sent}')
    stage.result.check(sizes[-1] == largest, f'recorded were {sizes}, sent was {largest}')
