# gst-tsrec: the blocks of code in the documentation
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads them out of README.md, docs/, every other page of the tree and the comments
of the elements, and takes those of shell apart into commands."""

import collections
import glob
import os
import re
import subprocess

Block = collections.namedtuple('Block', 'page line language text')

# Blocks without code: sample output and drawings.
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
    for name in other_pages(folder):
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            blocks += of_page(name, file.read())
    return blocks


def other_pages(folder):
    """What is not in docs/ or installed by npm, as of a folder with examples."""
    found = glob.glob('**/*.md', root_dir=folder, recursive=True)
    return sorted(name for name in found if name != 'README.md' and not re.match(r'(docs|build[^/]*)/', name) and
                  '/node_modules/' not in name)


def code_outside(text):
    """Lines of a page that look like code and are in none of its blocks: fences that
    were not understood, blocks by indentation, and HTML."""
    blanked = list(text)
    for found in re.finditer(r'^( *)```(\S*)\n(.*?)^ *```[ ]*$', text, re.M | re.S):
        for index in range(*found.span()):
            if blanked[index] != '\n':
                blanked[index] = ' '
    lines = ''.join(blanked).split('\n')
    for number, line in enumerate(lines, 1):
        in_list = re.match(r'( *)([-*+]|\d+[.)]) ', lines[number - 2]) if number > 1 else None
        indented = re.match(r' {4,}\S', line) and number > 1 and not lines[number - 2].strip() and not in_list
        if re.match(r'\s*(```|~~~)|.*<(pre|code|programlisting)\b', line) or indented:
            yield number, line


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
