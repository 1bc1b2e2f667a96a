/** What became of a run, as its stored row tells. */
export interface Outcome {
  status: string;
  exitCode: number | null;
  signal: string | null;
  failureCode: string | null;
  /** Of its last attempt that ran. */
  executedAt?: Date | null | undefined;
  /** It was handed out, and no result that counts came. */
  mayHaveRun?: boolean | undefined;
  timeoutS?: number | undefined;
  /** What ran; some codes mean more where it was systemctl. */
  argvPreview?: readonly (readonly string[])[] | undefined;
}

const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'all went well',
  1: 'the program says that it failed',
  2: 'the program was used wrongly',
  126: 'the program may not be executed',
  127: 'there is no such program',
  255: 'the program failed outside its own codes',
};

const SYSTEMCTL_CODES: Readonly<Record<number, string>> = {
  3: 'a unit is not active',
  4: 'there is no such unit, or it may not be changed',
  5: 'a unit is not loaded',
};

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** By code, and by nothing that every object has: a code comes from an agent. */
const FAILURES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    exit_nonzero: 'a step failed',
    timed_out: 'it ran too long and was stopped',
    interrupted: 'the agent was interrupted while it ran; it may have done a part',
    retry_unstarted: 'it failed, and of the next attempt no start was heard in time',
    agent_lost: 'nothing more was heard of the agent; it may have run',
    cancel_unconfirmed: 'it was cancelled, but not every process could be proved stopped',
    approval_timeout: 'nobody decided in time',
    server_revoked: 'the server was revoked',
    unknown_playbook: 'the agent has no such playbook',
    playbook_changed: 'the playbook is not the version that was asked for',
    invalid_params: 'the agent does not accept these parameters',
    not_allowed_here: 'the owner of the server does not allow this',
    refused_disk: 'the disk of the server is full, so the agent started nothing',
    stale_seq: 'the agent had already seen a newer command, so it started nothing',
    refused: 'the agent refused it',
  }),
);

/** What kept it from its start, by code. */
const HINDRANCES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    agent_offline: 'the agent was offline',
    queue_timeout: 'other work kept the server busy',
    fleet_limit: 'all ran that may run over the fleet at once',
    tag_share: 'as many servers of one of its tags were at work as may be at once',
    held_back: 'its playbook was held back there after too many failures',
    server_paused: 'the server was paused',
    halted: 'everything was halted',
    frozen: 'its playbook or its server was frozen',
  }),
);

const UNHEARD = 'it had been handed to its agent, and no result came that counts: it may have run';

/** `exit code 127: there is no such program`; what is true of the code whichever program gave it. */
export function describeExit(outcome: Pick<Outcome, 'exitCode' | 'signal' | 'argvPreview'>): string | null {
  const { exitCode, signal } = outcome;
  if (signal !== null) return `ended by the signal ${signal}`;
  if (exitCode === null) return null;
  const known = (isOfSystemctl(outcome) ? SYSTEMCTL_CODES[exitCode] : undefined) ?? EXIT_CODES[exitCode];
  if (known !== undefined) return `exit code ${exitCode}: ${known}`;
  const name = SIGNALS[exitCode - 128];
  return name === undefined ? `exit code ${exitCode}` : `exit code ${exitCode}: ended by the signal ${name}`;
}

/** Only where every step is its: a program of another kind means something else by the same code. */
function isOfSystemctl({ argvPreview = [] }: Pick<Outcome, 'argvPreview'>): boolean {
  return argvPreview.length > 0 && argvPreview.every(([program]) => program?.endsWith('/systemctl') === true);
}

/** Why it failed, was refused or expired; null where there is no code. A code of tomorrow is told as it is. */
export function describeFailure({
  failureCode: code,
  executedAt,
  mayHaveRun,
}: Pick<Outcome, 'failureCode' | 'executedAt' | 'mayHaveRun'>): string | null {
  const isUnheard = mayHaveRun === true && code !== 'agent_lost';
  if (code === null || (isUnheard && code === 'queue_timeout')) return isUnheard ? UNHEARD : null;
  const hindrance = HINDRANCES.get(code);
  const why = hindrance ?? FAILURES.get(code) ?? `the reason is "${code}"`;
  if (isUnheard) return `${why}; ${UNHEARD}`;
  if (hindrance === undefined) return why;
  return executedAt ? `${why}, so it did not run again` : `${why}, so it was never started`;
}

/** All that is known of the end, as the rest of a sentence: `a step failed; exit code 1: …`. */
export function describeOutcome(outcome: Outcome): string {
  const parts = [describeFailure(outcome), describeExit(outcome)].filter((part) => part !== null);
  return parts.length === 0 ? 'nothing more is known' : parts.join('; ');
}
