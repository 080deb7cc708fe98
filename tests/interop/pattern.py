# gst-tsrec: the bar code and the beeps of publisher.js, written and read
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pattern that makes a recording say what is missing in it.

Picture: 16 columns by 3 rows of black and white cells over the upper 3/8:
16 bits of sequence number, 24 bits of milliseconds since the epoch, 8 bits of
CRC. A picture of one colour has no valid CRC.
Sound: a beep of 100 ms at every full second k since the epoch, of
500 + 125 * (k modulo 16) Hz.
"""

import numpy as np

COLUMNS = 16
ROWS = 3
ROW_OF_HEIGHT = 8
BEEP_SECONDS = 0.1
BEEP_BASE = 500
BEEP_STEP = 125
BEEP_PITCHES = 16
MS_MODULUS = 1 << 24
SEQUENCE_MODULUS = 1 << 16


def crc8(data):
    crc = 0x5a
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xff if crc & 0x80 else (crc << 1) & 0xff
    return crc


def encode_picture(sequence, milliseconds, width=640, height=360):
    """Luma plane (numpy, uint8) of one picture."""
    data = (sequence % SEQUENCE_MODULUS).to_bytes(2, 'big')
    data += (milliseconds % MS_MODULUS).to_bytes(3, 'big')
    data += bytes([crc8(data)])
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(ROWS, COLUMNS)
    picture = np.full((height, width), 90, np.uint8)
    ys = np.arange(height) * ROW_OF_HEIGHT // height
    xs = np.arange(width) * COLUMNS // width
    inside = ys < ROWS
    cells = bits[ys[inside]][:, xs] * 219 + 16
    picture[inside] = cells
    x = milliseconds // 10 % width
    picture[height // 2:height // 2 + 32, x:x + 32] = 200
    return picture


def decode_picture(luma):
    """(sequence, milliseconds) of a luma plane, or None if it is damaged."""
    height, width = luma.shape
    cell_w, cell_h = width / COLUMNS, height / ROW_OF_HEIGHT
    bits = []
    for row in range(ROWS):
        y0, y1 = int((row + 0.3) * cell_h), int((row + 0.7) * cell_h) + 1
        band = luma[y0:y1].mean(axis=0)
        for column in range(COLUMNS):
            x0, x1 = int((column + 0.3) * cell_w), int((column + 0.7) * cell_w) + 1
            bits.append(band[x0:x1].mean() > 126)
    data = np.packbits(bits).tobytes()
    if crc8(data[:5]) != data[5]:
        return None
    return int.from_bytes(data[:2], 'big'), int.from_bytes(data[2:5], 'big')


def pitch_of(second):
    return BEEP_BASE + BEEP_STEP * (second % BEEP_PITCHES)


def encode_sound(first_second, seconds, rate=48000, epoch=0.0):
    """Float samples that begin `epoch` seconds before first_second."""
    sound = np.zeros(int(seconds * rate), np.float32)
    length = int(BEEP_SECONDS * rate)
    for second in range(int(np.ceil(seconds))):
        at = int((second + epoch) * rate)
        beep = 0.5 * np.sin(2 * np.pi * pitch_of(first_second + second) *
                            np.arange(length) / rate)
        room = min(length, len(sound) - at)
        if room > 0:
            sound[at:at + room] = beep[:room]
    return sound


def find_beeps(sound, rate=48000):
    """[(seconds from the start of `sound`, second modulo 16)] of every beep."""
    block = rate // 500  # 2 ms
    count = len(sound) // block
    if not count:
        return []
    level = np.sqrt((sound[:count * block].reshape(count, block) ** 2).mean(axis=1))
    loud = level > 0.08
    beeps = []
    index = 0
    while index < count:
        if not loud[index]:
            index += 1
            continue
        end = index
        while end < count and loud[end:end + 5].any():
            end += 1
        if (end - index) * block >= 0.04 * rate:
            beep = _read_beep(sound, rate, index * block, end * block)
            if beep:
                beeps.append(beep)
        index = end
    return beeps


def _read_beep(sound, rate, start, end):
    end = min(end, start + int(BEEP_SECONDS * rate))
    piece = sound[start:end] * np.hanning(end - start)
    size = 1 << 15
    spectrum = np.abs(np.fft.rfft(piece, size))
    pitch = spectrum.argmax() * rate / size
    number = (pitch - BEEP_BASE) / BEEP_STEP
    if abs(number - round(number)) > 0.3 or not 0 <= round(number) < BEEP_PITCHES:
        return None
    return start / rate, round(number)
