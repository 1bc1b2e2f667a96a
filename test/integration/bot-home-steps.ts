import type { BotStage } from './bot-stage.ts';
import { actionIdOf, addServer, CHANNEL, waitForCard } from './bot-stage.ts';

export type StagedServer = Awaited<ReturnType<typeof addServer>>;

/** A card that waits on a server of its own. */
export async function requestOn(
  stage: BotStage,
  input: { by: string },
): Promise<{ server: StagedServer; actionId: string; ts: string }> {
  const server = await addServer(stage, true);
  const text = `restart-service ${server.name} service=nginx`;
  await stage.slack.slashCommand({ user: input.by, channel: CHANNEL, command: '/remediate', text });
  const card = await waitForCard(stage.slack, server.name, 'pending');
  return { server, actionId: actionIdOf(card), ts: card.ts };
}

export function asView(stage: BotStage, user: string): { user: string; viewId: string } {
  return { user, viewId: stage.slack.home(user)?.id ?? '' };
}

/** Which buttons to decide this action stand on that person's Home. */
export function buttonsIn(stage: BotStage, user: string, actionId: string): string[] {
  return (stage.slack.home(user)?.blocks ?? [])
    .flatMap((block) => (block['elements'] as { action_id?: string; value?: string }[] | undefined) ?? [])
    .filter((element) => element.value === actionId && /approve|reject/.test(element.action_id ?? ''))
    .map((element) => element.action_id ?? '');
}

export function approveVia(stage: BotStage, click: { user: string; actionId: string }): Promise<unknown> {
  return stage.slack.clickInView({ ...asView(stage, click.user), actionId: 'medic_approve', value: click.actionId });
}
