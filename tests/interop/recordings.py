# gst-tsrec: recordings by pipelines/record of senders without options for them
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import re
import subprocess
import threading

import judge
import processes
from stage import OFFSET, scenario

RECORD = processes.HERE.parent.parent / 'pipelines' / 'record'
SECONDS = 10


class RecordCommand:
    """`pipelines/record --publisher none` and what it says."""

    PORT = processes.Recorder.PORT

    def __init__(self, folder):
        self.folder = folder
        self.lines = []
        self.lines_said = []
        self.url = f'http://127.0.0.1:{self.PORT}/whip'
        self.process = subprocess.Popen(
            [str(RECORD), '--publisher', 'none', '--duration', str(SECONDS),
             '--output', str(folder), '--port', str(self.PORT)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        processes.wait_for_http(self.url, self)

    def _read(self):
        for line in self.process.stdout:
            self.lines_said.append(line.rstrip())

    def tail(self):
        return ' | '.join(self.lines_said[-3:])

    def finish(self):
        """(exit status, file)"""
        try:
            status = self.process.wait(SECONDS + 30)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            status = 'did not end'
        self.reader.join(5)
        files = sorted(self.folder.glob('rec-*.ts'))
        return status, files[0] if files else None


def record_command(stage, codec):
    stage.recorder = RecordCommand(stage.folder)
    stage.proxy.target = stage.recorder.url
    result = stage.result
    stage.publish(codec=codec)
    stage.run(SECONDS + 2)
    status, path = stage.recorder.finish()
    (stage.folder / 'record.log').write_text('\n'.join(stage.recorder.lines_said))
    result.check(status == 0, f'pipelines/record ended with {status}: {stage.recorder.tail()}')
    result.check(path, 'there is no file')
    if not path:
        return
    verdict = result.verdict = judge.Verdict(str(path), stage.heard)
    for what, found in (('continuity', verdict.continuity), ('decoding', verdict.errors),
                        ('refused', verdict.refused)):
        result.check(not found, f'{len(found)} {what} errors: {found[:2]}')
    result.check(not verdict.damaged, f'{verdict.damaged} damaged pictures')
    result.check(verdict.codecs == {'video': 'h264', 'audio': 'aac'}, f'{verdict.codecs}')
    said = [line for line in stage.recorder.lines_said if codec in line.upper()]
    result.notes += said
    if codec != 'H264':
        result.check(any(re.search(r'encod', line, re.IGNORECASE) for line in said),
                     f'nothing was said about encoding {codec}')
    # AAC begins one or two frames of 21 ms early or late.
    stage.expect_offset(OFFSET + 0.045)
    stage.expect_beeps(SECONDS)
    stage.expect_pictures(('connected', 2000), ('connected', SECONDS * 1000 - 1000), share=0.9)


@scenario('record-h264', group='record')
def record_h264(stage):
    record_command(stage, 'H264')


@scenario('record-vp8', group='record')
def record_vp8(stage):
    record_command(stage, 'VP8')


@scenario('record-vp9', group='record')
def record_vp9(stage):
    record_command(stage, 'VP9')


def publisher_killed(stage, codec):
    """The last picture before the publisher vanished is not written seconds
    later, when the recording ends."""
    stage.recorder = RecordCommand(stage.folder)
    stage.proxy.target = stage.recorder.url
    stage.publish(codec=codec)
    stage.run(4)
    stage.kill_browser()
    status, path = stage.recorder.finish()
    (stage.folder / 'record.log').write_text('\n'.join(stage.recorder.lines_said))
    stage.result.check(status == 0, f'pipelines/record ended with {status}: '
                                    f'{stage.recorder.tail()}')
    stage.result.check(path, 'there is no file')
    if not path:
        return
    verdict = stage.result.verdict = judge.Verdict(str(path), stage.heard)
    holes = verdict.holes('video', 1.5)
    stage.result.check(not holes, f'holes in 4 s of video: {holes}')
    stage.expect_pictures(('connected', 2000), ('end', -500), share=0.8)


@scenario('record-vp8-killed', group='record')
def record_vp8_killed(stage):
    publisher_killed(stage, 'VP8')


@scenario('record-vp9-killed', group='record')
def record_vp9_killed(stage):
    publisher_killed(stage, 'VP9')


@scenario('record-h264-killed', group='record')
def record_h264_killed(stage):
    publisher_killed(stage, 'H264')
