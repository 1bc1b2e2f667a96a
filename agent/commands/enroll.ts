import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { InvalidInputError } from '../../domain/errors.ts';
import { readAgentConfig } from '../config.ts';
import { enroll } from '../enroll.ts';
import type { AgentCommand } from '../cli.ts';

/** The token as an argument, in a file, or on standard input; only the first shows in a list of processes. */
export const enrollCommand: AgentCommand = {
  summary: 'enroll --token TOKEN | --token-file FILE | --token-file -   give this server its identity, once',
  options: { token: { type: 'string' }, 'token-file': { type: 'string' } },
  async run({ values, env, print }) {
    const token = await readToken(values);
    const config = readAgentConfig(env);
    const { server_id } = await enroll(config, token);
    print({ server_id }, `Enrolled as server ${server_id}. Start the agent with \`medic agent run\`.`);
    return 0;
  },
};

async function readToken(values: Readonly<Record<string, unknown>>): Promise<string> {
  const { token, 'token-file': file } = values;
  if (typeof token === 'string' && token !== '') return token;
  const content = typeof file === 'string' ? await readTokenFile(file) : '';
  if (content.trim() !== '') return content.trim();
  throw new InvalidInputError('Say which token: --token TOKEN, or --token-file FILE (`-` reads standard input).', {
    code: 'missing_token',
  });
}

async function readTokenFile(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new InvalidInputError(`The token file ${file} cannot be read.`, { code: 'token_file_unreadable', cause });
  }
}
