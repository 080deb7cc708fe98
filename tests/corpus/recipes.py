# gst-tsrec: the corpus: files that ffmpeg and GStreamer make
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recipe is the name of a file and the command that makes it: every codec,
container and odd parameter, as small as they can be. Each is made once and
kept, under a name with a hash of its command.
"""

import concurrent.futures
import hashlib
import os
import re
import shlex
import subprocess

VIDEO = 'testsrc=s=64x48:r={rate}:d={seconds}'
SOUND = 'sine=r={rate}:d={seconds}'
X264 = '-c:v libx264 -preset ultrafast -g 12'
# ffmpeg's names of layouts that AAC has no channel configuration for, and others
AAC_LAYOUTS = ('mono', 'stereo', '2.1', '3.0', '3.1', '4.0', 'quad', '4.1', '5.0', '5.0(side)', '5.1', '5.1(side)',
               '6.0', 'hexagonal', '6.1', '6.1(back)', '7.0', '7.1', '7.1(wide)', '7.1(wide-side)', 'octagonal')
OPUS_LAYOUTS = ('mono', 'stereo', '3.0', 'quad', '5.0', '5.1', '6.1', '7.1')
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
FRAME_RATES = ('1', '2', '5', '10', '12.5', '15', '24000/1001', '24', '25', '30000/1001', '30', '48', '50',
               '60000/1001', '60', '90', '120', '240')


class Recipe:
    """@name: of the file. @command: words, OUT is the file. @fast: part of the
    fast part. @then: a function of (folder, path) that changes the file."""

    def __init__(self, name, command, fast=False, then=None):
        self.name = name
        self.command = command
        self.fast = fast
        self.then = then

    def path(self, folder):
        what = f'{self.command} {self.then.__name__ if self.then else ""}'
        sign = hashlib.sha1(what.encode()).hexdigest()[:8]
        stem, ending = self.name.rsplit('.', 1)
        return os.path.join(folder, f'{stem}.{sign}.{ending}')

    def make(self, folder):
        """The path of the file, or None with what is missing."""
        path = self.path(folder)
        failed = path + '.failed'
        if os.path.exists(path):
            return path, ''
        if os.path.exists(failed):
            with open(failed, encoding='utf-8') as file:
                return None, file.read()
        part = os.path.join(folder, f'.{os.getpid()}.' + os.path.basename(path))
        if not self.command:
            with open(part, 'wb'):
                pass
            self.then(part)
            os.rename(part, path)
            return path, ''
        words = [part if word == 'OUT' else word.replace('=OUT', '=' + part) for word in shlex.split(self.command)]
        try:
            result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                    errors='replace', timeout=120, check=False)
            said = result.stderr.strip().splitlines()
            ok = result.returncode == 0 and os.path.exists(part) and os.path.getsize(part) > 0
        except (OSError, subprocess.TimeoutExpired) as error:
            said, ok = [str(error)], False
        if not ok:
            if os.path.exists(part):
                os.unlink(part)
            with open(failed, 'w', encoding='utf-8') as file:
                file.write(said[-1] if said else 'nothing was made')
            return None, said[-1] if said else 'nothing was made'
        if self.then:
            self.then(part)
        os.rename(part, path)
        return path, ''


# --- changes that no encoder makes

def _eac3_frames(data):
    at = 0
    while at + 6 <= len(data) and data[at:at + 2] == b'\x0b\x77':
        size = ((data[at + 2] & 7) << 8 | data[at + 3]) * 2 + 2
        yield data[at:at + size]
        at += size


def dependent(path):
    """Behind each frame of E-AC-3, the same as a frame of a dependent
    substream."""
    with open(path, 'rb') as file:
        frames = list(_eac3_frames(file.read()))
    with open(path, 'wb') as file:
        for frame in frames:
            file.write(frame + frame[:2] + bytes([frame[2] & 7 | 0x40]) + frame[3:])


def second_program(path):
    """Behind each frame of E-AC-3, the same of independent substream 1."""
    with open(path, 'rb') as file:
        frames = list(_eac3_frames(file.read()))
    with open(path, 'wb') as file:
        for frame in frames:
            file.write(frame + frame[:2] + bytes([frame[2] & 7 | 0x08]) + frame[3:])


def _crc(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04c11db7 if crc & 0x80000000 else 0)) & 0xffffffff
    return crc.to_bytes(4, 'big')


def _packets(pid, payload, counter):
    """@payload in packets of their own, the last one filled up in front."""
    out = b''
    for n, at in enumerate(range(0, len(payload), 184)):
        part = payload[at:at + 184]
        head = bytes([0x47, (0 if n else 0x40) | pid >> 8, pid & 0xff])
        left = 184 - len(part)
        field = b'' if not left else bytes([left - 1]) + (b'\0' + b'\xff' * (left - 2) if left > 1 else b'')
        out += head + bytes([(0x30 if left else 0x10) | counter + n & 15]) + field + part
    return out


def _section(pid, body):
    body = body[:1] + (0xb000 | len(body) + 1).to_bytes(2, 'big') + body[3:]
    return _packets(pid, (b'\0' + body + _crc(body)).ljust(184, b'\xff'), 0)


def _hamming(value):
    """ETS 300 706 8.2, in the order of the line."""
    one, two, three, four = (value >> n & 1 for n in range(4))
    p1, p2, p3 = 1 ^ one ^ three ^ four, 1 ^ one ^ two ^ four, 1 ^ one ^ two ^ three
    p4 = 1 ^ p1 ^ one ^ p2 ^ two ^ p3 ^ three ^ four
    return p1 << 7 | one << 6 | p2 << 5 | two << 4 | p3 << 3 | three << 2 | p4 << 1 | four


def _teletext_unit(row, text, header=b''):
    address = bytes([_hamming((row & 1) << 3), _hamming(row >> 1)])  # magazine 8
    line = bytes([0xe4]) + address + header
    for character in text.ljust(43 - len(line)):
        code = ord(character) | (0x80 if bin(ord(character)).count('1') % 2 == 0 else 0)
        line += bytes([int(f'{code:08b}'[::-1], 2)])
    return b'\x02\x2c\xe7' + line


def teletext(path):
    """A page of subtitles, 888, that changes each second for five seconds."""
    out = _section(0, bytes([0, 0, 0, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0]))
    descriptor = b'\x56\5deu' + bytes([2 << 3, 0x88])
    out += _section(0x1000, bytes([2, 0, 0, 0, 1, 0xc1, 0, 0, 0xe2, 0, 0xf0, 0, 6, 0xe2, 0, 0xf0, len(descriptor)]) +
                    descriptor)
    header = bytes(map(_hamming, (8, 8, 0, 0, 0, 8, 0, 0)))  # page 88, subcode 0, C6
    for n in range(5):
        units = _teletext_unit(0, '', header) + _teletext_unit(20, f'Subtitle {n}') + _teletext_unit(22, 'of a test')
        pts = 90000 * (n + 1)
        stamp = bytes([0x21 | pts >> 29 & 14, pts >> 22 & 255, pts >> 14 & 254 | 1, pts >> 7 & 255, pts << 1 & 254 | 1])
        pes = b'\0\0\1\xbd' + (184 - 6).to_bytes(2, 'big') + b'\x84\x80\x24' + stamp + b'\xff' * 31
        for base in range(pts - 90000, pts, 3600):
            clock = (base << 15 | 0x7e00).to_bytes(6, 'big')
            out += bytes([0x47, 2, 0, 0x20 | n - 1 & 15, 183, 0x10]) + clock + b'\xff' * 176
        out += _packets(0x200, pes + b'\x10' + units, n)
    with open(path, 'wb') as file:
        file.write(out)


# --- recipes

def _plain(text):
    return re.sub(r'[^A-Za-z0-9.]+', '-', text).strip('-')


def ffmpeg(name, inputs, options, fast=False, then=None):
    sources = ' '.join(f'-f lavfi -i {shlex.quote(source)}' for source in inputs)
    return Recipe(name, f'ffmpeg -nostdin -v error -y {sources} -threads 1 -fflags +bitexact {options} OUT',
                  fast, then)


def video(name, options, rate='25', seconds=1, **kwargs):
    return ffmpeg(name, [VIDEO.format(rate=rate, seconds=seconds)], options, **kwargs)


def sound(name, options, rate=48000, seconds=0.5, layout='mono', **kwargs):
    options = f'-af {shlex.quote("aformat=channel_layouts=" + layout)} {options}'
    return ffmpeg(name, [SOUND.format(rate=rate, seconds=seconds)], options, **kwargs)


def gst(name, line, fast=False):
    return Recipe(name, f'gst-launch-1.0 -q {line} ! filesink location=OUT', fast)


def pictures():
    """Codecs that are carried, by container and by order of pictures."""
    for frames in (0, 1, 2, 3):
        for ending in ('mkv', 'mp4', 'mov', 'ts', 'flv', 'avi', '264'):
            name = f'h264-b{frames}.{ending}'
            yield video(name, f'{X264} -pix_fmt yuv420p -bf {frames}' + (' -f h264' if ending == '264' else ''),
                        fast=(frames in (0, 3) and ending == 'ts'))
    for frames in (0, 2, 4):
        for ending in ('mkv', 'mp4', 'ts', '265'):
            yield video(f'h265-b{frames}.{ending}', '-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params '
                        f'log-level=none:keyint=12:bframes={frames}:pools=1' + (' -f hevc' if ending == '265' else ''),
                        fast=(frames == 2 and ending == 'ts'))
    for frames in (0, 1, 2):
        for ending in ('mkv', 'ts', 'mpg', 'm2v', 'mp4', 'avi', 'mxf'):
            yield video(f'mpeg2-b{frames}.{ending}', f'-c:v mpeg2video -g 12 -bf {frames}' +
                        (' -f mpeg2video' if ending == 'm2v' else ''),
                        fast=(frames == 2 and ending == 'ts'))
    for frames in (0, 2):
        for ending in ('mkv', 'ts', 'mpg', 'm1v'):
            yield video(f'mpeg1-b{frames}.{ending}', f'-c:v mpeg1video -g 12 -bf {frames}' +
                        (' -f mpeg1video' if ending == 'm1v' else ''))


def odd_pictures():
    for rate in FRAME_RATES:
        seconds = 4 if rate in ('1', '2') else 1
        for ending in ('mkv', 'mp4'):
            yield video(f'h264-rate-{_plain(rate)}.{ending}', f'{X264} -pix_fmt yuv420p -bf 0', rate, seconds)
        yield video(f'h264-rate-{_plain(rate)}-b2.mp4', f'{X264} -pix_fmt yuv420p -bf 2', rate, seconds)
    for name, options in (
            ('pyramid', '-bf 5 -x264-params b-pyramid=normal:b-adapt=0:ref=4'),
            ('open-gop', '-bf 2 -x264-params open-gop=1'), ('intra-refresh', '-bf 0 -x264-params intra-refresh=1'),
            ('slices', '-bf 0 -x264-params slices=4'), ('delimiters', '-bf 2 -x264-params aud=1'),
            ('no-headers', '-bf 2 -flags +global_header'), ('intra', '-g 1'), ('one-key', '-g 1000'),
            ('interlaced', '-bf 0 -flags +ildct+ilme -x264-params tff=1'),
            ('interlaced-b2', '-bf 2 -flags +ildct+ilme -x264-params bff=1'),
            ('fake-interlaced', '-bf 2 -x264-params fake-interlaced=1'), ('lossless', '-bf 0 -qp 0')):
        for ending in ('mkv', 'mp4', 'ts'):
            yield video(f'h264-{name}.{ending}', f'{X264} -pix_fmt yuv420p {options}')
    for depth in ('yuv422p', 'yuv444p', 'yuv420p10le', 'yuv422p10le', 'gray'):
        yield video(f'h264-{depth}.mkv', f'{X264} -pix_fmt {depth} -bf 2')
        yield video(f'h265-{depth}.mkv', f'-c:v libx265 -preset ultrafast -pix_fmt {depth} '
                    '-x265-params log-level=none:bframes=2:pools=1')
    for name, options in (('fields', '-flags +ildct+ilme -top 1'), ('intra', '-g 1'), ('closed', '-bf 2 -flags +cgop -sc_threshold 1000000000')):
        yield video(f'mpeg2-{name}.mkv', f'-c:v mpeg2video {options}')
        yield video(f'mpeg2-{name}.ts', f'-c:v mpeg2video {options}')


def time_lapse(name, seconds, frames, options=''):
    """A picture a minute, and sound in the first minutes."""
    return ffmpeg(name, [SOUND.format(rate=48000, seconds=seconds), VIDEO.format(rate=25, seconds=0.4)],
                  f'-map 0 -map 1 -vf setpts=PTS*1500 -fps_mode passthrough {X264} -pix_fmt yuv420p -bf {frames} '
                  f'-c:a aac {options}'.rstrip())


def odd_times():
    for ending in ('mkv', 'mp4', 'ts'):
        for name, expression in (('minute', 'PTS*1500'), ('ten-seconds', 'PTS*250'), ('gap-5', 'PTS+gt(N\\,12)*5/TB'),
                                 ('gap-40', 'PTS+gt(N\\,12)*40/TB'), ('gap-3600', 'PTS+gt(N\\,12)*3600/TB'),
                                 ('uneven', 'PTS+mod(N\\,3)*0.01/TB')):
            for frames in (0, 2):
                yield video(f'time-{name}-b{frames}.{ending}',
                            f"-vf {shlex.quote('setpts=' + expression)} -fps_mode passthrough {X264} -pix_fmt yuv420p -bf {frames}")
        yield ffmpeg(f'time-late-sound.{ending}', [VIDEO.format(rate=25, seconds=2), SOUND.format(rate=48000, seconds=1)],
                     f'-af asetpts=PTS+1/TB {X264} -pix_fmt yuv420p -bf 0 -c:a aac')
        # qtdemux leaves out a track that is shorter than a fifth of the file
        seconds = 120 if ending == 'mp4' else 60
        for frames in (0, 2):
            yield time_lapse(f'time-lapse-sound-b{frames}.{ending}', seconds, frames)
        yield ffmpeg(f'time-short-sound.{ending}',
                     [VIDEO.format(rate=25, seconds=2), SOUND.format(rate=48000, seconds=0.3)],
                     f'{X264} -pix_fmt yuv420p -bf 2 -c:a aac')
        yield video(f'time-starts-at-10-hours.{ending}', f'-output_ts_offset 36000 {X264} -pix_fmt yuv420p -bf 2')
    yield video('time-starts-at-10-hours-fragments.mp4', f'-output_ts_offset 36000 {X264} -pix_fmt yuv420p -bf 2 '
                '-movflags frag_keyframe+empty_moov+default_base_moof')
    yield time_lapse('time-lapse-short-sound.mp4', 60, 0)
    # without this, ffmpeg writes the tracks out of order by minutes
    yield time_lapse('time-lapse-sound-in-order.mkv', 60, 0, '-max_interleave_delta 0')


def aac():
    for layout in AAC_LAYOUTS:
        for ending in ('m4a', 'mkv', 'aac', 'latm'):
            options = '-c:a aac' + (' -f latm' if ending == 'latm' else '')
            yield sound(f'aac-{_plain(layout)}.{ending}', options, layout=layout,
                        fast=(layout in ('quad', '6.1') and ending in ('m4a', 'mkv')))
        yield sound(f'aac-latm-{_plain(layout)}.ts', '-c:a aac -f mpegts -mpegts_flags latm', layout=layout)
    for rate in RATES:
        for ending in ('m4a', 'mkv', 'aac', 'ts'):
            yield sound(f'aac-{rate}.{ending}', '-c:a aac', rate=rate)
    for ending in ('ts', 'mp4', 'mkv'):
        for options in ('-profile:a aac_main', '-profile:a aac_ltp'):
            yield sound(f'aac{_plain(options.split()[-1][3:])}.{ending}', f'-c:a aac -strict -2 {options}')


def mpeg_audio():
    for rate in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000):
        for ending in ('mp3', 'mkv'):
            yield sound(f'mp3-{rate}.{ending}', '-c:a libmp3lame', rate=rate)
    for layout in ('mono', 'stereo'):
        for name, options in (('xing', '-q:a 4 -write_xing 1'), ('no-xing', '-b:a 96k -write_xing 0'),
                              ('id3', '-b:a 96k -metadata title=x'), ('joint', '-b:a 64k -joint_stereo 1')):
            yield sound(f'mp3-{layout}-{name}.mp3', f'-c:a libmp3lame {options}', layout=layout,
                        fast=(layout == 'stereo' and name == 'xing'))
        for ending in ('mp4', 'mov', 'avi', 'ts', 'flv'):
            yield sound(f'mp3-{layout}.{ending}', '-c:a libmp3lame', rate=44100, layout=layout)
    for rate in (16000, 22050, 24000, 32000, 44100, 48000):
        for ending in ('mp2', 'mkv', 'ts'):
            yield sound(f'mp2-{rate}.{ending}', '-c:a mp2', rate=rate)


def dolby():
    for codec, rates in (('ac3', (32000, 44100, 48000)), ('eac3', (32000, 44100, 48000))):
        for rate in rates:
            for ending in (codec, 'mkv', 'ts', 'mp4'):
                yield sound(f'{codec}-{rate}.{ending}', f'-c:a {codec} -b:a 96k', rate=rate)
        for layout in ('mono', 'stereo', '3.0', 'quad', '5.0', '5.1'):
            yield sound(f'{codec}-{_plain(layout)}.{codec}', f'-c:a {codec}', layout=layout)
        for rate in ('32k', '192k', '640k'):
            yield sound(f'{codec}-{rate}.mkv', f'-c:a {codec} -b:a {rate}')
    for blocks in (128, 256):
        yield sound(f'eac3-{blocks}k.eac3', f'-c:a eac3 -b:a {blocks}k')
    for rate in (32000, 44100, 48000):
        yield sound(f'eac3-dependent-{rate}.eac3', '-c:a eac3 -b:a 96k', rate=rate, then=dependent, fast=rate == 48000)
        yield sound(f'eac3-two-programs-{rate}.eac3', '-c:a eac3 -b:a 96k', rate=rate, then=second_program)
    for ending in ('dts', 'mkv', 'ts'):
        for layout in ('mono', 'stereo', '5.1(side)'):
            yield sound(f'dts-{_plain(layout)}.{ending}', '-c:a dca -strict -2', layout=layout,
                        fast=(layout == 'stereo' and ending == 'mkv'))
    for ending in ('thd', 'mkv'):
        yield sound(f'truehd.{ending}', '-c:a truehd -strict -2')


def opus():
    for length in ('2.5', '5', '10', '20', '40', '60', '80', '100', '120'):
        for ending in ('opus', 'mkv', 'webm', 'ts', 'mp4'):
            yield sound(f'opus-{length}ms.{ending}', f'-c:a libopus -frame_duration {length}',
                        fast=(length == '2.5' and ending == 'opus'))
    for layout in OPUS_LAYOUTS:
        for ending in ('opus', 'mkv', 'ts', 'mp4'):
            yield sound(f'opus-{_plain(layout)}.{ending}', '-c:a libopus', layout=layout)
    for family in (0, 1, 2, 255):
        for layout in ('mono', 'stereo', 'quad'):
            yield sound(f'opus-family-{family}-{layout}.opus', f'-c:a libopus -mapping_family {family}', layout=layout)
    masks = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3f, 7: 0xd0f, 8: 0xc3f}
    for channels, mask in masks.items():
        for length in (2, 20, 60):
            yield gst(f'opus-gst-{channels}-{length}.ogg', 'audiotestsrc num-buffers=30 ! '
                      f'"audio/x-raw,rate=48000,channels={channels},channel-mask=(bitmask){mask:#x}" ! '
                      f'opusenc frame-size={length} ! oggmux', fast=(channels == 8 and length == 20))
            yield gst(f'opus-gst-{channels}-{length}.mkv', 'audiotestsrc num-buffers=30 ! '
                      f'"audio/x-raw,rate=48000,channels={channels},channel-mask=(bitmask){mask:#x}" ! '
                      f'opusenc frame-size={length} ! matroskamux')


def subtitles():
    line = ('videotestsrc num-buffers=4 ! video/x-raw,width=96,height=64,framerate=1/1,format=AYUV ! dvbsubenc ! '
            'mpegtsmux')
    yield gst('dvb-subtitles.ts', line, fast=True)
    yield Recipe('dvb-subtitles.mkv', 'sh -c ' + shlex.quote(
        f'gst-launch-1.0 -q {line} ! filesink location=$0.ts && '
        'ffmpeg -v error -y -i $0.ts -c copy $0; rm -f $0.ts') + ' OUT')
    yield Recipe('teletext.ts', '', fast=True, then=teletext)
    for ending, mux in (('ts', 'mpegtsmux'), ('mkv', 'matroskamux')):
        yield gst(f'klv.{ending}', 'videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! x264enc ! h264parse ! '
                  + mux)


def pairs():
    """Pictures and sound in one file."""
    codecs = {'h264': f'{X264} -pix_fmt yuv420p -bf 2', 'h265': '-c:v libx265 -preset ultrafast -x265-params '
              'log-level=none:bframes=2:pools=1', 'mpeg2': '-c:v mpeg2video -bf 2'}
    for name, options in codecs.items():
        for track in ('aac', 'ac3', 'eac3', 'libmp3lame', 'libopus', 'mp2'):
            for ending in ('mkv', 'mp4', 'ts'):
                yield ffmpeg(f'{name}-{track}.{ending}',
                             [VIDEO.format(rate=25, seconds=1), SOUND.format(rate=48000, seconds=1)],
                             f'{options} -c:a {track}', fast=(name == 'h264' and track in ('aac', 'libopus') and ending == 'ts'))
    yield ffmpeg('two-languages.mkv', [VIDEO.format(rate=25, seconds=1), SOUND.format(rate=48000, seconds=1),
                                       SOUND.format(rate=44100, seconds=1)],
                 f'-map 0 -map 1 -map 2 {X264} -pix_fmt yuv420p -c:a:0 aac -c:a:1 libmp3lame '
                 '-metadata:s:a:0 language=deu -metadata:s:a:1 language=fra')
    yield ffmpeg('two-pictures.ts', [VIDEO.format(rate=25, seconds=1), VIDEO.format(rate=30, seconds=1)],
                 f'-map 0 -map 1 {X264} -pix_fmt yuv420p -bf 0')


def refused():
    """What MPEG-TS or this mux does not carry: a reason is expected."""
    for codec, endings, options in (
            ('mpeg4', ('mkv', 'mp4', 'avi', 'ts'), ''), ('libxvid', ('avi',), ''), ('libvpx', ('webm', 'mkv'), ''),
            ('libvpx-vp9', ('webm', 'mkv', 'mp4'), '-cpu-used 8'), ('libaom-av1', ('mkv', 'mp4'), '-cpu-used 8'),
            ('libtheora', ('ogv', 'mkv'), ''), ('mjpeg', ('avi', 'mov', 'mkv'), '-pix_fmt yuvj420p'),
            ('ffv1', ('mkv',), ''), ('prores', ('mov', 'mkv'), ''), ('wmv2', ('asf',), ''), ('msmpeg4', ('avi',), ''),
            ('flv1', ('flv',), ''), ('huffyuv', ('avi',), ''), ('jpeg2000', ('mov', 'mkv', 'mxf'), ''),
            ('png', ('mov',), ''), ('rawvideo', ('avi', 'mkv'), '-pix_fmt yuv420p'), ('h263', ('3gp',), '-s 176x144')):
        for ending in endings:
            yield video(f'refused-{codec}.{ending}', f'-c:v {codec} {options}', seconds=0.4)
    for codec, endings in (('flac', ('flac', 'mkv', 'ogg')), ('libvorbis', ('ogg', 'webm')), ('alac', ('m4a',)),
                           ('pcm_s16le', ('wav', 'mkv', 'avi')), ('pcm_alaw', ('wav',)), ('pcm_mulaw', ('wav', 'au')),
                           ('adpcm_ima_wav', ('wav',)), ('wmav2', ('asf',)), ('s302m', ('ts',)), ('libspeex', ('ogg',)),
                           ('wavpack', ('wv',)), ('pcm_bluray', ('ts',)), ('libopencore_amrnb', ('amr',)),
                           ('pcm_s16be', ('mpg', 'aiff'))):
        for ending in endings:
            rate = 8000 if 'amr' in codec else 48000
            yield sound(f'refused-{codec}.{ending}', f'-c:a {codec} -strict -2', rate=rate,
                        layout='stereo' if codec in ('s302m', 'pcm_bluray') else 'mono')


def all_recipes():
    recipes = []
    for group in (pictures, odd_pictures, odd_times, aac, mpeg_audio, dolby, opus, subtitles, pairs, refused):
        recipes += group()
    return recipes


def make(folder, only_fast, jobs):
    """Makes what is not there yet: ([path], [(name, why not)])."""
    os.makedirs(folder, exist_ok=True)
    recipes = [recipe for recipe in all_recipes() if recipe.fast or not only_fast]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        made = list(pool.map(lambda recipe: recipe.make(folder), recipes))
    return ([path for path, _ in made if path],
            [(recipe.name, why) for recipe, (path, why) in zip(recipes, made) if not path])
