import { Command, Option } from 'commander';
import { createManifest } from '../../bot/manifest.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { readEnvironment } from '../../services/config/environment.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import type { CommandInput } from '../command-groups.ts';

interface Options {
  mode: 'socket' | 'http';
  url?: string;
}

export function createCommand({ env }: CommandInput): Command {
  const command = new Command('slack').description('The Slack app');
  command
    .command('manifest')
    .description('prints the manifest to create the app from, as JSON')
    .addOption(new Option('--mode <mode>', 'how Slack reaches Medic').choices(['socket', 'http']).default('socket'))
    .option('--url <url>', 'http only: the address as Slack can reach it; MEDIC_EXTERNAL_URL where it is missing')
    .option('--json', 'the same: it always prints JSON')
    .action((options: Options) => {
      process.stdout.write(`${JSON.stringify(create(env, options), null, 2)}\n`);
    });
  return command;
}

function create(env: RawEnvironment, { mode, url }: Options): Record<string, unknown> {
  if (mode === 'socket') return createManifest({ mode });
  const address = url ?? readEnvironment(env).externalUrl;
  if (address !== null && URL.canParse(address) && new URL(address).protocol === 'https:') {
    return createManifest({ mode, url: address });
  }
  const message = 'Slack calls an https address only: add --url https://medic.example.com, or set MEDIC_EXTERNAL_URL.';
  throw new InvalidInputError(message, { code: 'url_missing' });
}
