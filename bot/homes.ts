import type { HomeView } from '@slack/types';
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Asker } from '../domain/principal.ts';
import { describeError } from '../services/slack/describe-error.ts';
import { findStanding } from '../services/slack/directory.ts';
import { claimHomes, forgetHome, noteHomeOpened, readHome, readSeq, saveHome } from '../services/slack/homes.ts';
import type { HomeState } from '../services/slack/homes.ts';
import { askInSlack, findPrincipalBySlackUser } from '../services/slack/identity.ts';
import { withMessageLock } from '../services/slack/outbox.ts';
import { createClosedHome, createHome, idsOnHome } from './blocks/home.ts';
import { HOME } from './blocks/names.ts';
import type { BotDeps } from './deps.ts';
import { sealForm } from './seal.ts';
import { readSlackFailure } from './transport/web-client.ts';

const POLL_MS = 2_000; // a change shows up within about five seconds, and a quiet system costs one look
const STOP_MS = 3_000;

const NOBODY = 'Medic does not know you any more. Whoever runs Medic can add you to medic.yaml.';

export interface HomePump {
  stop(): Promise<void>;
}

/** Draws open Homes again where what they show has changed, until stopped. Several processes may do so at once. */
export function startHomePump(deps: BotDeps): HomePump {
  const stopper = new AbortController();
  const { signal } = stopper;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      let restMs = POLL_MS;
      try {
        for (const home of await claimHomes(deps.ctx)) {
          if (!signal.aborted) restMs = Math.max(restMs, await refresh(deps, home));
        }
      } catch (error) {
        deps.log.warn({ err: error }, 'the Homes could not be read');
      }
      await wait(restMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopper.abort();
      await Promise.race([running, wait(STOP_MS, undefined, { ref: false })]);
    },
  };
}

/** Publishes to somebody who opens their Home, whatever it showed before. `asker` null: to nobody of ours, with a word. */
export async function publishHome(
  deps: BotDeps,
  home: { slackUserId: string; asker: Asker } | { slackUserId: string; sentence: string },
): Promise<void> {
  const { slackUserId } = home;
  const publish = async (): Promise<true> => {
    const seenSeq = await readSeq(deps.ctx);
    const view = 'asker' in home ? await drawHome(deps, home) : createClosedHome(home.sentence);
    await deps.client.views.publish({ user_id: slackUserId, view });
    await noteHomeOpened(deps.ctx, slackUserId);
    await saveHome(deps.ctx, { slackUserId, digest: digestOf(view), seenSeq });
    return true;
  };
  if ((await withHomeLock(deps, slackUserId, publish)) === true) return;
  await publish(); // now all the same: they are looking
  await forgetHome(deps.ctx, slackUserId); // which of the two came last is not known
}

/** Undefined where this Home is being published already: an older view could otherwise come after a newer one. */
function withHomeLock<T>(deps: BotDeps, slackUserId: string, work: () => Promise<T>): Promise<T | undefined> {
  return withMessageLock(deps.ctx, `home ${slackUserId}`, work);
}

/** The time that Slack wants us to rest, else 0. Never rejects: the next look tries again. */
async function refresh(deps: BotDeps, { slackUserId, digest }: HomeState): Promise<number> {
  try {
    await withHomeLock(deps, slackUserId, async () => {
      const seenSeq = await readSeq(deps.ctx);
      const view = await drawFor(deps, slackUserId);
      if (digestOf(view) !== digest) await deps.client.views.publish({ user_id: slackUserId, view });
      await saveHome(deps.ctx, { slackUserId, digest: digestOf(view), seenSeq });
    });
    return 0;
  } catch (error) {
    const failure = readSlackFailure(error);
    deps.log.warn({ err: error, user: slackUserId }, 'a Home could not be drawn again');
    await forgetHome(deps.ctx, slackUserId).catch(() => undefined);
    return failure.kind === 'limited' ? failure.retryAfterMs : 0;
  }
}

/** As at a click, whom Slack or medic.yaml does not vouch for sees nothing. */
async function drawFor(deps: BotDeps, slackUserId: string): Promise<HomeView> {
  const principal = findPrincipalBySlackUser(deps.ctx, slackUserId);
  if (principal === null) return createClosedHome(NOBODY);
  const standing = await findStanding(deps.ctx, principal);
  if (standing !== 'member' && standing !== 'none') return createClosedHome(NOBODY);
  return drawHome(deps, { slackUserId, asker: askInSlack(principal) });
}

async function drawHome(deps: BotDeps, home: { slackUserId: string; asker: Asker }): Promise<HomeView> {
  try {
    const content = await readHome(deps.ctx, home.asker);
    const data = { ids: idsOnHome(content) };
    return createHome(content, sealForm(deps, { callbackId: HOME, userId: home.slackUserId, data }));
  } catch (error) {
    return createClosedHome(describeError(error).sentence);
  }
}

function digestOf(view: HomeView): string {
  return createHash('sha256').update(JSON.stringify(view)).digest('base64url');
}
