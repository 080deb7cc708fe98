# gst-tsrec: the blocks of code in the documentation
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads them out of README.md, docs/ and the comments of the elements, and takes
those of shell apart into commands."""

import collections
import glob
import os
import re
import subprocess

Block = collections.namedtuple('Block', 'page line language text')

# What is no code: sample output and drawings.
PROSE = ('text',)


def of_page(name, text):
    for found in re.finditer(r'^( *)```(\S*)\n(.*?)^ *```', text, re.M | re.S):
        line = text.count('\n', 0, found.start()) + 1
        body = re.sub(rf'(?m)^{found[1]}', '', found[3])
        yield Block(name, line, found[2], body)


def of_source(name, text):
    """|[ ... ]| of a documentation comment holds a launch line."""
    for found in re.finditer(r'^ \* \|\[(.*?)^ \* \]\|', text, re.M | re.S):
        line = text.count('\n', 0, found.start()) + 1
        body = re.sub(r'(?m)^ \* ?', '', found[1]).strip('\n') + '\n'
        language = re.match(r'<!-- language="(\w+)" -->\n', body)
        if language:
            body = body[language.end():]
        yield Block(name, line, language[1].lower() if language else 'sh', body)


def read_all(folder):
    blocks = []
    for pattern, reader in (('README.md', of_page), ('docs/**/*.md', of_page),
                            ('gst/**/*.[ch]', of_source)):
        for path in sorted(glob.glob(os.path.join(folder, pattern), recursive=True)):
            with open(path, encoding='utf-8') as file:
                blocks += reader(os.path.relpath(path, folder), file.read())
    return blocks


def is_complete(text):
    """Whether bash would wait for another line."""
    if text.endswith('\\\n'):
        return False
    checked = subprocess.run(['bash', '-n'], input=text, capture_output=True, text=True, check=False)
    return checked.returncode == 0 and 'here-document' not in checked.stderr


def commands(block):
    """The commands of a block of shell, as they are typed one after another."""
    lines = block.text.splitlines(keepends=True)
    if block.language == 'console':
        lines = [line[2:] for line in lines if line.startswith('$ ')]
    command = ''
    for line in lines:
        command += line
        if is_complete(command):
            if not re.fullmatch(r'\s*(#.*)?\n', command):
                yield command
            command = ''
    if command:
        raise AssertionError(f'{block.page}:{block.line}: bash does not understand:\n{command}')
