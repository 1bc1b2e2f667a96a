import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type * as z from 'zod';
import type { Asker } from '../../../domain/principal.ts';
import type { DecisionInput, DecisionOutcome } from '../../../services/actions/decide-action.ts';
import { cancelAction, decideAction } from '../../../services/actions/decide-action.ts';
import { explainAction } from '../../../services/actions/explain-action.ts';
import { getAction, listActions } from '../../../services/actions/read-actions.ts';
import { requestAction } from '../../../services/actions/request-action.ts';
import type { Context } from '../../../services/context.ts';
import { answerOnce } from '../../plugins/answer-once.ts';
import { readAsker } from '../../plugins/authenticate.ts';
import { bearer, idempotencyHeaders, pageOf, problems } from '../../schemas.ts';
import * as schemas from './schemas.ts';

const READ = ['actions.read', 'actions.read_own'] as const;
const common = { tags: ['actions'], security: bearer };
const answers = { 200: schemas.decisionJson, ...problems };
const documented = { ...common, headers: idempotencyHeaders, params: schemas.actionId, response: answers };

/** Requests, reading, and decisions; who decides is judged, and refusals audited, by the use case. */
export function createActionRoutes(ctx: Context): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(createRequestRoute(ctx));
    await app.register(createListRoute(ctx));
    await app.register(createOneActionRoutes(ctx));
    await app.register(createDecisionRoutes(ctx));
    await app.register(createCancelRoute(ctx));
  };
}

function createRequestRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/actions',
      {
        config: { access: ['actions.request'] },
        schema: {
          ...common,
          summary: 'Ask for an action',
          headers: idempotencyHeaders,
          body: schemas.requestBody,
          response: { 200: schemas.actionJson, 201: schemas.actionJson, ...problems },
        },
      },
      (request, reply) => {
        const { alert_id: alertId, timeout_s: timeoutS, dry_run: dryRun, ...rest } = request.body;
        return answerOnce(
          ctx,
          { request, reply },
          {
            status: 201,
            run: async (requestKey) => {
              const input = { ...rest, alertId, timeoutS, dryRun, ...(requestKey === undefined ? {} : { requestKey }) };
              return schemas.toActionJson(await requestAction(ctx, readAsker(request), input));
            },
          },
        );
      },
    );
    return Promise.resolve();
  };
}

function createListRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.get(
      '/actions',
      {
        config: { access: READ },
        schema: {
          ...common,
          summary: 'Actions, newest first',
          querystring: schemas.actionQuery,
          response: { 200: pageOf(schemas.actionJson), ...problems },
        },
      },
      async (request) => {
        const { items, next } = await listActions(ctx, readAsker(request), request.query);
        return { items: items.map(schemas.toActionJson), next };
      },
    );
    return Promise.resolve();
  };
}

function createOneActionRoutes(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.get(
      '/actions/:id',
      {
        config: { access: READ },
        schema: {
          ...common,
          summary: 'One action',
          params: schemas.actionId,
          response: { 200: schemas.actionJson, ...problems },
        },
      },
      async (request) => schemas.toActionJson(await getAction(ctx, readAsker(request), request.params.id)),
    );
    app.get(
      '/actions/:id/why',
      {
        config: { access: READ },
        schema: {
          ...common,
          summary: 'The rule of an action, who may approve it, who has, and who could not',
          params: schemas.actionId,
          response: { 200: schemas.explanationJson, ...problems },
        },
      },
      async (request) => schemas.toExplanationJson(await explainAction(ctx, readAsker(request), request.params.id)),
    );
    return Promise.resolve();
  };
}

function createDecisionRoutes(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/actions/:id/approve',
      {
        config: { access: ['actions.decide'], isJudgedByService: true },
        schema: { ...documented, summary: 'Approve', body: schemas.approveBody },
      },
      (request, reply) => {
        const input = { actionId: request.params.id, kind: 'approve' as const, ...readApproval(request.body) };
        return decideOnce(ctx, { request, reply }, (asker, decisionId) =>
          decideAction(ctx, asker, { ...input, decisionId }),
        );
      },
    );
    app.post(
      '/actions/:id/reject',
      {
        config: { access: ['actions.decide'], isJudgedByService: true },
        schema: { ...documented, summary: 'Reject, with a reason', body: schemas.rejectBody },
      },
      (request, reply) => {
        const input = { actionId: request.params.id, kind: 'reject' as const, reason: request.body.reason };
        return decideOnce(ctx, { request, reply }, (asker, decisionId) =>
          decideAction(ctx, asker, { ...input, decisionId }),
        );
      },
    );
    return Promise.resolve();
  };
}

function createCancelRoute(ctx: Context): FastifyPluginAsyncZod {
  return (app) => {
    app.post(
      '/actions/:id/cancel',
      {
        config: { access: ['actions.cancel', 'actions.request'], isJudgedByService: true },
        schema: { ...documented, summary: 'Cancel, or withdraw one’s own request', body: schemas.cancelBody },
      },
      (request, reply) => {
        const input = { actionId: request.params.id, reason: request.body.reason };
        return decideOnce(ctx, { request, reply }, (asker, decisionId) =>
          cancelAction(ctx, asker, { ...input, decisionId }),
        );
      },
    );
    return Promise.resolve();
  };
}

function decideOnce(
  ctx: Context,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  decide: (asker: Asker, decisionId: string | undefined) => Promise<DecisionOutcome>,
) {
  const run = async (decisionId?: string) => toDecisionJson(await decide(readAsker(exchange.request), decisionId));
  return answerOnce(ctx, exchange, { status: 200, run });
}

function readApproval(body: z.infer<typeof schemas.approveBody>): Omit<DecisionInput, 'actionId'> {
  const { reason, totp, playbook_digest: playbookDigest } = body;
  return { reason, totp, playbookDigest, confirmServer: body.confirm_server, breakGlass: body.break_glass };
}

function toDecisionJson({ action, outcome, sentence }: DecisionOutcome) {
  return { ...schemas.toActionJson(action), outcome, sentence };
}
