import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { describeActionsApi } from './actions-api.cases.ts';
import { describeAgentIdentity } from './agent-identity.cases.ts';
import { describeAudit } from './audit.cases.ts';
import { describeCommands } from './commands.cases.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { describeDecisions } from './decisions.cases.ts';
import { describeResults } from './results.cases.ts';
import { describeSlack } from './slack.cases.ts';

jest.setTimeout(60_000);

/**
 * A client written from docs/contract.md alone, against `medic server` on an external PostgreSQL, Temporal and Slack.
 * It shares no code with the product, so that both cannot be wrong in the same way.
 */
describe('medic server, to an independent client', () => {
  let plane: ControlPlane | undefined;
  beforeAll(async () => {
    plane = await startControlPlane();
  }, 120_000);
  afterAll(async () => {
    await plane?.close();
  });
  function running(): ControlPlane {
    if (plane === undefined) throw new Error('The control plane did not start.');
    return plane;
  }
  describeAgentIdentity(running);
  describeCommands(running);
  describeResults(running);
  describeActionsApi(running);
  describeDecisions(running);
  describeSlack(running);
  describeAudit(running);
});
