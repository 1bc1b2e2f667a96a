import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { awaitStatus, pause, readAction } from './action-steps.ts';
import { resultOf, runningEntry } from './agent-client.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import type { Json } from './http-exchange.ts';
import { buttonsOf, sendSigned } from './slack-person.ts';
import type { SlackPerson } from './slack-person.ts';
import { CHANNEL } from './slack-stand-in.ts';
import type { SlackMessage } from './slack-stand-in.ts';

export function describeSlack(plane: () => ControlPlane): void {
  let asked = 0;
  const nextNote = (): string => ['chat-note-2', 'chat-note-3'][asked++ % 2] ?? '';
  async function listActions(server: string): Promise<Json[]> {
    return (await (await plane().as('vic', 'viewer')).get(`/api/v1/actions?server=${server}`)).body.items;
  }
  async function awaitCard(server: string): Promise<{ id: string; card: SlackMessage }> {
    const [action] = await eventually(`an action on ${server}`, async () => {
      const actions = await listActions(server);
      return actions.length > 0 && actions;
    });
    const card = await eventually(`the card on ${server}`, () => plane().slack.cardsOf(action.id)[0]);
    return { id: action.id, card };
  }
  async function askOnPaused(name: string): Promise<Awaited<ReturnType<typeof awaitCard>> & { ana: SlackPerson }> {
    const agent = await plane().enrol(name);
    await pause(plane(), agent.serverId);
    const ana = plane().person('U0ANA');
    const began = performance.now();
    expect((await ana.type(`${nextNote()} ${name} note=from-slack reason="it hangs"`)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(3000);
    return { ...(await awaitCard(name)), ana };
  }

  describe('Slack over signed HTTP', () => {
    test('a request becomes a card with buttons, and runs once another person approves', async () => {
      const agent = await plane().enrol('slack-1');
      await pause(plane(), agent.serverId);
      const ana = plane().person('U0ANA');
      await ana.type('chat_note_1 slack-1 note=from-slack reason="it hangs"');
      const { id, card } = await awaitCard('slack-1');
      expect(card.channel).toBe(CHANNEL);
      expect(card.metadata).toMatchObject({
        event_type: 'medic_action',
        event_payload: { action_id: id, status: 'pending' },
      });
      const buttons = buttonsOf(card);
      expect(buttons.map((button) => button.action_id)).toEqual(
        expect.arrayContaining(['medic_approve', 'medic_reject']),
      );
      for (const button of buttons) expect(button.value).toBe(id);
      const shown = JSON.stringify(card.blocks);
      for (const word of ['slack-1', 'chat-note-1', '--times=2', 'low', 'it hangs']) expect(shown).toContain(word);

      const before = ana.seen().length;
      await ana.click(card, 'medic_approve');
      await eventually('ana to be told', () => ana.seen().length > before);
      expect((await readAction(plane(), id)).status).toBe('pending');

      await plane().person('U0BOB').click(card, 'medic_approve');
      const command = await agent.awaitCommand();
      expect(command).toMatchObject({ action_id: id, approvals: [{ by: 'bob' }] });
      await agent.beat({ running: [runningEntry(command)] });
      await agent.report([resultOf(command)]);
      expect(await awaitStatus(plane(), id, 'completed')).toMatchObject({ requested_by: 'ana', approved_by: 'bob' });
      const ended = await eventually('the card to say completed', () => {
        const [message] = plane().slack.cardsOf(id);
        return message?.metadata.event_payload.status === 'completed' && message;
      });
      expect(plane().slack.cardsOf(id)).toHaveLength(1);
      expect(ended.ts).toBe(card.ts);
      const left = buttonsOf(ended).map((button) => button.action_id as string);
      expect(left).not.toEqual(expect.arrayContaining(['medic_approve']));
      expect(left).not.toEqual(expect.arrayContaining(['medic_reject']));
    });

    test('a rejection asks for its reason in a form, and keeps it', async () => {
      const { id, card } = await askOnPaused('slack-2');
      const cid = plane().person('U0CID');
      const known = plane().slack.openedViews().length;
      await cid.click(card, 'medic_reject');
      const view = await eventually('the form', () =>
        plane()
          .slack.openedViews()
          .slice(known)
          .find((opened) => opened.callback_id === 'medic_reject_reason'),
      );
      await cid.submit(view, { reason: { reason: { type: 'plain_text_input', value: 'not on a friday' } } });
      const rejected = await awaitStatus(plane(), id, 'rejected');
      expect(rejected).toMatchObject({ rejected_by: 'cid', rejection_reason: 'not on a friday' });
    });

    test('a failure is a new message, beside the card', async () => {
      const agent = await plane().enrol('slack-3');
      await plane().person('U0ANA').type('chat-note-2 slack-3 note=fails');
      const command = await agent.awaitCommand();
      await agent.report([resultOf(command, { status: 'failed', exit_code: 4, stderr: 'no luck\n' })]);
      const messages = await eventually('the notification', () => {
        const about = plane().slack.cardsOf(command.action_id);
        return about.length === 2 && about;
      });
      expect(JSON.stringify(messages[1])).toContain('no luck');
      expect(messages[1]?.metadata.event_payload.status).toBe('failed');
    });

    test('requests that are forged, old, from the future or altered change nothing', async () => {
      await plane().enrol('slack-4');
      const ana = plane().person('U0ANA');
      const text = 'echo-note slack-4 note=forged';
      for (const forgery of [
        { secret: 'another' },
        { skewS: -600 },
        { skewS: 600 },
        { tampering: '&text=echo-note+slack-4+note%3Dtampered' },
      ]) {
        expect((await ana.type(text, forgery)).status).toBe(401);
      }
      await ana.type(text, { team: 'T0STRANGERS' });
      expect(await listActions('slack-4')).toEqual([]);
    });

    test('a click with the value of another action, or without its metadata, is ignored', async () => {
      const shown = await askOnPaused('slack-5');
      const other = await askOnPaused('slack-6');
      const bob = plane().person('U0BOB');
      await bob.click(shown.card, 'medic_approve', { value: other.id });
      await bob.click(shown.card, 'medic_approve', { shownMetadata: {} });
      await bob.click(shown.card, 'medic_approve', { team: 'T0STRANGERS' });
      await new Promise((resolve) => setTimeout(resolve, 1500));
      for (const { id } of [shown, other]) expect((await readAction(plane(), id)).status).toBe('pending');
    });

    test('the same trigger twice is one request', async () => {
      await plane().enrol('slack-7');
      const ana = plane().person('U0ANA');
      const triggerId = randomUUID();
      for (const text of [1, 2].map(() => 'chat-note-2 slack-7 note=once')) await ana.type(text, { triggerId });
      await awaitCard('slack-7');
      expect(await listActions('slack-7')).toHaveLength(1);
    });

    test('who is no principal is told so, and nothing happens', async () => {
      await plane().enrol('slack-8');
      const stranger = plane().person('U0STRANGER');
      await stranger.type('echo-note slack-8 note=hello');
      await eventually('the stranger to be told', () => stranger.seen().trim().length > 0);
      expect(await listActions('slack-8')).toEqual([]);
    });

    test('an unknown word gets the nearest known one, privately', async () => {
      const ana = plane().person('U0ANA');
      const posted = plane().slack.messages(CHANNEL).length;
      await ana.type('pendign');
      await eventually('the nearest word', () => ana.seen().includes('pending'));
      expect(plane().slack.messages(CHANNEL).length).toBe(posted);
    });

    test('a click after the end is answered and moves nothing', async () => {
      const { id, card } = await askOnPaused('slack-9');
      const old = structuredClone(card);
      await plane().person('U0ANA').type(`cancel ${id}`);
      await awaitStatus(plane(), id, 'cancelled');
      const cid = plane().person('U0CID');
      const before = cid.seen().length;
      await cid.click(old, 'medic_approve');
      await eventually('cid to be told', () => cid.seen().length > before);
      expect((await readAction(plane(), id)).status).toBe('cancelled');
    });

    test('Slack’s url_verification is answered with its challenge', async () => {
      const body = JSON.stringify({ type: 'url_verification', token: 'legacy', challenge: 'c-123' });
      const answer = await sendSigned(plane().wire, body, {}, 'application/json');
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('c-123');
    });
  });
}
