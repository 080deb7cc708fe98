#!/usr/bin/python3
# gst-tsrec: errors are reported clearly, and leave nothing broken behind
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import unittest
import urllib.error
import urllib.request

import e2e

VIDEO = ('videotestsrc is-live=true ! video/x-raw,width=320,height=240 ! '
         'x264enc tune=zerolatency speed-preset=ultrafast ! h264parse ! ')
OFFER = """v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=video 9 UDP/TLS/RTP/SAVPF 45\r
c=IN IP4 0.0.0.0\r
a=mid:0\r
a=sendonly\r
a=rtcp-mux\r
a=setup:actpass\r
a=ice-ufrag:abcd\r
a=ice-pwd:abcdefghijklmnopqrstuvwx\r
a=fingerprint:sha-256 {fingerprint}\r
a=rtpmap:45 THEORA/90000\r
""".format(fingerprint=':'.join(['AA'] * 32))


class Launch(e2e.TestCase):
    def assert_fails(self, line, *words, **kwargs):
        process = self.launch(line, 'launch', **kwargs)
        self.assertNotEqual(process.wait(), 0, 'it went well')
        self.assertGreater(process.child.returncode, 0,
                           f'killed by a signal: {process.said()}')
        for word in words:
            self.assertIn(word, process.said())
        return process.said()

    def test_missing_folder_is_named(self):
        self.assert_fails(VIDEO + 'tsrecsink location=no/such/folder/rec.ts',
                  'no/such/folder', 'No such file or directory')

    def test_location_that_is_a_folder_is_named(self):
        os.mkdir(self.path('rec.ts'))
        self.assert_fails(VIDEO + 'tsrecsink location=rec.ts', 'rec.ts', 'directory')

    def test_no_location_says_which_property(self):
        self.assert_fails(VIDEO + 'tsrecsink', 'location')

    def test_folder_without_permission_is_named(self):
        if os.geteuid() == 0:
            self.skipTest('root may write everywhere')
        os.mkdir(self.path('locked'), 0o500)
        self.assert_fails(VIDEO + 'tsrecsink location=locked/rec.ts', 'locked/rec.ts',
                  'Permission denied')

    def test_caps_that_ts_cannot_carry_leave_no_empty_file_without_a_word(self):
        line = ('videotestsrc num-buffers=30 ! video/x-raw,width=160,height=120 ! '
                'vp8enc ! tsrecsink location=rec.ts')
        process = self.launch(line, 'launch')
        process.wait()
        self.assertGreaterEqual(process.child.returncode, 0)
        self.assertRegex(process.said(), 'vp8|VP8|link')

    def test_port_in_use_is_named(self):
        port = e2e.free_port()
        with e2e.socket.create_server(('127.0.0.1', port)):
            self.assert_fails(f'recwhipsrc name=w port={port} w.video ! fakesink '
                      'w.audio ! fakesink', str(port), 'in use')


class Whip(e2e.TestCase):
    def setUp(self):
        super().setUp()
        self.port = e2e.free_port()
        self.server = self.launch(
            f'recwhipsrc name=w port={self.port} auth-token=right '
            'w.video ! h264parse ! tsrecsink name=rec location=rec.ts '
            'w.audio ! opusparse ! rec.', 'server')
        e2e.wait_for(lambda: e2e.is_listening(self.port), 'the WHIP server')
        e2e.wait_for(lambda: self.post(b'hello')[0] != 503, 'the pipeline to run')

    def post(self, body, content_type='application/sdp', token='right'):
        """(status, reason in the body)"""
        headers = {'Content-Type': content_type}
        if token is not None:
            headers['Authorization'] = 'Bearer ' + token
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}/whip', body, headers, method='POST')
        try:
            with urllib.request.urlopen(request, timeout=e2e.PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def assert_refused(self, answer, *statuses):
        status, reason = answer
        self.assertIn(status, statuses, reason)
        self.assertGreater(len(reason.strip()), 10, 'no reason in the body')
        self.assertTrue(self.server.is_running(), self.server.said())

    def test_not_sdp(self):
        self.assert_refused(self.post(b'hello'), 400)
        self.assert_refused(self.post(b''), 400)
        self.assert_refused(self.post(b'v=0\r\n' * 3), 400, 422)
        self.assert_refused(self.post(bytes(range(256))), 400)

    def test_wrong_content_type(self):
        self.assert_refused(self.post(OFFER.encode(), 'text/plain'), 415, 400)

    def test_no_codec_in_common(self):
        self.assert_refused(self.post(OFFER.encode()), 406, 422, 400)

    def test_wrong_token(self):
        self.assert_refused(self.post(OFFER.encode(), token='wrong'), 401)
        self.assert_refused(self.post(OFFER.encode(), token=None), 401)

    def test_offer_without_end(self):
        """Refused, or cut off before all of it was sent."""
        try:
            answer = self.post(b'v=0\r\n' + b'a=x\r\n' * 400000)
        except (ConnectionError, urllib.error.URLError):
            self.assert_refused(self.post(b'hello'), 400)
        else:
            self.assert_refused(answer, 413, 400)


if __name__ == '__main__':
    e2e.need_elements('webrtcbin', 'x264enc', 'vp8enc')
    unittest.main(verbosity=2)
