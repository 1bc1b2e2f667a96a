import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from './step.ts';
import { serverAt, step } from './step.ts';

/** Of the parts, and of time. */
export function anyFault(input: { server: fc.Arbitrary<number>; which: fc.Arbitrary<number> }): fc.Arbitrary<Step> {
  const { server, which } = input;
  const cutMs = fc.integer({ min: 50, max: 600 });
  const lost = fc.integer({ min: 1, max: 3 });
  return fc.oneof(
    { weight: 2, arbitrary: server.map(killAgent) },
    { weight: 2, arbitrary: fc.tuple(server, cutMs).map(([index, ms]) => cutAgent({ index, ms })) },
    { weight: 2, arbitrary: fc.tuple(server, lost).map(([index, count]) => loseAnswers({ index, count })) },
    { weight: 3, arbitrary: fc.tuple(server, which).map(([index, at]) => replayHeartbeat({ index, at })) },
    { weight: 1, arbitrary: fc.constant(restartWorker()) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 800 }).map(cutTemporal) },
    { weight: 3, arbitrary: fc.integer({ min: 20, max: 250 }).map(pass) },
  );
}

function killAgent(index: number): Step {
  return step(`the agent of server ${index} is killed`, (_model, scene) => serverAt(scene, index).restartAgent());
}

function cutAgent({ index, ms }: { index: number; ms: number }): Step {
  return step(`the network of server ${index} is cut for ${ms} ms`, (_model, scene) => {
    serverAt(scene, index).link.cut(ms);
    return Promise.resolve();
  });
}

function loseAnswers({ index, count }: { index: number; count: number }): Step {
  return step(`${count} answers to server ${index} are lost`, (_model, scene) => {
    serverAt(scene, index).link.loseAnswers(count);
    return Promise.resolve();
  });
}

function replayHeartbeat({ index, at }: { index: number; at: number }): Step {
  return step(`heartbeat ${at} of server ${index} comes again`, async (_model, scene) => {
    const status = await serverAt(scene, index).link.replay(at);
    if (status !== null && status !== 409) throw new Error(`a heartbeat that was played again is answered ${status}`);
  });
}

function restartWorker(): Step {
  return step('the worker is restarted', (_model, scene) => scene.world.restartWorker());
}

function cutTemporal(ms: number): Step {
  return step(`Temporal is away for ${ms} ms`, (_model, scene) => scene.world.cutTemporal(ms));
}

function pass(ms: number): Step {
  return step(`${ms} ms pass`, () => sleep(ms));
}
