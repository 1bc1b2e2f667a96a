import type { App } from '@slack/bolt';
import type { BotDeps } from '../../deps.ts';
import { listenToApproveComment } from './approve-comment.ts';
import { listenToBatchForms } from './batch-forms.ts';
import { listenToBreakGlass } from './break-glass.ts';
import { listenToConfirm } from './confirm.ts';
import { listenToRejectReason } from './reject-reason.ts';
import { listenToRequestFormChanges } from './request-form-changes.ts';
import { listenToRequestForm } from './request-form.ts';

export function listenToViews(app: App, deps: BotDeps): void {
  listenToRequestForm(app, deps);
  listenToRequestFormChanges(app, deps);
  listenToRejectReason(app, deps);
  listenToApproveComment(app, deps);
  listenToBatchForms(app, deps);
  listenToConfirm(app, deps);
  listenToBreakGlass(app, deps);
}
