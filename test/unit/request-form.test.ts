import { describe, expect, test } from '@jest/globals';
import type { InputBlock, ModalView } from '@slack/types';
import fc from 'fast-check';
import { createParamInputs } from '../../bot/blocks/param-inputs.ts';
import { createRequestForm } from '../../bot/blocks/request-form.ts';
import type { Entered } from '../../bot/blocks/request-form.ts';
import { readEntered, typedParams } from '../../bot/listeners/request-state.ts';
import { inTurn } from '../../bot/listeners/update-view.ts';
import { createSealKey, openSeal, sealForm } from '../../bot/seal.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import type { ParamSpec, Playbook } from '../../playbook/playbook.ts';
import { judgeView } from '../../sandbox/slack/block-kit/surfaces.ts';
import { initialState } from '../../sandbox/slack/view-state.ts';
import type { ActionPreview, PastOutcome } from '../../services/actions/preview-action.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { halt } from '../support/generated-views.ts';

const RUNS = { numRuns: 300 };
const HOSTILE = [
  '<!channel>',
  '<@U0ANA>',
  '*b*',
  '`',
  ':bomb:',
  '\u001b[31mred',
  '\u202Egpj',
  '\u200B',
  '&lt;',
  '𝕏'.repeat(400),
];
const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), fc.constantFrom(...HOSTILE));
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,63}$/);
const isRequired = fc.boolean();

const spec: fc.Arbitrary<ParamSpec> = fc.oneof(
  fc.record({
    type: fc.constant('string' as const),
    required: isRequired,
    maxLength: fc.integer({ min: 1, max: 1_024 }),
    pattern: fc.oneof(fc.constant('[a-z]+'), fc.constant(`(${'a|'.repeat(900)}b)`), text),
    description: text,
    default: text,
  }),
  fc
    .tuple(isRequired, fc.uniqueArray(fc.nat(), { minLength: 2, maxLength: 2 }), fc.nat())
    .map(([required, bounds, wished]) => {
      const [min = 0, max = 0] = bounds.toSorted((one, other) => one - other);
      return { type: 'integer' as const, required, min, max, default: wished };
    }),
  fc.record({ type: fc.constant('boolean' as const), required: isRequired, default: fc.boolean(), description: text }),
  fc.record({
    type: fc.constant('enum' as const),
    required: isRequired,
    values: fc.uniqueArray(fc.oneof(text, name), { minLength: 1, maxLength: 150 }),
  }),
  fc.record({
    type: fc.constant('path' as const),
    required: isRequired,
    within: fc.array(text, { minLength: 1, maxLength: 40 }),
    default: text,
  }),
);

const playbook: fc.Arbitrary<Playbook> = fc.record({
  name,
  title: text,
  description: fc.oneof(text, fc.constant('x'.repeat(2_000))),
  risk: fc.constantFrom('low', 'medium', 'high', 'critical'),
  params: fc.dictionary(name, spec, { maxKeys: 20, noNullPrototype: true }),
  timeoutMs: fc.constant(60_000),
  maxTimeoutMs: fc.constant(60_000),
  isIdempotent: fc.boolean(),
  retry: fc.constant(null),
  steps: fc.constant([]),
  verify: fc.constant([]),
  rollback: fc.constant([]),
  digest: fc.constant('sha256:0'),
});

const outcome: fc.Arbitrary<PastOutcome> = fc.record({
  id: fc.uuid(),
  status: fc.constantFrom('completed', 'failed', 'rejected', 'expired', 'cancelled'),
  requestedBy: text,
  endedAt: fc.option(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })),
  exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(text),
  failureCode: fc.option(text),
  argvPreview: fc.constant([['/usr/bin/systemctl', 'restart', 'nginx']]),
});

const server = (input: { name: string; reason: string; isPaused: boolean }): ServerView => ({
  id: 'id',
  name: input.name,
  tags: [],
  status: 'offline',
  lastSeenAt: null,
  paused: input.isPaused,
  pausedBy: 'ana',
  pausedAt: null,
  pauseReason: input.reason,
  pausedUntil: null,
  halt: null,
  agentVersion: null,
  journalDamagedAt: null,
  journalDamagedLines: null,
  revokedAt: null,
  playbooks: [],
  running: [],
  queued: 3,
});

const preview = (parts: {
  of: Playbook;
  words: string;
  approvals: number;
  outcomes: PastOutcome[];
  halt?: ActionPreview['halt'];
  holdBack?: ActionPreview['holdBack'];
}): ActionPreview => ({
  server: server({ name: parts.words, reason: parts.words, isPaused: parts.approvals > 0 }),
  playbook: parts.of,
  values: {},
  argv: [Array<string>(20).fill(parts.words)],
  requirement: { ...DEFAULT_TERMS, approvals: parts.approvals, from: null, text: parts.words },
  halt: parts.halt ?? null,
  holdBack: parts.holdBack ?? null,
  fingerprint: 'f',
  outcomes: parts.outcomes,
});

/** All strings below a key, wherever they stand. */
function stringsOf(value: unknown, key: string): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => stringsOf(one, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    name === key && typeof one === 'string' ? [one] : stringsOf(one, key),
  );
}

const inputsOf = (form: ModalView): InputBlock[] =>
  form.blocks.flatMap((block) => (block.type === 'input' ? [block as InputBlock] : []));

const NOTHING: Entered = { playbook: '', server: '', params: {}, reason: '' };

describe('the request form', () => {
  test('keeps within the limits of Slack, for any playbook and whatever was entered', () => {
    const parts = fc.record({
      playbooks: fc.uniqueArray(playbook, { minLength: 1, maxLength: 3, selector: (one) => one.name }),
      words: text,
      names: fc.array(text, { maxLength: 30 }),
      approvals: fc.nat(3),
      outcomes: fc.array(outcome, { maxLength: 5 }),
      hasPreview: fc.boolean(),
      halt: fc.option(halt, { nil: null }),
      isHeldBack: fc.boolean(),
    });
    fc.assert(
      fc.property(parts, ({ playbooks, words, names, approvals, outcomes, hasPreview, isHeldBack, halt: standing }) => {
        const [chosen] = playbooks as [Playbook];
        const params = Object.fromEntries(Object.keys(chosen.params).map((param) => [param, words]));
        const held = { server: words, playbook: words, failures: 10, since: new Date(0), deadLetter: words };
        const stops = { halt: standing, holdBack: isHeldBack ? held : null };
        const shown = hasPreview
          ? { preview: preview({ of: chosen, words, approvals, outcomes, ...stops }), approvers: names }
          : null;
        const entered = { playbook: chosen.name, server: words.slice(0, 63), params, reason: words };
        const form = createRequestForm({ playbooks, playbook: chosen, entered, shown, notice: words, metadata: 'm' });
        expect(judgeView(form, 'modal').messages).toEqual([]);
        expect(stringsOf(form, 'type')).not.toContain('mrkdwn');
        expect(
          stringsOf(form.blocks, 'type').filter((type) => ['link', 'user', 'emoji', 'broadcast'].includes(type)),
        ).toEqual([]);
      }),
      RUNS,
    );
  });

  test('says that what is held back cannot be asked for, and what to do', () => {
    const [of] = fc.sample(playbook, { numRuns: 1, seed: 1 }) as [Playbook];
    const holdBack = { server: 'web-1', playbook: 'p', failures: 10, since: new Date(0), deadLetter: '1a2b3c4d-0000' };
    const shown = { preview: preview({ of, words: 'w', approvals: 0, outcomes: [], holdBack }), approvers: ['bob'] };
    const form = createRequestForm({
      playbooks: [of],
      playbook: of,
      entered: NOTHING,
      shown,
      notice: null,
      metadata: 'm',
    });
    const said = stringsOf(form, 'text').join('\n');
    expect(said).toContain('This cannot be asked for now: nothing was recorded.');
    expect(said).toContain('it has failed there 10 times in a row. See why 1a2b3c4d failed, then replay or dismiss it');
  });

  test('searches where there are more playbooks than a menu lists', () => {
    const [one] = fc.sample(playbook, { numRuns: 1, seed: 1 });
    const playbooks = Array.from({ length: 101 }, (_none, index) => ({ ...(one as Playbook), name: `p${index}` }));
    const menuOf = (count: number): string | undefined =>
      inputsOf(
        createRequestForm({
          playbooks: playbooks.slice(0, count),
          playbook: null,
          entered: NOTHING,
          shown: null,
          notice: null,
          metadata: '',
        }),
      ).find(({ block_id: id }) => id === 'playbook')?.element.type;
    expect([menuOf(100), menuOf(101)]).toEqual(['static_select', 'external_select']);
  });

  test('says that there are no playbooks', () => {
    const form = createRequestForm({
      playbooks: [],
      playbook: null,
      entered: NOTHING,
      shown: null,
      notice: null,
      metadata: '',
    });
    expect(judgeView(form, 'modal').messages).toEqual([]);
    expect(JSON.stringify(form)).toContain('no playbooks yet');
  });

  test('its button says what it does', () => {
    const [of] = fc.sample(playbook, { numRuns: 1, seed: 1 }) as [Playbook];
    const label = (approvals: number | null): string | undefined => {
      const shown =
        approvals === null
          ? null
          : { preview: preview({ of, words: 'x', approvals, outcomes: [] }), approvers: ['cid'] };
      return createRequestForm({ playbooks: [of], playbook: of, entered: NOTHING, shown, notice: null, metadata: '' })
        .submit?.text;
    };
    expect([label(null), label(0), label(2)]).toEqual(['Preview', 'Run it', 'Ask for approval']);
  });

  test('tells what a halt refuses before it is sent, who declared it and why', () => {
    const [of] = fc.sample(playbook, { numRuns: 1, seed: 1 }) as [Playbook];
    const [any] = fc.sample(halt, { numRuns: 1, seed: 1 });
    const standing = { ...any, scope: 'all', value: null, declaredBy: 'bob', reason: 'no space' } as NonNullable<
      typeof any
    >;
    const shown = { preview: preview({ of, words: 'x', approvals: 0, outcomes: [], halt: standing }), approvers: [] };
    const form = createRequestForm({
      playbooks: [of],
      playbook: of,
      entered: NOTHING,
      shown,
      notice: null,
      metadata: '',
    });
    const told = JSON.stringify(form.blocks);
    expect(told).toContain('Everything is halted, so this cannot be asked for now');
    expect(told).toContain('bob, “no space”');
    expect(told).not.toContain('as soon as you send it');
  });

  test('tells where too few may approve', () => {
    const [of] = fc.sample(playbook, { numRuns: 1, seed: 1 }) as [Playbook];
    const told = (approvers: string[] | null): string => {
      const shown = { preview: preview({ of, words: 'x', approvals: 2, outcomes: [] }), approvers };
      return JSON.stringify(
        createRequestForm({ playbooks: [of], playbook: of, entered: NOTHING, shown, notice: null, metadata: '' }),
      );
    };
    expect(told([])).toContain('nobody may approve this, and it takes 2');
    expect(told(['cid'])).toContain('only cid may approve this, and it takes 2');
    expect(told(null)).toContain('many; the rule says who');
    expect(told(null)).not.toContain('As far as');
    expect(told(['cid', 'dan'])).not.toContain('As far as');
  });
});

const base: Playbook = {
  name: 'p',
  title: 't',
  description: 'd',
  risk: 'low',
  params: {},
  timeoutMs: 1,
  maxTimeoutMs: 1,
  isIdempotent: true,
  retry: null,
  steps: [],
  verify: [],
  rollback: [],
  digest: 'sha256:0',
};
const withParam = (param: ParamSpec): Playbook => ({ ...base, params: { one: param } });
const elementOf = (param: ParamSpec, entered?: string): object => {
  const inputs = createParamInputs(withParam(param), entered === undefined ? undefined : { one: entered });
  return (inputs[0] as InputBlock).element;
};

describe('the input of a parameter', () => {
  test.each<[string, ParamSpec, object]>([
    ['an enum', { type: 'enum', required: true, values: ['a', 'b'] }, { type: 'static_select' }],
    [
      'an enum of many',
      { type: 'enum', required: true, values: Array.from({ length: 101 }, String) },
      { type: 'external_select' },
    ],
    [
      'an enum of long values',
      { type: 'enum', required: true, values: ['x'.repeat(76)] },
      { type: 'plain_text_input' },
    ],
    [
      'a boolean',
      { type: 'boolean', required: false, default: true },
      { type: 'checkboxes', initial_options: [{ value: 'true' }] },
    ],
    [
      'an integer',
      { type: 'integer', required: false, max: 9, default: 3 },
      { type: 'number_input', is_decimal_allowed: false, min_value: '0', max_value: '9', initial_value: '3' },
    ],
    ['a path', { type: 'path', required: true, within: ['/srv'] }, { type: 'plain_text_input' }],
    [
      'a string',
      { type: 'string', required: false, maxLength: 64, default: 'x' },
      { type: 'plain_text_input', max_length: 64, initial_value: 'x' },
    ],
  ])('%s', (_what, param, element) => {
    expect(elementOf(param)).toMatchObject(element);
  });

  test('keeps what was entered, and what was emptied', () => {
    const param: ParamSpec = { type: 'string', required: false, maxLength: 64, default: 'x' };
    expect(elementOf(param, 'mine')).toMatchObject({ initial_value: 'mine' });
    expect(elementOf(param, '')).not.toHaveProperty('initial_value');
    expect(elementOf({ type: 'boolean', required: false, default: true }, 'false')).not.toHaveProperty(
      'initial_options',
    );
  });

  test('gives back, untouched, the defaults of the playbook', () => {
    const params: Record<string, ParamSpec> = {
      zone: { type: 'enum', required: false, values: ['a', 'b'], default: 'b' },
      force: { type: 'boolean', required: false, default: false },
      keep: { type: 'integer', required: false, default: 3 },
      owner: { type: 'string', required: true, maxLength: 9 },
    };
    const of = { ...base, params };
    const form = createRequestForm({
      playbooks: [of],
      playbook: of,
      entered: { ...NOTHING, playbook: 'p' },
      shown: null,
      notice: null,
      metadata: '',
    });
    const entered = readEntered({ state: { values: initialState(form.blocks as never) } } as never);
    expect(entered).toMatchObject({ playbook: 'p', server: '', reason: '' });
    expect(typedParams(of, entered)).toEqual({ zone: 'b', force: 'false', keep: '3' });
  });
});

describe('changes of one form', () => {
  test('happen in their order, however long one takes and whether it fails', async () => {
    const done: string[] = [];
    const first = Promise.withResolvers<undefined>();
    const work = (word: string, wait?: Promise<undefined>) => async (): Promise<void> => {
      await wait;
      done.push(word);
    };
    const changes = [
      inTurn('V1', work('first', first.promise)),
      inTurn('V1', () => Promise.reject(new Error('away'))).catch(() => done.push('failed')),
      inTurn('V1', work('last')),
      inTurn('V2', work('other')),
    ];
    await changes[3];
    expect(done).toEqual(['other']);
    first.resolve(undefined);
    await Promise.all(changes);
    expect(done).toEqual(['other', 'first', 'failed', 'last']);
  });
});

describe('the seal of a form', () => {
  const deps = { sealKey: createSealKey('xoxb-one'), ctx: {} as never };
  const form = { callbackId: 'medic_request', userId: 'U0ANA' };
  const open = (metadata: string, other: object = {}) =>
    openSeal(deps, { ...form, metadata, tried: 'form', ...other }).catch((error: unknown) => (error as Error).name);

  test('opens for whom it was made, in every process of the installation', async () => {
    const metadata = sealForm(deps, { ...form, data: { channel: 'C0MEDIC' } });
    expect(await open(metadata)).toEqual({ channel: 'C0MEDIC' });
    expect(sealForm({ sealKey: createSealKey('xoxb-one') }, { ...form, data: { channel: 'C0MEDIC' } })).toBe(metadata);
    expect(sealForm({ sealKey: createSealKey('xoxb-two') }, { ...form, data: { channel: 'C0MEDIC' } })).not.toBe(
      metadata,
    );
  });

  test('takes no more than Slack keeps', () => {
    expect(() => sealForm(deps, { ...form, data: 'x'.repeat(3_000) })).toThrow('too many');
  });
});
