import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createCapture } from '../../agent/capture.ts';
import { createMaskStream, maskText } from '../../agent/mask.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nabc=\n-----END PRIVATE KEY-----';
const SECRETS = [
  PEM,
  'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJtZWRpYyJ9.c2lnbmF0dXJl',
  'AKIAIOSFODNN7EXAMPLE',
  `AIza${'x'.repeat(35)}`,
  `ghp_${'a'.repeat(36)}`,
  ['xoxb', '123456789012', 'abcdefghijkl'].join('-'),
];

describe('masking', () => {
  test.each(SECRETS)('hides %j wherever its chunks are cut', (secret) => {
    const text = `before ${secret} after\nnext line\n`;
    for (let cut = 0; cut <= text.length; cut++) {
      const mask = createMaskStream();
      expect(mask.push(text.slice(0, cut)) + mask.push(text.slice(cut)) + mask.end()).toBe(
        'before [masked] after\nnext line\n',
      );
    }
  });

  test.each([
    ['postgres://medic:hunter2@db/x', 'postgres://medic:[masked]@db/x'],
    ['DB_PASSWORD=hunter2 next', 'DB_PASSWORD=[masked] next'],
    ['api_token: hunter2', 'api_token: [masked]'],
    ['{"client_secret": "hun ter2", "a": 1}', '{"client_secret": [masked], "a": 1}'],
    ['Authorization: Bearer hunter2', 'Authorization: [masked]'],
    ['mysql --password hunter2', 'mysql --password [masked]'],
    ['nothing to see here', 'nothing to see here'],
  ])('turns %j into %j', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });

  test('hides what the owner names', () => {
    expect(maskText('card 1234-5678', [/\d{4}-\d{4}/u])).toBe('card [masked]');
  });

  test('swallows a key block without an end, in bounded memory', () => {
    const mask = createMaskStream();
    let shown = mask.push('x\n-----BEGIN RSA PRIVATE KEY-----\n');
    for (let i = 0; i < 5_000; i++) shown += mask.push(`${'A'.repeat(64)}\n`);
    expect(shown + mask.end()).toBe('x\n[masked]');
  });

  test('shows nothing of hostile lines and lets go of what is no secret', () => {
    for (const unit of ['password', '://a', '-token', '-eyJaaaaaaaa', 'a'.repeat(50)]) {
      const line = unit.repeat(2_000);
      expect(maskText(line)).toBe(line);
      expect(maskText(`${line} DB_PASSWORD=hunter2`)).not.toContain('hunter2');
    }
  });
});

describe('a captured stream', () => {
  test('keeps head and tail, counts and digests all of it', () => {
    const capture = createCapture();
    const text = Array.from({ length: 20_000 }, (_, i) => `line ${String(i)} é\n`).join('');
    for (let at = 0; at < text.length; at += 7_001) capture.write(Buffer.from(text.slice(at, at + 7_001)));
    const captured = capture.finish();
    expect(captured.bytes).toBe(Buffer.byteLength(text));
    expect(captured.sha256).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
    expect(captured.isTruncated).toBe(true);
    expect(captured.text).toMatch(/^line 0 é\n/);
    expect(captured.text).toMatch(/line 19999 é\n$/);
    const [, leftOut] = /\n\[… (\d+) bytes left out …\]\n/.exec(captured.text) ?? [];
    const marker = `\n[… ${String(leftOut)} bytes left out …]\n`;
    expect(Buffer.byteLength(captured.text) - Buffer.byteLength(marker) + Number(leftOut)).toBe(captured.bytes);
    expect(captured.text).not.toContain('\uFFFD');
  });

  test('turns what is no text into U+FFFD', () => {
    const capture = createCapture();
    capture.write(Uint8Array.from([0x61, 0xff, 0x00, 0xc3]));
    capture.write(Uint8Array.from([0xa9]));
    expect(capture.finish()).toMatchObject({ text: 'a\uFFFD\uFFFDé', isTruncated: false });
  });
});
