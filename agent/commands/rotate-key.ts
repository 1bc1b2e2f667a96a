import { loadIdentity } from '../agent-folder.ts';
import { readAgentDir } from '../config.ts';
import { draftKey, readNextKey } from '../next-key.ts';
import type { AgentCommand } from '../cli.ts';

/** Beside an agent that runs, too: it finds the new key before its next heartbeat. */
export const rotateKeyCommand: AgentCommand = {
  summary: 'rotate-key                            give this server a new key; a running agent changes to it by itself',
  options: {},
  async run({ env, print }) {
    const folder = readAgentDir(env);
    const { key } = await loadIdentity(folder);
    const drafted = await readNextKey(folder);
    const isUnderWay = drafted !== null && drafted.publicKey.kid !== key.publicKey.kid;
    const { kid } = isUnderWay ? drafted.publicKey : (await draftKey(folder)).publicKey;
    const words = isUnderWay
      ? `A change to the key ${kid} is under way already.`
      : `The new key is ${kid}. The agent changes to it with its next heartbeats, or when it is started.`;
    print({ kid, former_kid: key.publicKey.kid }, words);
    return 0;
  },
};
