# gst-tsrec: what clients and networks do to a recorder, and what must come of it
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each scenario records one file, and says everything that is wrong with it.

A scenario is a function of a Stage with the decorator `scenario`. The limits
are those of the project's promise: at most 2 % of the pictures missing on a
clean network, audio and video within 100 ms, a track that falls silent stops
the other for no more than 250 ms beyond the jitter buffer, no continuity or
decoding error ever, and a report that matches what was done.
"""

import dataclasses
import re
import time

import chromium
import judge
import processes
from relay import Weather, WhipProxy

LATENCY = 0.2            # recwhipsrc's default jitter buffer
STALL = 0.25
OFFSET = 0.1
SHARE = 490 / 500        # of the pictures drawn
FIRST_BYTE = 0.5

REASONS = {'delete': r'delete', 'closed': r'closed|dtls', 'timeout': r'timeout|silen'}

scenarios = {}


def scenario(name, group='chromium', **facts):
    def add(function):
        function.scenario, function.group, function.facts = name, group, facts
        scenarios[name] = function
        return function
    return add


@dataclasses.dataclass
class Result:
    """One row of the table."""
    name: str
    verdict: object = None
    recorded: int = 0
    expected: int = 0
    first_byte: float = None
    reason: str = ''
    stall: float = 0.0
    failures: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)

    def check(self, good, sentence):
        if not good:
            self.failures.append(sentence)

    def row(self):
        v = self.verdict
        ms = '{:.0f}'.format
        return [self.name,
                f'{self.recorded}/{self.expected}' if self.expected else str(v.frames if v else ''),
                f'{v.damaged}' if v else '',
                f'{ms(v.offset * 1000)} ({ms(v.offset_worst * 1000)})'
                if v and v.offset is not None else '–',
                ms(self.first_byte * 1000) if self.first_byte is not None else '–',
                f'{len(v.continuity)}/{len(v.errors) + len(v.refused)}' if v else '',
                ms(self.stall * 1000),
                self.reason or '–',
                'FAIL' if self.failures else 'ok']


HEADINGS = ['scenario', 'pictures', 'damaged', 'A/V offset ms (worst)', 'first byte ms',
            'errors CC/decode', 'worst stall ms', 'reason', 'verdict']


class Stage:
    """Recorder, proxy and browser of one scenario; use as a context manager."""

    def __init__(self, name, folder, seed=1):
        self.result = Result(name)
        self.folder = folder
        self.proxy = WhipProxy(seed)
        self.recorder = self.browser = self.growth = None
        self.marks = {}       # page's clock in ms at each step
        self.page = None      # last report of the page
        self.drawn = {}       # sequence -> ms
        self.codec = 'H264'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for thing in (self.browser, self.recorder):
            if thing:
                thing.process.kill()
                thing.process.wait()
        if self.growth and self.growth.running:
            self.growth.stop()
        self.proxy.stop()
        for index, (offer, status, answer) in enumerate(self.proxy.offers):
            (self.folder / f'offer-{index}.sdp').write_text(offer)
            (self.folder / f'answer-{index}-{status}.sdp').write_text(answer)

    def record(self, whip='', sink='', launch=None, url=None):
        self.recorder = processes.Recorder(self.folder, whip, sink, launch)
        self.follow(self.recorder.file, url or self.recorder.url)

    def follow(self, path, url):
        self.proxy.target = url
        self.growth = judge.Growth(path)

    def publish(self, **options):
        """A browser that is connected when this returns."""
        if not self.browser:
            self.browser = chromium.Chromium(open(self.folder / 'chromium.log', 'ab'))
            self.browser.open(self.proxy.url + '/')
        self.codec = options.get('codec', 'H264')
        self.browser.publisher('start', options)
        self.mark('connected')

    def do(self, method, *arguments):
        return self.browser.publisher(method, *arguments)

    def mark(self, name):
        self.marks[name] = self.do('clock')

    def run(self, seconds, *steps):
        """steps: (second after the start, function or (method, argument…))"""
        start = time.monotonic()
        for at, step in (*steps, (seconds, None)):
            time.sleep(max(0, start + at - time.monotonic()))
            if step is None:
                break
            self.mark(f'{at}')
            if callable(step):
                step()
            else:
                self.do(*step)
        self.look()
        self.mark('end')

    def look(self):
        self.page = self.do('report')
        self.drawn.update({n: ms for n, ms in self.page.pop('drawn')})

    def kill_browser(self):
        self.look()
        self.browser.kill()

    def leave(self):
        """DELETE, and the recorder has to say so."""
        status = self.do('remove')
        self.result.check(status in (200, 204), f'DELETE was answered {status}')
        self.wait_end('delete')

    def wait_end(self, reason, timeout=5, count=1):
        result = self.result
        try:
            end = self.recorder.wait_for(timeout, count, type='element',
                                         name='recwhip-disconnected')
        except TimeoutError:
            result.check(False, f'no recwhip-disconnected within {timeout} s')
            return None
        result.reason = end['fields'].get('reason') or ''
        result.check(re.search(REASONS[reason], result.reason, re.IGNORECASE),
                     f'the reason given is "{result.reason}", what was done is "{reason}"')
        return end

    def finish(self):
        """Ends the recording and looks at the file."""
        result = self.result
        status = self.recorder.stop()
        result.check(status == 0, f'the recorder ended with {status}: {self.recorder.tail()}')
        self.growth.stop()
        result.verdict = judge.Verdict(self.recorder.file)
        self._check_messages()
        self._check_file()
        return result.verdict

    def _check_messages(self):
        result, sessions = self.result, self.recorder.sessions
        result.check(sessions, 'no recwhip-connected')
        for line in self.recorder.lines:
            if line['type'] in ('warning', 'error'):
                result.notes.append(f"{line['type']} {line['src']}: {line['name']}")
        if sessions and self.growth.first_byte:
            result.first_byte = self.growth.first_byte - sessions[0]['time']

    def _check_file(self):
        result, v = self.result, self.result.verdict
        result.check(not v.continuity, f'{len(v.continuity)} continuity errors: {v.continuity[:2]}')
        result.check(not v.errors, f'{len(v.errors)} decoding errors: {v.errors[:2]}')
        result.check(not v.refused, f'{len(v.refused)} packets refused: {v.refused[:2]}')
        for kind, count in v.backwards.items():
            result.check(not count, f'{count} {kind} timestamps do not rise')

    # --- what scenarios ask for

    def expect_codecs(self, video, audio):
        for line in self.recorder.sessions:
            fields = line['fields']
            said = [(fields.get(k + '-codec') or '').upper() for k in ('video', 'audio')]
            self.result.check(said == [video or '', audio or ''],
                              f'recwhip-connected says {said}, sent were {[video, audio]}')

    def expect_pictures(self, start, end, share=SHARE):
        """Of the pictures drawn between two marks (+ ms), this share is there."""
        low, high = self._ms(start), self._ms(end)
        drawn = {n for n, ms in self.drawn.items() if low <= ms < high}
        have = {n for _, n, _ in self.result.verdict.good} & drawn
        self.result.recorded += len(have)
        self.result.expected += len(drawn)
        self.result.check(drawn, f'the page drew nothing between {start} and {end}')
        self.result.check(len(have) >= share * len(drawn),
                          f'{len(have)} of {len(drawn)} pictures between {start} and {end}')

    def _ms(self, mark):
        name, shift = mark if isinstance(mark, tuple) else (mark, 0)
        return self.marks[name] + shift

    def expect_offset(self, limit=OFFSET):
        v = self.result.verdict
        self.result.check(v.offset is not None, 'no beep could be compared with a picture')
        if v.offset is None:
            return
        self.result.check(abs(v.offset) <= limit, f'A/V offset {v.offset * 1000:.0f} ms')
        if v.offset_drift is not None:
            self.result.check(abs(v.offset_drift) <= limit,
                              f'A/V offset moves by {v.offset_drift * 1000:.0f} ms')

    def expect_first_byte(self, limit=FIRST_BYTE):
        first = self.result.first_byte
        self.result.check(first is not None and first <= limit, f'first byte after {first} s')

    def expect_no_stall(self, *kinds, latency=LATENCY):
        """These tracks went on while the network brought them."""
        for kind in kinds:
            pid = self.result.verdict.recording.pids.get(kind)
            self.result.check(pid is not None, f'there is no {kind} in the file')
            if pid is None:
                continue
            for relay in self.proxy.relays:
                arrivals = relay.times_of(kind)
                stalls = self.growth.stalls(pid, arrivals, latency, STALL)
                self.result.stall = max([self.result.stall] + [s for _, s in stalls])
                begin = arrivals[0] if arrivals else 0
                self.result.check(
                    not stalls, f'{kind} stalled: ' +
                    ', '.join(f'{s * 1000:.0f} ms at {t - begin:.1f} s' for t, s in stalls[:3]))

    def expect_beeps(self, seconds, slack=2):
        heard = self.result.verdict.beeps
        self.result.check(heard >= seconds - slack, f'{heard} beeps in {seconds} s')


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
    """Against what the browser says it sent."""
    result, sent = stage.result, stage.page['sent']
    result.notes.append(f'stats: {stats}')
    result.check(stats, 'no stats')
    arrived = {k: len(stage.proxy.relay.times_of(k)) for k in ('video', 'audio')}
    result.notes.append(f'browser: {sent}; relay: {arrived}')


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
    stage.result.check(not stage.result.verdict.holes('audio'), 'a hole in the audio')


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
    stage.result.check(not stage.result.verdict.holes('audio'), 'a hole in the audio')


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
    stage.result.check(not stage.result.verdict.holes('video'), 'a hole in the video')
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
    stage.result.check(not stage.result.verdict.holes('audio'), 'a hole in the audio')


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
    stage.marks['first'] = stage.marks['connected']
    stage.marks['left'] = stage.marks['end']
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
    stage.publish()
    stage.run(7)
    stage.leave()
    check_reconnected(stage)
    stage.expect_pictures(('connected', 500), ('end', -500))


# --- bad networks

def bad_network(stage, weather, down, seconds=21, share=0.8):
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
    stage.expect_pictures(('connected', 500), ('end', -500), share)
    stage.expect_offset()
    check_stats(stage, stats)
    return stats


@scenario('loss-2-percent', short=True)
def loss_2(stage):
    bad_network(stage, Weather(loss=0.02, delay=0.02), Weather(loss=0.02, delay=0.02), share=0.8)


@scenario('loss-10-percent')
def loss_10(stage):
    bad_network(stage, Weather(loss=0.1, delay=0.02), Weather(loss=0.1, delay=0.02), share=0.3)


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
    stage.leave()
    stage.finish()
    stage.result.check(not stage.result.verdict.damaged,
                       f'{stage.result.verdict.damaged} damaged pictures recorded')
    stage.expect_pictures(('connected', 500), ('8', -200))
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


# --- other clients

def other_client(stage, arguments, video='H264', offset=OFFSET):
    """A client in a process of its own that draws the same pattern."""
    stage.record()
    client = processes.JsonProcess([processes.PYTHON, *arguments], stage.folder / 'client.log')
    try:
        connected = client.wait_for(25, type='connected')
        drawn = client.wait_for(40, type='drawn')
        stage.marks = {'connected': connected['clock'], 'end': drawn['clock']}
        stage.drawn = {n: ms for n, ms in drawn['drawn']}
        deleted = client.wait_for(10, type='deleted')
        stage.result.check(deleted['name'] in ('200', '204'),
                           f"DELETE was answered {deleted['name']}")
        stage.wait_end('delete')
    finally:
        client.process.kill()
        client.process.wait()
    undisturbed(stage, 'audio', 'video')
    stage.expect_codecs(video, 'OPUS')
    stage.expect_pictures(('connected', 1000), ('end', -500))
    stage.expect_offset(offset)
    stage.expect_beeps(10)


@scenario('aiortc', group='aiortc', short=True)
def aiortc(stage):
    other_client(stage, [str(processes.HERE / 'aiortc_client.py'), stage.proxy.url + '/whip',
                         '--seconds', '12'])


@scenario('recwhipsink', group='gst')
def recwhipsink(stage):
    other_client(stage, [str(processes.HERE / 'gst_client.py'), stage.proxy.url + '/whip', '12'])
