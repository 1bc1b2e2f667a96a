import { ActionBatch } from './action-batch.entity.ts';
import { Action } from './action.entity.ts';
import { AgentKey } from './agent-key.entity.ts';
import { Alert } from './alert.entity.ts';
import { ApiToken } from './api-token.entity.ts';
import { AuditEvent, AuditHead } from './audit.entity.ts';
import { AuditReport, Checkpoint } from './checkpoint.entity.ts';
import { Command } from './command.entity.ts';
import { CommandKeySet } from './command-key-set.entity.ts';
import { Decision } from './decision.entity.ts';
import { EnrollmentToken } from './enrollment-token.entity.ts';
import { Halt } from './halt.entity.ts';
import { HoldBack } from './hold-back.entity.ts';
import { IdempotencyKey } from './idempotency-key.entity.ts';
import { PrincipalTotp } from './principal-totp.entity.ts';
import { Result } from './result.entity.ts';
import { Server } from './server.entity.ts';
import { SlackLane } from './slack-lane.entity.ts';
import { SlackHome } from './slack-home.entity.ts';
import { SlackOutboxEntry } from './slack-outbox-entry.entity.ts';
import { SlackSocket } from './slack-socket.entity.ts';

/** Every entity; the drift test compares them with the migrated schema. */
export const ENTITIES = [
  Action,
  ActionBatch,
  AgentKey,
  Alert,
  ApiToken,
  AuditEvent,
  AuditHead,
  AuditReport,
  Checkpoint,
  Command,
  CommandKeySet,
  Decision,
  EnrollmentToken,
  Halt,
  HoldBack,
  IdempotencyKey,
  PrincipalTotp,
  Result,
  Server,
  SlackLane,
  SlackHome,
  SlackOutboxEntry,
  SlackSocket,
];
