#!/usr/bin/python3
# gst-tsrec: the size of a recording, against the peers on the same streams
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encodes each load once, with ffmpeg, and muxes the very same access units
with mp4mux (the reference), mpegtsmux, ffmpeg's mpegts and tsrecmux with its
defaults and its lean settings. Prints bytes and the overhead over MP4.

Nothing is asserted about size; exit status 77 when a tool is missing."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

LEAN_AUDIO = "audio-pes-time=200000000"
LEAN = LEAN_AUDIO + " pack=true"

# name, video kb/s, picture size, audio codec
LOADS = [
    ("270 kb/s: H.264 30 fps + 48 kb/s AAC", 222, "480x270", "aac"),
    ("270 kb/s: H.264 30 fps + 48 kb/s Opus", 222, "480x270", "opus"),
    ("2 Mb/s: H.264 30 fps + 48 kb/s AAC", 1952, "1280x720", "aac"),
    ("2 Mb/s: H.264 30 fps + 48 kb/s Opus", 1952, "1280x720", "opus"),
]

MUXERS = [
    ("mp4mux", "mp4mux name=m ! filesink location={out}", "avc", "raw"),
    ("mpegtsmux", "mpegtsmux name=m ! filesink location={out}", "byte-stream",
     "adts"),
    ("ffmpeg mpegts", None, None, None),
    ("tsrecmux, defaults", "tsrecmux name=m ! filesink location={out}",
     "byte-stream", "adts"),
    ("tsrecmux " + LEAN_AUDIO, "tsrecmux name=m " + LEAN_AUDIO +
     " ! filesink location={out}", "byte-stream", "adts"),
    ("tsrecmux " + LEAN, "tsrecmux name=m " + LEAN +
     " ! filesink location={out}", "byte-stream", "adts"),
]


def encode(path, kilobits, size, audio, seconds):
    """What a live encoder makes: no B-frames, a key frame every 2 s."""
    codec = {"aac": ["aac"], "opus": ["libopus", "-frame_duration", "20"]}
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y",
         "-f", "lavfi", "-i", "testsrc2=s=%s:r=30" % size,
         "-f", "lavfi", "-i", "anoisesrc=c=pink:r=48000:a=0.3",
         "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast",
         "-tune", "zerolatency", "-bf", "0", "-g", "60",
         "-b:v", "%dk" % kilobits, "-maxrate", "%dk" % kilobits,
         "-bufsize", "%dk" % kilobits, "-pix_fmt", "yuv420p",
         "-c:a"] + codec[audio] + ["-b:a", "48k", "-ac", "2", path],
        check=True)


def mux(source, out, muxer, audio):
    _, launch, video_format, audio_format = muxer
    if launch is None:
        command = ["ffmpeg", "-v", "error", "-y", "-i", source, "-c", "copy",
                   "-f", "mpegts", out]
    else:
        sound = ("opusparse" if audio == "opus" else
                 "aacparse ! audio/mpeg,stream-format=" + audio_format)
        command = ["gst-launch-1.0", "-q"] + (
            "filesrc location={src} ! matroskademux name=d "
            "d.video_0 ! queue max-size-time=0 max-size-bytes=0 "
            "max-size-buffers=0 ! h264parse ! "
            "video/x-h264,alignment=au,stream-format={vf} ! m. "
            "d.audio_0 ! queue max-size-time=0 max-size-bytes=0 "
            "max-size-buffers=0 ! {sound} ! m. ".format(
                src=source, vf=video_format, sound=sound) +
            launch.format(out=out)).split()
    subprocess.run(command, check=True, timeout=300)
    return os.path.getsize(out)


def payload_bytes(source):
    """The bytes of the access units alone."""
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=size", "-of",
         "csv=p=0", source], check=True, capture_output=True, text=True)
    return sum(int(line.split(",")[0]) for line in out.stdout.split())


def has_element(name):
    return subprocess.run(["gst-inspect-1.0", "--exists", "--atleast-version=0.0", name]).returncode == 0


def measure(load, directory, seconds):
    name, kilobits, size, audio = load
    source = os.path.join(directory, "source.mkv")
    reference = None
    encode(source, kilobits, size, audio, seconds)
    payload = payload_bytes(source)
    print("\n%s, %d s: %d bytes of access units (%.2f MB a minute)" %
          (name, seconds, payload, payload * 60e-6 / seconds))
    for muxer in MUXERS:
        out = os.path.join(directory, "out")
        try:
            total = mux(source, out, muxer, audio)
        except subprocess.SubprocessError as error:
            print("  %-48s could not: %s" % (muxer[0], error))
            continue
        reference = reference or total
        print("  %-48s %10d  %+6.1f %% over MP4" %
              (muxer[0], total, 100.0 * total / reference - 100))
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    for tool in ("ffmpeg", "ffprobe", "gst-launch-1.0"):
        if not shutil.which(tool):
            print("skipped: no %s" % tool)
            return 77
    for element in ("mp4mux", "mpegtsmux", "matroskademux", "tsrecmux",
                    "h264parse", "opusparse"):
        if not has_element(element):
            print("skipped: no element %s" % element)
            return 77
    with tempfile.TemporaryDirectory() as directory:
        for load in LOADS:
            measure(load, directory, arguments.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
