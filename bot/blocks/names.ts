/** Names that other programs may rely on (docs/contract.md, section 7). */
export const BUTTONS = {
  approve: 'medic_approve',
  reject: 'medic_reject',
  details: 'medic_details',
  cancel: 'medic_cancel',
  askAgain: 'medic_ask_again',
  unpause: 'medic_unpause',
} as const;

/** The Home tab, as its clicks name it. */
export const HOME = 'medic_home';
/** A window that is only read. */
export const DETAILS_VIEW = 'medic_details_view';

/** Behind the card's ⋯; the value of each option is its word and the action's id. */
export const MENU = 'medic_more';
export const MENU_WORDS = {
  approve_comment: 'Approve with a comment …',
  why: 'Who may decide, and why',
  break_glass: 'Break glass (admins only) …',
} as const;
export type MenuWord = keyof typeof MENU_WORDS;

export function menuValue(word: string, actionId: string): string {
  return `${word}:${actionId}`;
}

/** Null where it is none of ours. */
export function readMenuValue(value: string): { word: MenuWord; actionId: string } | null {
  const at = value.indexOf(':');
  const word = value.slice(0, at);
  return Object.hasOwn(MENU_WORDS, word) ? { word: word as MenuWord, actionId: value.slice(at + 1) } : null;
}

export const FORMS = {
  request: 'medic_request',
  rejectReason: 'medic_reject_reason',
  approveComment: 'medic_approve_comment',
  confirm: 'medic_confirm',
  breakGlass: 'medic_break_glass',
} as const;

/** Menus of the request form that search while somebody types; parameters with many values are named `param_<name>`. */
export const SEARCHES = { playbook: 'medic_playbook_options', server: 'medic_server_options' } as const;

export const BATCH_BUTTONS = {
  approve: 'medic_batch_approve',
  select: 'medic_batch_select',
  reject: 'medic_batch_reject',
} as const;

export const BATCH_FORMS = { selection: 'medic_batch_selection', rejectReason: 'medic_batch_reject_reason' } as const;

/** `callback_id`s of the shortcuts: from anywhere, and from a message's menu. */
export const SHORTCUTS = { ask: 'medic_ask', askMessage: 'medic_ask_message' } as const;

export const EVENT_TYPE = 'medic_action';
export const BATCH_EVENT_TYPE = 'medic_batch';
/** Of the messages that tell of a halt. */
export const HALT_EVENT_TYPE = 'medic_halt';
/** Of the message that a playbook is held back on a server. */
export const HELD_BACK_EVENT_TYPE = 'medic_held_back';
/** Of the message that an agent found its journal damaged. */
export const JOURNAL_EVENT_TYPE = 'medic_journal_damage';
/** Of a reply in the thread of a card; its payload tells replies apart. */
export const REPLY_EVENT_TYPE = 'medic_reply';
/** Of a direct message; its payload names what it tells. */
export const PRIVATE_EVENT_TYPE = 'medic_private';

/** Of the daily line on the audit log; its payload has `count` and the whole `head`. */
export const AUDIT_EVENT_TYPE = 'medic_audit';

/** The first block tells the messages of one action from each other. */
export const CARD_BLOCK = 'medic_card';
export const NOTICE_BLOCK = 'medic_notice';
export const BREAK_GLASS_BLOCK = 'medic_break_glass_notice';
export const HALT_BLOCK = 'medic_halt_news';
export const HELD_BACK_BLOCK = 'medic_held_back_news';
export const JOURNAL_BLOCK = 'medic_journal_news';
export const OUTPUT_BLOCK = 'medic_output';
export const BATCH_BLOCK = 'medic_batch';
export const BATCH_NOTICE_BLOCK = 'medic_batch_notice';

export const COMMAND = '/remediate';

/** As lists and cards name an action; `show` and the other verbs accept it. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
