/** Names that other programs may rely on (docs/contract.md, section 7). */
export const BUTTONS = {
  approve: 'medic_approve',
  reject: 'medic_reject',
  details: 'medic_details',
  cancel: 'medic_cancel',
} as const;

export const FORMS = { request: 'medic_request', rejectReason: 'medic_reject_reason' } as const;

export const BATCH_BUTTONS = {
  approve: 'medic_batch_approve',
  select: 'medic_batch_select',
  reject: 'medic_batch_reject',
} as const;

export const BATCH_FORMS = { selection: 'medic_batch_selection', rejectReason: 'medic_batch_reject_reason' } as const;

export const EVENT_TYPE = 'medic_action';
export const BATCH_EVENT_TYPE = 'medic_batch';
/** Of a reply in the thread of a card; its payload tells replies apart. */
export const REPLY_EVENT_TYPE = 'medic_reply';

/** The first block tells the messages of one action from each other. */
export const CARD_BLOCK = 'medic_card';
export const NOTICE_BLOCK = 'medic_notice';
export const OUTPUT_BLOCK = 'medic_output';
export const BATCH_BLOCK = 'medic_batch';

export const COMMAND = '/remediate';

/** As lists and cards name an action; `show` and the other verbs accept it. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
