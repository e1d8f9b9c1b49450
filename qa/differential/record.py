#!/usr/bin/env python3
"""Records what the real ExaBGP makes of random NLRI, attributes, messages, route words and configurations.

    python3 -m venv VENV && VENV/bin/pip install exabgp==5.0.15
    VENV/bin/python qa/differential/record.py [SEED [COUNT [DIRECTORY]]]

writes {nlri,attributes,words,updates,lines,configurations,dialogues,messages,events,received,reloads,varied}.jsonl into DIRECTORY, by default tests/differential, which
`cargo test --test main differential` replays: each line has the octets or the words, and either what ExaBGP 5.0.15 makes
of them or `null` where it refuses. The same seed gives the same files. `qa/differential/run` does both for a new seed.
"""

import json
import os
import sys

from chance import FAMILIES, R, octets
from configurations import configurations
from dialogues import dialogues
from events import events
from program import dialogue
from received import received
from reloads import reloads
from varied import varied
from reference import answer, offline, sent, show_attribute, show_message, show_nlri, show_update, show_words
from wire import ATTRIBUTES, changed, message, nlri, update
from words import command, routes

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 12
HERE = os.path.dirname(os.path.abspath(__file__))
# The reactor goes to the root directory.
OUT = os.path.abspath(sys.argv[3] if len(sys.argv) > 3 else os.path.join(HERE, '..', '..', 'tests', 'differential'))


def write(name, rows):
    with open(os.path.join(OUT, name), 'w') as out:
        for row in rows:
            out.write(json.dumps(row) + '\n')


def main():
    R.seed(SEED)
    rows = []
    for name in FAMILIES:
        for at in range(COUNT * 2):
            data = nlri(name)
            if at >= COUNT:
                data = changed(data)
            path = R.random() < 0.25
            data = octets(4) + data if path else data
            rows.append({'family': name, 'path': path, 'octets': data.hex(), 'shown': show_nlri(name, data, path)})
    write('nlri.jsonl', rows)
    rows = []
    for code, (flag, make) in ATTRIBUTES.items():
        for at in range(COUNT * (6 if code == 29 else 2)):
            data = make()
            if at % 3 == 2:
                data = changed(data)
            rows.append({'code': code, 'octets': data.hex(), 'shown': show_attribute(code, flag, data)})
    write('attributes.jsonl', rows)
    rows = []
    for kind, family, words, others, conf in routes(COUNT):
        rows.append({'kind': kind, 'family': family, 'words': words, 'others': others, 'shown': show_words(conf)})
    write('words.jsonl', rows)
    neighbor, negotiated = offline()
    rows = []
    for name in FAMILIES:
        for _ in range(COUNT // 2):
            data = update(name)
            rows.append({'family': name, 'octets': data.hex(), 'shown': show_update(data, negotiated)})
    write('updates.jsonl', rows)
    write('lines.jsonl', ({'line': command(conf), 'sent': sent(conf)} for *_, conf in routes(COUNT)))
    write('configurations.jsonl', ({'text': text, 'answer': answer(text)} for text in configurations(10 * COUNT)))
    write(
        'dialogues.jsonl',
        (
            {'text': text, 'established': established, 'lines': lines, 'shown': dialogue(text, established, lines)}
            for text, established, lines in dialogues(5 * COUNT)
        ),
    )
    messages = (message() for _ in range(5 * COUNT))
    write('messages.jsonl', ({'octets': data.hex(), 'shown': show_message(data, neighbor)} for data in messages))
    write('events.jsonl', events(10 * COUNT, neighbor, negotiated))
    write('received.jsonl', received(10 * COUNT, neighbor, negotiated))
    write('reloads.jsonl', (row for row in reloads(5 * COUNT) if row['does'] is not None))
    write('varied.jsonl', ({'text': text, 'answer': answer(text)} for text in varied(5 * COUNT)))


main()
