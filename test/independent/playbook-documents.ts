import { digestOf } from './canonical-json.ts';

export interface WrittenPlaybook {
  name: string;
  /** The file as its author wrote it. */
  text: string;
  digest: string;
}

const ECHO_NOTE_YAML = `# Comments and layout are no part of the digest.
name: echo-note
title: "Écho — a note 📝"
description: >-
  Prints one note,
  as often as asked.
risk: low
params:
  note:
    type: string
    pattern: "[a-z0-9-]{1,32}"
    required: true
  times: { type: integer, min: 1, max: 5, default: 2 }
  mode:
    type: enum
    values: [plain, loud]
    default: plain
timeout: 30s
max_timeout: 10m
idempotent: true
steps:
  - run: [/bin/echo, "\${note}", "--times=\${times}"]
  - run: [/bin/echo, "\${mode}"]
`;

const ECHO_NOTE = {
  name: 'echo-note',
  title: 'Écho — a note 📝',
  description: 'Prints one note, as often as asked.',
  risk: 'low',
  params: {
    note: { type: 'string', pattern: '[a-z0-9-]{1,32}', required: true },
    times: { type: 'integer', min: 1, max: 5, default: 2 },
    mode: { type: 'enum', values: ['plain', 'loud'], default: 'plain' },
  },
  timeout: '30s',
  max_timeout: '10m',
  idempotent: true,
  steps: [{ run: ['/bin/echo', '${note}', '--times=${times}'] }, { run: ['/bin/echo', '${mode}'] }],
};

const RISKY_NOTE = {
  steps: [{ run: ['/bin/echo', '${note}'] }],
  verify: [{ run: ['/bin/true'], wait: { for: '3s', every: '1s' } }],
  name: 'risky-note',
  title: 'A note of high risk',
  description: 'As echo-note, but someone has to agree.',
  risk: 'high',
  params: { note: { required: true, type: 'string', pattern: '[a-z0-9-]{1,32}' } },
  timeout: '30s',
  idempotent: false,
};

export const ECHO_NOTE_PLAYBOOK: WrittenPlaybook = {
  name: 'echo-note',
  text: ECHO_NOTE_YAML,
  digest: digestOf(ECHO_NOTE),
};

/** Written as JSON, which is YAML too. */
export const RISKY_NOTE_PLAYBOOK: WrittenPlaybook = {
  name: 'risky-note',
  text: JSON.stringify(RISKY_NOTE, null, 2),
  digest: digestOf(RISKY_NOTE),
};

/** As echo-note, for requests whose cards are looked at: of more than four of one playbook in a minute a batch is made. */
export const CHAT_NOTE_PLAYBOOKS: readonly WrittenPlaybook[] = ['chat-note-1', 'chat-note-2', 'chat-note-3'].map(
  (name) => {
    const document = { ...ECHO_NOTE, name };
    return { name, text: JSON.stringify(document, null, 2), digest: digestOf(document) };
  },
);

export const PLAYBOOKS: readonly WrittenPlaybook[] = [ECHO_NOTE_PLAYBOOK, RISKY_NOTE_PLAYBOOK, ...CHAT_NOTE_PLAYBOOKS];

/** What an agent that has both tells about them. */
export const ANNOUNCED = PLAYBOOKS.map(({ name, digest }) => ({ name, digest }));
