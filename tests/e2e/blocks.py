#!/usr/bin/python3
# gst-tsrec: every block of code in the documentation does what it says
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One test for each block of README.md, docs/, other pages and the comments of the
elements, which is run as it stands in an empty folder with links to this tree: shell command
by command, C compiled, Python and HTML as they are (HTML in Chromium and Firefox),
units, Prometheus configurations and queries by the tools that read them. A command
that would go on for ever is interrupted, as by Ctrl+C, when it has recorded for
some seconds. What was recorded has to decode without a complaint and be 4:2:0, and
one recording of each kind plays on the page of pipelines/serve in both browsers.

A block in a language that is not known here fails. Ports are those of the blocks,
so that all of it runs in a network namespace of its own where that is possible."""

import collections
import glob
import http.server
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

import browsers
import docblocks
import e2e

BLOCKS = docblocks.read_all(e2e.SOURCE_DIR)

# Commands that are run with a change: a pattern, what it becomes, and why.
CHANGES = [
    (r'(?<![\w-])ninja -C', 'ninja -n -C', 'compiles for minutes'),
    (r'meson test( [^#&|;\n]*)', r'meson test --no-rebuild --list\1', 'takes minutes to hours; runs by itself'),
    (r'^tests/run\b.*', 'tests/run --help', 'runs this test'),
    (r'^tests/interop/run\b.*', 'tests/interop/run --list', 'takes minutes; runs by itself (suite interop)'),
    (r'^tests/corpus/run .*', 'tests/corpus/run --help', 'takes minutes to hours; runs by itself (corpus)'),
    (r'^tests/benchmarks/density .*', 'tests/benchmarks/density --help', 'takes minutes'),
    (r'^curl ', 'curl -f ', 'an error has to end with another status than 0'),
    (r'(/clip)\?start=[^&]+&duration=60', r'\1', 'names a time at which nothing was recorded here'),
    (r'^build-fuzz/.* (NEW \S+)', r'ls -d \1', 'takes hours; the suite fuzz replays the corpora'),
    (r'(killtear \S+ \d+) \d+', r'\1 3', 'takes minutes'),
    (r'^(?:cvlc|gst-play-1.0) ', 'test -s ', 'needs a screen; the test "players" plays the same lines without'),
]

# The line for GStreamer in the list of publishers.
with open(os.path.join(e2e.SOURCE_DIR, 'docs', 'guide', 'recording.md'), encoding='utf-8') as page:
    PUBLISHER, = re.findall(r'`(gst-launch-1.0 [^`]*recwhipsink [^`]*)`', page.read())

# Who else has to be there: a pattern of the command, and how it is started when
# the command says that it is ready, or at once.
RTP = ('gst-launch-1.0 -q videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency '
       'key-int-max=30 ! rtph264pay config-interval=-1 ! udpsink host=127.0.0.1 port=5000')
WHIP = ('gst-launch-1.0 -q videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency '
        'key-int-max=50 ! video/x-h264,profile=constrained-baseline ! recwhipsink name=p location={url} '
        'audiotestsrc is-live=true ! opusenc ! p.')
RECORDER = ('gst-launch-1.0 -q -e recwhipsrc name=w port=8080 ! h264parse ! tsrecsink name=r location=received.ts '
            'w.audio ! opusparse ! r.')
WHEP = f'/usr/bin/python3 {e2e.SOURCE_DIR}/tests/e2e/whep_server.py 8889 /stream/whep'
PEERS = [
    (r'udpsrc port=5000', None, RTP),
    (r'recwhepsrc', None, WHEP),
    (r'recwhipsink', None, RECORDER),
    (r'recwhipsrc', None, WHIP.format(url='http://127.0.0.1:8080/whip')),
    (r'pipelines/record .*--publisher none', r'Publish to ', PUBLISHER),
]

# The service at its default port, which the commands with curl ask, and a publisher.
SERVICE = 'pipelines/server'
SERVICE_PORT = 8190
SERVICE_PUBLISHER = WHIP.format(url=f'http://127.0.0.1:{SERVICE_PORT}/whip/your_mint_id')
# A command that ends by itself.
FINITE = re.compile(r'num-buffers|pipelines/record(?!.*--duration 0)|pipelines/(check|ts-to-mp4)')
# A player is interrupted when its clock has advanced, and says so with 123.
PLAYER = re.compile(r'^ffplay ')
PLAYER_CLOCK = re.compile(r'(?m)^\s*([1-9]\d*\.\d+) (?:A-V|M-V|M-A)')
SERVER_URL = re.compile(r'(http://\S+) \(Ctrl')
# Firefox takes no part in WebRTC without a network to the outside.
NETWORK = ('ip link set lo up && ip link add outside type veth peer name other && ip link set other up && '
           'ip address add 192.0.2.1/24 dev outside && ip link set outside up && ip route add default dev outside')
# Seconds of a live recording.
RECORDED = 4

SAMPLE = ('videotestsrc num-buffers=180 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! '
          'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! h264parse ! '
          'tsrecsink name=rec location=%s playlist-location=%s max-size-time=%d '
          'audiotestsrc num-buffers=258 ! audioconvert ! avenc_aac ! aacparse ! rec.')

# Around a block of C that is not a program: it gets every message of a recording.
PROGRAM = '''
#include <gst/gst.h>
static gboolean
handle (GstBus *bus, GstMessage *message, gpointer loop)
{
  %s
  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_EOS | GST_MESSAGE_ERROR))
    g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}
int
main (int argc, char **argv)
{
  GMainLoop *loop = g_main_loop_new (NULL, FALSE);
  gst_init (&argc, &argv);
  GstElement *pipeline = gst_parse_launch ("videotestsrc is-live=true num-buffers=90 ! "
      "video/x-raw,format=I420 ! x264enc tune=zerolatency ! h264parse ! "
      "recmonitor ! tsrecsink location=part.ts", NULL);
  gst_bus_add_watch (GST_ELEMENT_BUS (pipeline), handle, loop);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_main_loop_run (loop);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return 0;
}
'''

# One recording of each kind: codecs -> path. Tests run in the order of their names.
kinds = {}
kept = e2e.tempfile.mkdtemp(prefix='tsrec-blocks-')
samples = e2e.tempfile.mkdtemp(prefix='tsrec-blocks-')


def streams_of(path):
    return e2e.Probe(path).streams


def answers(port, scheme='http'):
    """Whether a service answers there; its certificate is self-signed."""
    context = ssl._create_unverified_context() if scheme == 'https' else None  # pylint: disable=protected-access
    try:
        with urllib.request.urlopen(f'{scheme}://127.0.0.1:{port}/healthz', timeout=5, context=context) as answer:
            return answer.status == 200
    except OSError:
        return False


class Blocks(e2e.TestCase):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        for name in ('pipelines', 'examples', 'tests', 'docs', 'gst', 'meson.build', 'meson_options.txt', 'README.md'):
            os.symlink(os.path.join(e2e.SOURCE_DIR, name), self.path(name))
        self.exports, self.samples = [], []
        self.env = {**os.environ, 'GST_PLUGIN_PATH': os.path.join(e2e.BUILD_DIR, 'gst'),
                    'SDL_VIDEODRIVER': 'dummy', 'SDL_AUDIODRIVER': 'dummy'}

    def run_block(self, block):
        runner = getattr(self, 'run_' + block.language, None)
        self.assertIsNotNone(runner, f'{block.page}:{block.line}: no test knows how to run "{block.language}"')
        runner(block)
        self.keep_recordings()

    # Recordings

    def recordings(self):
        found = glob.glob(self.path('*.ts')) + glob.glob(self.path('recordings/*.ts'))
        return [path for path in found if path not in self.samples]

    def keep_recordings(self):
        """Judges them, and keeps the first one of each kind for the browsers."""
        for path in self.recordings():
            with self.subTest(recording=os.path.relpath(path, self.folder)):
                streams = streams_of(path)
                self.assert_sound(path, [stream['codec_name'] for stream in streams])
                for stream in streams:
                    if stream['codec_type'] == 'video':
                        self.assertEqual(stream['pix_fmt'], 'yuv420p')
                kind = '+'.join(sorted(stream['codec_name'] for stream in streams))
                kinds.setdefault(kind, os.path.join(kept, kind + '.ts'))
                if not os.path.exists(kinds[kind]):
                    shutil.copy(path, kinds[kind])

    def make_samples(self):
        """What the reader of a block has recorded before."""
        if not os.listdir(samples):
            for location, playlist, size in (('rec.ts', 'rec.m3u8', 0), ('f-%05d.ts', 'f.m3u8', 2000000000)):
                line = ['gst-launch-1.0', '-q', *(SAMPLE % (location, playlist, size)).split()]
                subprocess.run(line, cwd=samples, env=self.env, check=True, timeout=60)
        shutil.copytree(samples, self.folder, dirs_exist_ok=True)
        os.mkdir(self.path('recordings'))
        for name in ('recording.ts', 'recordings/rec.ts'):
            shutil.copy(self.path('rec.ts'), self.path(name))
        subprocess.run(['ffmpeg', '-v', 'error', '-i', 'rec.ts', '-c', 'copy', 'stream-of-another-mux.ts'],
                       cwd=self.folder, check=True)
        for name in ('NEW', 'DIRECTORY'):
            os.mkdir(self.path(name))
        self.samples = self.recordings()

    # Shell

    def run_console(self, block):
        self.run_sh(block)

    def run_sh(self, block):
        if not re.search(r'meson setup build\s', block.text):
            os.symlink(e2e.BUILD_DIR, self.path('build'))
        if 'location=' not in block.text and 'pipelines/record' not in block.text:
            self.make_samples()
        if re.search(rf'curl .*:{SERVICE_PORT}/', block.text):
            self.start_service(block)
        for command in docblocks.commands(block):
            with self.subTest(command=command):
                self.run_command(command)

    def start_service(self, block):
        """Whom the reader of a block asks: it records, and has recorded NAME.ts."""
        shutil.copy(self.path('rec.ts'), self.path('recordings/NAME.ts'))
        self.samples.append(self.path('recordings/NAME.ts'))
        service = self.start(shlex.split(SERVICE), 'service', env=self.env)
        e2e.wait_for(lambda: answers(SERVICE_PORT) or not service.is_running(), service.output)
        if '/status/' in block.text:
            publisher = self.start(shlex.split(SERVICE_PUBLISHER), 'publisher', env=self.env)
            e2e.wait_for(lambda: [p for p in self.recordings() if e2e.size_of(p) > 0] or not publisher.is_running(),
                         publisher.output)

    def run_command(self, command):
        for pattern, change, _ in CHANGES:
            command = re.sub(pattern, change, command, flags=re.M)
        before = {path: e2e.size_of(path) for path in self.recordings()}
        name = f'command-{len(glob.glob(self.path("*.log")))}'
        process = self.start(['bash', '-c', ''.join(self.exports) + command], name, env=self.env)
        if re.match(r'export ', command):
            self.exports.append(command)
        for pattern, ready, peer in PEERS:
            if re.search(pattern, command):
                if ready:
                    e2e.wait_for(lambda r=ready: re.search(r, process.said()) or not process.is_running(),
                                 process.output)
                self.start(shlex.split(peer), 'peer-' + name, env=self.env)
                break
        interrupted = self.follow(process, command, before)
        status = process.wait(60)
        said = process.said()
        allowed = (0, 123) if interrupted and PLAYER.match(command) else (0,)
        self.assertIn(status, allowed, said)
        if 'record' in command or 'gst-launch' in command:
            for line in said.splitlines():
                self.assertNotRegex(line, r'ALERT|ERROR|WARNING|CRITICAL')
        if 'location=' in command:
            self.assertTrue(self.recordings() or 'fakesink' in command or 'recwhipsink' in command, 'no recording')

    def follow(self, process, command, before):
        """Until it ends, or has done enough to be interrupted: then true."""
        begun, end = None, time.monotonic() + 90
        while process.is_running():
            self.assertLess(time.monotonic(), end, f'neither ends nor records: {process.said()}')
            said = process.said()
            grown = [p for p in self.recordings() if e2e.size_of(p) > before.get(p, 0)]
            if grown and not begun:
                begun = time.monotonic()
            done = begun and time.monotonic() > begun + RECORDED and not FINITE.search(command)
            if PLAYER.match(command):
                done = PLAYER_CLOCK.search(said.replace('\r', '\n'))
            done = done or ('gst-launch-1.0 -e recserver' in command and answers(SERVICE_PORT))
            url = SERVER_URL.search(said)
            if url:
                with urllib.request.urlopen(url[1].replace('0.0.0.0', '127.0.0.1'), timeout=20) as answer:
                    self.assertEqual(answer.status, 200)
                done = True
            if done:
                os.killpg(process.pid, signal.SIGINT)
                return True
            time.sleep(0.05)
        return False

    # Programs

    def run_program(self, arguments, name):
        process = self.start(arguments, name, env=self.env)
        self.assertEqual(process.wait(60), 0, process.said())
        return process.said()

    def run_c(self, block):
        text = block.text if re.search(r'^main \(', block.text, re.M) else PROGRAM % block.text
        with open(self.path('record.c'), 'w', encoding='utf-8') as file:
            file.write(text)
        self.run_program(['bash', '-c', 'cc -Wall -Werror record.c -o record '
                          '$(pkg-config --cflags --libs gstreamer-1.0)'], 'cc')
        said = self.run_program(['./record'], 'record')
        if 'print' in block.text:
            self.assertRegex(said, r'(?m)^[1-9]\d* bytes')
        self.assertTrue(self.recordings())

    def run_python(self, block):
        with open(self.path('record.py'), 'w', encoding='utf-8') as file:
            file.write(block.text)
        said = self.run_program(['/usr/bin/python3', 'record.py'], 'python')
        self.assertRegex(said, r'(?m)^[1-9]\d* bytes$')
        self.assertTrue(self.recordings())

    # A web page that publishes

    def run_html(self, block):
        os.mkdir(self.path('www'))
        with open(self.path('www/index.html'), 'w', encoding='utf-8') as file:
            file.write(block.text)
        self.serve_folder(self.path('www'))
        for name, browser in browsers.installed().items():
            with self.subTest(browser=name):
                self.publish_page(name, browser)

    def publish_page(self, name, browser):
        recorder = self.start([self.path('pipelines/record'), '--publisher', 'none', '--duration', '0',
                               '--allow-origin', 'http://127.0.0.1:8000', '--name', name], name, env=self.env)
        e2e.wait_for(lambda: 'Publish to' in recorder.said(), recorder.output)
        path = self.path(f'recordings/{name}.ts')
        with browser() as made:
            made.visit('http://127.0.0.1:8000/')
            e2e.wait_for(lambda: e2e.size_of(path) > 150000, f'{name} to publish: {recorder.said()}', 60)
            recorder.interrupt()
            self.assertEqual(recorder.wait(), 0, recorder.said())
        self.assertNotRegex(recorder.said(), r'ALERT|ERROR|WARNING')
        self.assertEqual(sorted(s['codec_type'] for s in streams_of(path)), ['audio', 'video'])

    def serve_folder(self, folder):
        handler = type('Handler', (http.server.SimpleHTTPRequestHandler,), {
            '__init__': lambda this, *a: http.server.SimpleHTTPRequestHandler.__init__(this, *a, directory=folder),
            'log_message': lambda *_: None})
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 8000), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def run_js(self, block):
        """In a page that plays a recording whose picture ends before its sound, at
        which hls.js alone stops."""
        line = ['gst-launch-1.0', '-q', *(SAMPLE.replace('180', '70') % ('rec.ts', 'rec.m3u8', 0)).split()]
        self.run_program(line, 'sample')
        shutil.copy(os.path.join(e2e.PIPELINES, 'lib/web/node_modules/hls.js/dist/hls.min.js'), self.folder)
        with open(self.path('index.html'), 'w', encoding='utf-8') as file:
            file.write(f"""<!doctype html><video id="video" muted autoplay></video><div id="problem"></div>
                <script src="hls.min.js"></script><script>const hls = new Hls();
                {block.text} hls.loadSource('rec.m3u8'); hls.attachMedia(document.getElementById('video'));</script>""")
        self.serve_folder(self.folder)
        with browsers.Chromium() as browser:
            browsers.assert_plays(self, browser, 'http://127.0.0.1:8000/', True, seconds=5)

    # Checks by other programs

    def run_ini(self, block):
        if '[server]' in block.text:
            self.run_configuration(block.text)
        else:
            self.run_unit(block)

    def run_configuration(self, text):
        """Of the service, with its files in this folder."""
        for name in ('recordings', 'recorder'):
            os.mkdir(self.path(name))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout',
                        'recorder/key.pem', '-out', 'recorder/cert.pem'], cwd=self.folder, check=True, capture_output=True)
        with open(self.path('recorder/boss.token'), 'w', encoding='ascii') as file:
            file.write('a token of 24 characters\n')
        os.chmod(self.path('recorder/boss.token'), 0o600)
        text = text.replace('/etc/recorder', self.path('recorder')).replace('/var/lib/recordings', self.path('recordings'))
        with open(self.path('server.conf'), 'w', encoding='utf-8') as file:
            file.write(text)
        service = self.start(['gst-launch-1.0', '-e', 'recserver', 'config=server.conf'], 'service', env=self.env)
        e2e.wait_for(lambda: answers(SERVICE_PORT, 'https') or not service.is_running(), service.output)
        self.assertTrue(service.is_running(), service.said())
        service.interrupt()
        self.assertEqual(service.wait(60), 0, service.said())

    def run_unit(self, block):
        path = self.path('recorder.service')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(block.text)
        verdict = subprocess.run(['systemd-analyze', 'verify', path], capture_output=True, text=True, check=False)
        # The test "booted" has it there.
        said = [line for line in verdict.stderr.splitlines()
                if not re.search(r'Command /opt/\S+ is not executable', line)]
        self.assertEqual([line for line in said if 'recorder' in line], [])
        command = shlex.split(re.search(r'(?m)^ExecStart=(.*)', block.text)[1])
        self.assertTrue(os.access(command[0].replace('/opt/gst-tsrec', e2e.SOURCE_DIR), os.X_OK))

    def run_yaml(self, block):
        with open(self.path('prometheus.yml'), 'w', encoding='utf-8') as file:
            file.write(block.text)
        self.run_program(['promtool', 'check', 'config', 'prometheus.yml'], 'promtool')

    def run_promql(self, block):
        """Each line as the expression of an alert."""
        rules = 'groups:\n- name: block\n  rules:\n' + ''.join(
            f'  - alert: Line{number}\n    expr: {line}\n' for number, line in enumerate(block.text.splitlines()))
        with open(self.path('rules.yml'), 'w', encoding='utf-8') as file:
            file.write(rules)
        self.run_program(['promtool', 'check', 'rules', 'rules.yml'], 'promtool')

    def test_none_is_left_out(self):
        languages = collections.Counter(block.language for block in BLOCKS)
        for language in ('sh', 'c', 'python', 'html', 'ini', 'yaml', 'promql'):
            self.assertGreater(languages[language], 0, f'no block of {language}')
        for page in ('gst/tsrec/mux/gsttsrecmux.c', 'gst/tsrec/filesink/gstrecfilesink.c', 'gst/tsrec/sink/gsttsrecsink.c',
                     'gst/tsrec/monitor/gstrecmonitor.c', 'gst/recwebrtc/source/gstrecwhipsrc.c',
                     'gst/recwebrtc/source/gstrecwhepsrc.c', 'gst/recwebrtc/sink/gstrecwhipsink.c'):
            self.assertIn(page, {block.page for block in BLOCKS})

    def test_no_code_is_outside_of_a_block(self):
        """What is neither a block nor one of sample output would never be run."""
        pages = glob.glob('docs/**/*.md', root_dir=e2e.SOURCE_DIR, recursive=True)
        for page in ['README.md', *pages, *docblocks.other_pages(e2e.SOURCE_DIR)]:
            with open(os.path.join(e2e.SOURCE_DIR, page), encoding='utf-8') as file:
                self.assertEqual(list(docblocks.code_outside(file.read())), [], page)
        for block in BLOCKS:
            if block.language in docblocks.PROSE:
                with self.subTest(page=block.page, line=block.line):
                    self.assertNotRegex(block.text, r'(?m)^\s*([$#] )?(gst-launch-1.0|pipelines/\w|ffplay|meson|ninja) ')
        for path in glob.glob('gst/**/*.[ch]', root_dir=e2e.SOURCE_DIR, recursive=True):
            with open(os.path.join(e2e.SOURCE_DIR, path), encoding='utf-8') as file:
                text = file.read()
            blocks = [block for block in BLOCKS if block.page == path]
            self.assertEqual(len(re.findall(r'^ \* .*(?:\|\[|```|<programlisting)', text, re.M)), len(blocks), path)

    def test_every_example_has_a_test(self):
        tests = ''
        for pattern in ('**/meson.build', '**/*.py'):
            for path in glob.glob(os.path.join(e2e.SOURCE_DIR, 'tests', pattern), recursive=True):
                with open(path, encoding='utf-8') as file:
                    tests += file.read()
        for folder in ('examples', 'tests/examples'):
            for name in glob.glob('*', root_dir=os.path.join(e2e.SOURCE_DIR, folder)):
                if not re.search(r'^test_|meson\.build$|\.md$|^__', name):
                    with self.subTest(example=f'{folder}/{name}'):
                        self.assertIn(name, tests)

    def test_zz_recordings_play_in_browsers(self):
        """The last one by its name: what the others have recorded."""
        if not kinds:
            self.skipTest('nothing was recorded')
        server = self.start([self.path('pipelines/serve'), '--port', '8123', kept], 'serve', env=self.env)
        e2e.wait_for(lambda: SERVER_URL.search(server.said()), server.output)
        for name, browser in browsers.installed().items():
            with browser() as made:
                for kind in sorted(kinds):
                    with self.subTest(browser=name, kind=kind):
                        has_video = 'h264' in kind or 'hevc' in kind
                        if name == 'firefox' and not has_video and not os.path.exists('/dev/snd'):
                            self.skipTest('Firefox plays sound alone only where there is a sound card')
                        browsers.assert_plays(self, made, f'http://127.0.0.1:8123/#{kind}.ts', has_video)


def add_tests():
    for block in BLOCKS:
        if block.language not in docblocks.PROSE:
            name = re.sub(r'\W+', '_', os.path.splitext(block.page)[0])
            setattr(Blocks, f'test_{name}_{block.line:03}',
                    lambda self, block=block: self.run_block(block))


def enter_namespace():
    """Ports of its own, where the system allows it; npm needs the network before."""
    if 'REC_BLOCKS_INSIDE' in os.environ:
        return
    web = os.path.join(e2e.PIPELINES, 'lib', 'web')
    if not os.path.exists(os.path.join(web, 'node_modules', '.installed')):
        if subprocess.run(['npm', 'ci', '--prefix', web, '--silent'], check=False).returncode:
            e2e.skip('npm could not install the packages of pipelines/lib/web')
        shutil.copy(os.path.join(web, 'package-lock.json'), os.path.join(web, 'node_modules', '.installed'))
    unshare = ['unshare', '--net'] if os.getuid() == 0 else ['unshare', '--net', '--map-root-user']
    inside = [*unshare, 'sh', '-c', f'{NETWORK} && exec "$0" "$@"']
    if subprocess.run([*inside, 'true'], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        os.environ['REC_BLOCKS_INSIDE'] = '1'
        os.execvp(inside[0], [*inside, '/usr/bin/python3', *sys.argv])
    print('no network namespace can be made: the ports of the documentation are used as they are')


if __name__ == '__main__':
    e2e.need_tools('ffmpeg', 'ffprobe', 'ffplay', 'cc', 'pkg-config', 'node', 'npm', 'promtool',
                   'systemd-analyze', 'meson', 'ninja', 'chromium')
    e2e.need_elements('x264enc', 'avenc_aac', 'recwhipsrc')
    enter_namespace()
    add_tests()
    if 'firefox' not in browsers.installed():
        print('without Firefox (Debian package firefox-esr)')
    try:
        unittest.main(verbosity=2)
    finally:
        for folder in (kept, samples):
            shutil.rmtree(folder, ignore_errors=True)
