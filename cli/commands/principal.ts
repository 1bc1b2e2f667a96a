import { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { enrollTotp } from '../../services/totp/enroll-totp.ts';
import type { TotpEnrolment } from '../../services/totp/enroll-totp.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import type { CommandInput } from '../command-groups.ts';
import { OPERATOR, withOfflineContext } from '../offline-context.ts';
import { print } from '../print.ts';

interface Options {
  json?: boolean;
  replace?: boolean;
}

const QUIET_ZONE = 4; // modules of margin that readers may count on (ISO 18004)
const WHITE_ON_BLACK = '\u001b[97;40m'; // the light modules are drawn, whatever the colours of the terminal
const RESET = '\u001b[0m';

export function createCommand({ env }: CommandInput): Command {
  const command = new Command('principal').description(
    'Principals; needs DATABASE_URL, MEDIC_CONFIG and MEDIC_SECRETS_KEY',
  );
  command
    .command('totp <name>')
    .description('makes the secret of a principal’s one-time codes, which risk critical asks for; it is shown once')
    .option('--replace', 'ends the codes that the principal has, and their lock')
    .option('--json', 'prints JSON')
    .action((name: string, options: Options) => enroll(env, name, options));
  return command;
}

async function enroll(env: RawEnvironment, name: string, { json, replace }: Options): Promise<void> {
  const made = await withOfflineContext(env, (ctx) =>
    enrollTotp(ctx, OPERATOR, { principal: name, isReplacing: replace === true }),
  );
  if (json === true) print(json, made, '');
  else process.stdout.write(`${describe(made)}\n`);
}

function describe({ principal, secret, uri }: TotpEnrolment): string {
  return [
    `One-time codes for ${principal}. Scan this with an authenticator app now: it is not shown again.`,
    '',
    drawQr(uri),
    '',
    `Or type the secret: ${secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}`,
    uri,
  ].join('\n');
}

function drawQr(text: string): string {
  const drawn = renderUnicodeCompact(text, { border: QUIET_ZONE });
  if (!process.stdout.isTTY) return drawn;
  return drawn
    .split('\n')
    .map((line) => `${WHITE_ON_BLACK}${line}${RESET}`)
    .join('\n');
}
