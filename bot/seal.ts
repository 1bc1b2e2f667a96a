import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { NotAllowedError } from '../domain/errors.ts';
import { recordRefusedAttempt } from '../services/slack/record-refused-attempt.ts';
import type { BotDeps } from './deps.ts';

/*
 * What stands in the `private_metadata` of a form: our own data, for whom we made the form, and a seal over both. So
 * every process of one installation can tell that a form which comes back is one that we published to that person,
 * without keeping a list of them.
 */

const SEAL_CHARS = 43; // SHA-256 in base64url
const MAX_METADATA = 3_000; // Slack's

/** From a secret that all processes of one installation share. */
export function createSealKey(botToken: string): Buffer {
  return createHash('sha256').update(`medic form ${botToken}`).digest();
}

/** `data` must be small: an id, a channel, a digest. */
export function sealForm(
  deps: Pick<BotDeps, 'sealKey'>,
  form: { callbackId: string; userId: string; data: unknown },
): string {
  const text = JSON.stringify(form.data);
  const sealed = `${seal(deps.sealKey, { ...form, text })}${text}`;
  if (sealed.length > MAX_METADATA) throw new Error(`The data of a form has ${text.length} characters, too many.`);
  return sealed;
}

/**
 * The data of a form that came back. Throws NotAllowedError `forged_form`, kept in the audit, where we did not publish
 * that form to that person.
 */
export async function openSeal(
  deps: Pick<BotDeps, 'sealKey' | 'ctx'>,
  form: { callbackId: string; userId: string; metadata: string; tried: string },
): Promise<unknown> {
  const { callbackId, userId, metadata, tried } = form;
  const text = metadata.slice(SEAL_CHARS);
  const [given, wanted] = [metadata.slice(0, SEAL_CHARS), seal(deps.sealKey, { callbackId, userId, text })];
  if (isSame(given, wanted)) return JSON.parse(text);
  await recordRefusedAttempt(deps.ctx, { slackUserId: userId, code: 'forged_form', tried });
  throw new NotAllowedError('This form was not opened for you, so nothing was done: open one of your own.', {
    code: 'forged_form',
  });
}

function seal(key: Buffer, form: { callbackId: string; userId: string; text: string }): string {
  const subject = JSON.stringify([form.callbackId, form.userId, form.text]);
  return createHmac('sha256', key).update(subject).digest('base64url');
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
