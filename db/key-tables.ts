import type { Generated } from 'kysely';
import type { Json, TimeOrNull, TimeWithDefault } from './column-types.ts';

/** A public key as it stands on the wire. */
export interface CommandKeyJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
  kid: string;
}

export interface AgentKeysTable {
  id: string;
  server_id: string;
  kid: string;
  public_key: Json<Record<string, unknown>>;
  created_at: TimeWithDefault;
  enrolled_at: TimeWithDefault;
  is_next: Generated<boolean>;
  revoked_at: TimeOrNull;
}

export interface CommandKeySetsTable {
  serial: number;
  keys: Json<CommandKeyJwk[]>;
  jws: string;
  made_at: TimeWithDefault;
}
