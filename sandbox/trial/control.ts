import type { Unit } from './unit.ts';

/** What the control command sends, as one line of JSON. */
export interface ControlRequest {
  verb: string;
  unit: string;
}

/** What it prints and ends with. Exit codes are systemctl's: 0, 3 not active, 4 no such unit, 5 not loaded. */
export interface ControlAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export const VERBS = ['start', 'stop', 'restart', 'is-active', 'is-failed', 'status', 'show-pid'] as const;
type Verb = (typeof VERBS)[number];

const NOT_ACTIVE = 3;
const NO_SUCH_UNIT = 4;
const NOT_LOADED = 5;

export async function answerControl(request: ControlRequest, units: ReadonlyMap<string, Unit>): Promise<ControlAnswer> {
  const verb = VERBS.find((known) => known === request.verb);
  if (verb === undefined) return tell(1, '', `Unknown command verb '${request.verb}', known are: ${VERBS.join(' ')}.`);
  const name = request.unit.replace(/\.service$/, '');
  const unit = units.get(name);
  if (unit === undefined) return refuseUnknown(verb, name);
  return carryOut(verb, unit);
}

function refuseUnknown(verb: Verb, name: string): ControlAnswer {
  switch (verb) {
    case 'is-active':
    case 'is-failed':
      return tell(NO_SUCH_UNIT, 'inactive', '');
    case 'status':
      return tell(NO_SUCH_UNIT, '', `Unit ${name}.service could not be found.`);
    case 'start':
    case 'stop':
    case 'restart':
    case 'show-pid':
      return tell(NOT_LOADED, '', `Failed to ${verb} ${name}.service: Unit ${name}.service not found.`);
  }
}

async function carryOut(verb: Verb, unit: Unit): Promise<ControlAnswer> {
  switch (verb) {
    case 'start':
      return tellJob(await unit.start(), unit);
    case 'restart':
      return tellJob(await unit.restart(), unit);
    case 'stop':
      await unit.stop();
      return tell(0, '', '');
    case 'is-active':
      return tell(unit.state === 'active' ? 0 : NOT_ACTIVE, unit.state, '');
    case 'is-failed':
      return tell(unit.state === 'failed' ? 0 : 1, unit.state, '');
    case 'status':
      return tell(unit.state === 'active' ? 0 : NOT_ACTIVE, unit.describe(), '');
    case 'show-pid':
      return tell(0, String(unit.mainPid), '');
  }
}

function tellJob(isActive: boolean, unit: Unit): ControlAnswer {
  if (isActive) return tell(0, '', '');
  return tell(1, '', `Job for ${unit.name}.service failed. See "status ${unit.name}" for details.`);
}

function tell(exitCode: number, stdout: string, stderr: string): ControlAnswer {
  return { exitCode, stdout, stderr };
}
