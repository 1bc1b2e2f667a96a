import { isJson } from '../model.ts';

const MAX_METADATA_CHARS = 15_000; // larger ones are answered with metadata_too_large

/** Slack's error for a message's metadata; undefined when it is fine. */
export function judgeMetadata(metadata: unknown): string | undefined {
  if (!isJson(metadata)) return 'invalid_metadata_format';
  const { event_type: type, event_payload: payload } = metadata;
  if (typeof type !== 'string' || type === '' || type.length > 255) return 'invalid_metadata_format';
  if (!isJson(payload)) return 'invalid_metadata_format';
  if (JSON.stringify(metadata).length > MAX_METADATA_CHARS) return 'metadata_too_large';
  return undefined;
}
