import type { CrashPoint, DurableStep } from '../../domain/durable-step.ts';
import { poll } from '../support/poll.ts';
import type { ActionJson } from '../support/process-stack.ts';
import type { CrashStage } from './crash-stage.ts';
import { both, PATIENCE_MS } from './crash-stage.ts';
import type { Walk } from './walk.ts';
import { askForWaiting, makeEnrolmentToken, passADay, refusedAs } from './walk.ts';

const apiWalk: Walk = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-1', playbook: 'quick-repair', part: 'api' });
  const STEPS: DurableStep[] = [
    'idempotency.claim',
    'action.request',
    'workflow.start',
    'action.note_workflow',
    'idempotency.keep',
  ];
  const AGENT_STEPS: DurableStep[] = ['heartbeat.hear', 'command.issue', 'workflow.signal'];
  for (const point of STEPS.flatMap(both)) await stage.die('api', point, ask);
  for (const point of AGENT_STEPS.flatMap(both)) {
    await stage.stack.kill('agent'); // one that starts calls at once, and not when it has backed off long enough
    await stage.stack.restart('agent');
    await stage.die('api', point, ask);
  }
  for (const point of both('idempotency.free')) {
    const body = { server: 'nobody', playbook: 'quick-repair', params: {} };
    const question = { by: 'ana', part: 'api', method: 'POST', path: '/api/v1/actions', body } as const;
    await stage.die('api', point, () => refusedAs(['unknown_server'], stage.ask(question)));
  }
  for (const point of both('token.touch')) {
    await stage.stack.database.pool.query('update api_tokens set last_used_at = null'); // a minute passes
    await stage.die('api', point, () => stage.ask({ by: 'ana', part: 'api', method: 'GET', path: '/api/v1/servers' }));
  }
  for (const point of both('config.load')) await stage.dieAtStart('api', point);
};

/** The same API, after it: what people decide. */
const decisionWalk: Walk = async (stage) => {
  const decisions = [
    ['decision.record:before', 'approve', 'bob'],
    ['decision.record:after', 'reject', 'bob'],
    ['workflow.decide:before', 'approve', 'cid'],
    ['workflow.decide:after', 'cancel', 'ana'],
  ] as const;
  for (const [point, kind, by] of decisions) {
    await stage.die('api', point, async () =>
      stage.decide({ id: await askForWaiting(stage), by, kind, server: 'web-2', part: 'api' }),
    );
  }
  for (const point of both('decision.refuse')) {
    await stage.die('api', point, async () => {
      const id = await askForWaiting(stage);
      await refusedAs(
        ['not_an_approver'],
        stage.decide({ id, by: 'ana', kind: 'approve', server: 'web-2', part: 'api' }),
      );
      await stage.decide({ id, by: 'bob', kind: 'reject' });
    });
  }
  for (const point of both('action.end_changed')) {
    await stage.die('api', point, async () => {
      const id = await stage.request({ server: 'web-2', playbook: 'changing-repair' });
      const approval = stage.decide({ id, by: 'bob', kind: 'approve', server: 'web-2', part: 'api' });
      await refusedAs(['playbook_changed', 'already_ended'], approval); // where the pump was faster than the API is back
    });
  }
};

/** The same API: servers that are paused, and that come. */
const serverWalk: Walk = async (stage) => {
  const { stack } = stage;
  await stack.enroll('web-8', 'api 2');
  const ask = { by: 'root', part: 'api' } as const;
  const { items } = (await stage.ask({ ...ask, method: 'GET', path: '/api/v1/servers' })) as {
    items: { id: string; name: string }[];
  };
  const path = `/api/v1/servers/${items.find(({ name }) => name === 'web-8')?.id ?? ''}`;
  const pause = (): Promise<unknown> =>
    stage.ask({ by: 'ana', part: 'api', method: 'PUT', path: `${path}/pause`, body: { reason: 'to look' } });
  const unpause = (): Promise<unknown> =>
    stage.ask({ by: 'ana', part: 'api', method: 'PUT', path: `${path}/unpause`, body: {} });
  for (const point of both('pause.begin')) await stage.die('api', point, pause);
  for (const point of both('pause.end')) await stage.die('api', point, async () => [await pause(), await unpause()]);
  const revoke = (): Promise<unknown> =>
    stage.ask({ by: 'root', part: 'api', method: 'POST', path: `${path}/revoke`, body: { reason: 'it was sold' } });
  for (const point of both('server.revoke')) await stage.die('api', point, revoke);
  const make = (): Promise<unknown> => makeEnrolmentToken(stage, 'web-8', 'api');
  for (const point of both('server.make_token')) await stage.die('api', point, make);
  stack.callsApi('web-8', 'api');
  for (const point of both('server.enroll')) {
    await stage.die('api', point, async () => {
      await stack.runAgent('web-8', ['enroll', '--token', await makeEnrolmentToken(stage, 'web-8', 'api 2')]);
    });
  }
  await stack.enroll('web-8', 'api 2'); // with a new token, as whoever lost the answer does
};

/** The same API: a playbook is frozen and released again, while an action of it waits. */
const haltWalk: Walk = async (stage) => {
  for (const point of both('halt.declare')) await dieOnTheWay(stage, point, () => declareHalt(stage, 'api'));
  for (const point of both('halt.show')) {
    const waiting: string[] = [];
    await dieOnTheWay(stage, point, async () => {
      await liftHalts(stage);
      waiting.push(await stage.request({ server: 'web-2', playbook: 'halted-repair' }));
      await declareHalt(stage, 'api');
    });
    for (const id of waiting) await stage.decide({ id, by: 'bob', kind: 'reject' });
  }
  for (const point of both('halt.lift')) {
    await dieOnTheWay(stage, point, async () => liftHalt(stage, await declareHalt(stage, 'api 2'), 'api'));
  }
  await liftHalts(stage);
};

async function declareHalt(stage: CrashStage, part: 'api' | 'api 2'): Promise<string> {
  const body = { reason: 'it does harm', playbook: 'halted-repair' };
  const declared = await stage.ask({ by: 'ana', part, method: 'POST', path: '/api/v1/halts', body });
  return (declared as { id: string }).id;
}

function liftHalt(stage: CrashStage, id: string, part: 'api' | 'api 2'): Promise<unknown> {
  return stage.ask({ by: 'ana', part, method: 'POST', path: `/api/v1/halts/${id}/lift`, body: {} });
}

async function liftHalts(stage: CrashStage): Promise<void> {
  const listed = await stage.ask({ by: 'ana', method: 'GET', path: '/api/v1/halts?standing=true' });
  for (const { id } of (listed as { items: { id: string }[] }).items) await liftHalt(stage, id, 'api 2');
}

/** The same API: what failed is dismissed or asked for again; until then its playbook is held back there. */
const deadLetterWalk: Walk = async (stage) => {
  for (const point of both('dead_letter.dismiss')) {
    await dieOnTheWay(stage, point, async () => settleFailed(stage, await failOnce(stage), 'dismiss', 'api'));
  }
  for (const point of both('action.request')) {
    await dieOnTheWay(stage, point, async () => {
      const { id } = await settleFailed(stage, await failOnce(stage), 'replay', 'api');
      stage.accepted.push(id);
      await settleFailed(stage, await waitUntilFailed(stage, id), 'dismiss', 'api 2');
    });
  }
};

async function failOnce(stage: CrashStage): Promise<string> {
  return waitUntilFailed(stage, await stage.request({ server: 'web-2', playbook: 'failing-repair' }));
}

function waitUntilFailed(stage: CrashStage, id: string): Promise<string> {
  const path = `/api/v1/actions/${id}`;
  const probe = async (): Promise<string | false> => {
    const { status } = (await stage.ask({ by: 'ana', method: 'GET', path })) as ActionJson;
    return status === 'failed' && id;
  };
  return poll(`${id} to fail`, probe, { timeoutMs: PATIENCE_MS });
}

async function settleFailed(
  stage: CrashStage,
  id: string,
  how: 'dismiss' | 'replay',
  part: 'api' | 'api 2',
): Promise<ActionJson> {
  const body = { reason: 'it was looked at' };
  const answer = stage.ask({ by: 'ana', part, method: 'POST', path: `/api/v1/actions/${id}/${how}`, body });
  return answer as Promise<ActionJson>;
}

/** What was asked on the way to the point is answered before the next is asked. */
async function dieOnTheWay(stage: CrashStage, point: CrashPoint, ask: () => Promise<unknown>): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  await stage.die('api', point, () => (last = ask()));
  await last;
}

/** One API, killed at all points of the API, one after another. */
export const API_WALKS: readonly Walk[] = [apiWalk, decisionWalk, serverWalk, haltWalk, deadLetterWalk];

/** The same API, after all walks: the log of what happened. Alone, as of two APIs the other one may always be first. */
export const auditWalk: Walk = async (stage) => {
  await stage.stack.kill('api 2');
  const aDayPasses = async (): Promise<void> => {
    await passADay(stage);
    await stage.request({ server: 'web-1', playbook: 'quick-repair', part: 'api' });
  };
  for (const step of ['checkpoint.keep', 'audit.tell'] as const) {
    for (const point of both(step)) await stage.die('api', point, aDayPasses);
  }
  await stage.stack.restart('api 2');
};
