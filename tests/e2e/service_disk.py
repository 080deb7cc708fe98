#!/usr/bin/python3
# gst-tsrec: disks that refuse while the service records, and come back
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk that fills up, one that becomes read-only, one that is unmounted and a
folder whose permissions are taken away, each below one recording; another one has
bar codes and does not notice. Needs root for the mounts.
"""

import os
import subprocess
import sys
import unittest

import barcodes
import e2e
import service
import service_hooks

e2e.need_tools('ffprobe', 'ffmpeg', 'setpriv', 'mount')
e2e.need_elements('recserver', 'recwhipsrc', 'recwhipsink')
if os.geteuid() != 0:
    e2e.skip('needs root for file systems of its own')

# Root may write anywhere with it.
WITHOUT_OVERRIDE = ['setpriv', '--bounding-set=-dac_override']


def mount(*arguments):
    if subprocess.run(['mount', *arguments], check=False).returncode:
        e2e.skip('no right to mount')


class Disk:
    """A folder of the recordings, on a file system of its own."""

    reason = ''
    settings = 'max-size-time=0.5\n'

    def __init__(self, test):
        self.store = os.path.join(test.folder, 'store-' + self.name)
        self.folder = os.path.join(test.folder, 'recordings', self.name)
        for folder in (self.store, self.folder):
            os.makedirs(folder)
        mount('-t', 'tmpfs', '-o', 'size=4m', 'none', self.store)
        test.addCleanup(subprocess.run, ['umount', '-l', self.store], check=False)
        self.bind(test)

    def bind(self, test):
        mount('--bind', self.store, self.folder)
        test.addCleanup(subprocess.run, ['umount', '-q', '-l', self.folder], check=False)


class Full(Disk):
    name, reason, settings = 'full', 'disk-full', ''

    def take(self, _test):
        with open(os.path.join(self.store, 'ballast'), 'wb', buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def give_back(self, _test):
        os.unlink(os.path.join(self.store, 'ballast'))


class ReadOnly(Disk):
    name = 'readonly'

    def take(self, test):
        """A file system with a file that is written cannot be made read-only."""
        self.bind(test)
        mount('-o', 'remount,bind,ro', self.folder)

    def give_back(self, _test):
        subprocess.run(['umount', '-l', self.folder], check=True)


class Removed(Disk):
    name, reason, settings = 'removed', 'mount-removed', ''

    def take(self, _test):
        subprocess.run(['umount', '-l', self.folder], check=True)

    def give_back(self, test):
        self.bind(test)


class Forbidden(Disk):
    name = 'forbidden'

    def take(self, _test):
        os.chmod(self.folder, 0o555)

    def give_back(self, _test):
        os.chmod(self.folder, 0o755)


class Disks(e2e.TestCase):
    def configure(self, disks, url):
        config = self.path('server.conf')
        with open(config, 'w', encoding='ascii') as file:
            for disk in disks:
                file.write(f'[path {disk.name}]\nlocation={disk.name}/{{id}}\npeer-timeout=5m\nhook-url={url}\n'
                           f'hook-secret={service_hooks.SECRET.decode()}\n{disk.settings}')
            file.write('[path *]\npeer-timeout=5m\n')
        return config

    def wait_for_hook(self, receiver, disk, name):
        return e2e.wait_for(lambda: [event for event in receiver.came
                                     if (event['id'], event['event']) == (disk.name, name)],
                            f'the hook {name} of {disk.name}', 60)[0]

    def status(self, server, disk):
        return server.ask('GET', f'/api/recording/status/{disk.name}')

    def check_refusal(self, server, receiver, disk):
        """Of a file that is open, nothing is lost: only the next one cannot be begun."""
        if not disk.reason:
            facts = self.wait_for_hook(receiver, disk, 'alert-raised')['facts']
            self.assertEqual((facts['rule'], facts['where']), ('open-failed', 'disk'))
            status = self.status(server, disk)
            self.assertEqual((status['state'], status['stats']['bytes_dropped']), ('recording', 0), status)
            self.assertIn('Could not begin the next file', status['warning'])
            self.assertIn('open-failed', [alert['rule'] for alert in status['alerts']], status)
            return
        status = e2e.wait_for(lambda: (status := server.wait_for_state(disk.name, 'disk-full')).get('warning') and status,
                              f'the warning of {disk.name}')
        self.assertTrue(status['is_recording'])
        alert, = [alert for alert in status['alerts'] if alert['rule'] == disk.reason]
        self.assertEqual((alert['where'], alert['text']), ('disk', status['warning']))
        event = self.wait_for_hook(receiver, disk, 'disk-full')
        self.assertEqual((event['state'], event['facts']['reason'], event['facts']['text']),
                         ('disk-full', disk.reason, alert['text']))
        e2e.wait_for(lambda: self.status(server, disk)['stats']['bytes_dropped'] > 0, f'{disk.name} to drop')

    def check_return(self, server, receiver, disk):
        event = self.wait_for_hook(receiver, disk, 'disk-recovered' if disk.reason else 'alert-cleared')
        if disk.reason:
            self.assertEqual(event['facts']['reason'], disk.reason)
        status = server.wait_for_state(disk.name, 'recording')
        self.assertNotIn('disk', [alert['where'] for alert in status['alerts']], status)
        self.assertNotIn('warning', status)
        written = status['stats']['bytes_written']
        e2e.wait_for(lambda: self.status(server, disk)['stats']['bytes_written'] > written, f'{disk.name} to grow')

    def check_end(self, server, disk):
        end = server.ask('POST', '/api/recording/stop', {'id': disk.name})
        self.assertEqual((end['success'], end['state']), (True, 'stopped'), end)
        self.assertEqual(end['gap_seconds'] > 0, bool(disk.reason), end)
        files = [os.path.join(disk.folder, name) for name in os.listdir(disk.folder) if name.endswith('.ts')]
        self.assertEqual('files' in end, disk.name == 'removed')
        for path in files:
            self.assertEqual(e2e.decoding_complaints(path), '', path)
            facts = e2e.wait_for(lambda p=path: (facts := service.load(p.replace('.ts', '.json'))).get('ended') and facts,
                                 f'the sidecar of {path}')
            self.assertEqual(facts['file_size_bytes'], os.path.getsize(path))

    @e2e.tries(2)
    def test_each_is_reported_and_the_recording_goes_on(self):
        disks = [kind(self) for kind in (Full, ReadOnly, Removed, Forbidden)]
        receiver = service_hooks.Receiver(self)
        server = service.Service(self, self.folder, '--config',
                                 self.configure(disks, f'http://127.0.0.1:{receiver.server_port}/'),
                                 prefix=WITHOUT_OVERRIDE)
        publisher = self.start([sys.executable, barcodes.__file__, *(
            f'http://127.0.0.1:{server.port}/whip/{name}' for name in [disk.name for disk in disks] + ['well'])],
                               'publisher')
        for name in [disk.name for disk in disks] + ['well']:
            server.wait_for_state(name, 'recording')
        for disk in disks:
            disk.take(self)
        for disk in disks:
            self.check_refusal(server, receiver, disk)
        self.assertEqual(server.ask('GET', '/api/recording/status/well')['state'], 'recording')
        for disk in disks:
            disk.give_back(self)
        for disk in disks:
            self.check_return(server, receiver, disk)
        self.assertTrue(publisher.is_running(), publisher.said())
        path = server.ask('POST', '/api/recording/stop', {'id': 'well'})['output_path']
        numbers = barcodes.numbers(path)
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        for disk in disks:
            self.check_end(server, disk)


if __name__ == '__main__':
    unittest.main(verbosity=2)
