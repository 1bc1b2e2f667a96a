import { Command } from 'commander';
import { readEnvironment } from '../../services/config/environment.ts';
import type { Environment, RawEnvironment } from '../../services/config/environment.ts';
import type { CommandInput } from '../command-groups.ts';
import { CHECKS, explainCheck } from '../doctor-checks.ts';
import { EXIT } from '../exit.ts';
import { print } from '../print.ts';

interface Finding {
  check: string;
  ok: boolean;
  /** What was found, or what mends it. */
  message: string;
}

export function createCommand({ env, setExitCode }: CommandInput): Command {
  return new Command('doctor')
    .description('Checks the configuration and what Medic depends on, one line each; changes nothing')
    .option('--json', 'prints JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine(env);
      print(json, findings, findings.map(describe).join('\n'));
      if (findings.some(({ ok }) => !ok)) setExitCode(EXIT.failed);
    });
}

/** Without a readable environment nothing else can be looked at. */
async function examine(env: RawEnvironment): Promise<Finding[]> {
  let environment: Environment;
  try {
    environment = readEnvironment(env);
  } catch (error) {
    return [{ check: 'environment', ok: false, message: explainCheck(error) }];
  }
  const first = { check: 'environment', ok: true, message: 'every name is known and well formed' };
  const others = CHECKS.map(async ({ name, run }): Promise<Finding> => {
    try {
      return { check: name, ok: true, message: await run(environment) };
    } catch (error) {
      return { check: name, ok: false, message: explainCheck(error) };
    }
  });
  return [first, ...(await Promise.all(others))];
}

function describe({ check, ok, message }: Finding): string {
  return `${ok ? 'ok   ' : 'FAIL '} ${check.padEnd(14)} ${message.replaceAll('\n', ' ')}`;
}
