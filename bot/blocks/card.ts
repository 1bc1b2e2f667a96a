import type { ActionsBlockElement, Button, KnownBlock } from '@slack/types';
import { isEnded } from '../../domain/lifecycle.ts';
import { listProofs } from '../../domain/policy.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { CardButton } from './card-states.ts';
import { describeState } from './card-states.ts';
import { argvBlock, requestFacts } from './facts.ts';
import type { ActionMessage } from './message.ts';
import { metadataOf } from './message.ts';
import { BUTTONS, CARD_BLOCK, MENU, MENU_WORDS, menuValue } from './names.ts';
import { button, factsBlock, MAX_SENTENCE, sentenceBlock, smallPrint } from './parts.ts';
import { escapeMrkdwn, showTime, toLine } from './text.ts';

/** The one message of an action in the channel, as the action stands now. Buttons only while they can work. */
export function createCard(action: ActionView): ActionMessage {
  const state = describeState(action);
  const sentence = toLine(state.sentence, MAX_SENTENCE);
  const isOver = isEnded(action.status);
  const [only, ...others] = state.buttons;
  const hasOne = isOver && only !== undefined && others.length === 0;
  const first = hasOne ? { blockId: CARD_BLOCK, accessory: detailsButton(action) } : { blockId: CARD_BLOCK };
  const blocks: KnownBlock[] = [sentenceBlock(sentence, first), factsBlock(requestFacts(action)), argvBlock(action)];
  if (state.story.length > 0) blocks.push(factsBlock(state.story));
  if (state.deadline !== null) blocks.push(smallPrint([`${state.deadline.label} ${showTime(state.deadline.at)}`]));
  if (!hasOne) blocks.push({ type: 'actions', elements: state.buttons.map((name) => drawButton(action, name)) });
  return { text: escapeMrkdwn(sentence), blocks, metadata: metadataOf(action) };
}

/** In place of a second message of the same action; without buttons. */
export function createClosedDuplicate(action: ActionView): ActionMessage {
  const sentence = toLine(
    `This message was replaced: the card of ${action.playbook} on ${action.server} stands elsewhere.`,
    MAX_SENTENCE,
  );
  return { text: escapeMrkdwn(sentence), blocks: [sentenceBlock(sentence)], metadata: metadataOf(action) };
}

export function detailsButton(action: ActionView): Button {
  return button({
    actionId: BUTTONS.details,
    label: 'Details',
    value: action.id,
    spoken: spoken('Details of', action),
  });
}

/** Opens the form, filled in as this action was. */
export function askAgainButton(action: ActionView): Button {
  const words = spoken('Ask again for', action);
  return button({ actionId: BUTTONS.askAgain, label: 'Ask again …', value: action.id, spoken: words });
}

export function decisionButtons(action: ActionView): [approve: Button, reject: Button] {
  const value = action.id;
  const label = opensForm(action) ? 'Approve …' : 'Approve';
  return [
    button({ actionId: BUTTONS.approve, label, value, style: 'primary', spoken: spoken('Approve', action) }),
    button({ actionId: BUTTONS.reject, label: 'Reject …', value, style: 'danger', spoken: spoken('Reject', action) }),
  ];
}

function drawButton(action: ActionView, name: CardButton): ActionsBlockElement {
  const value = action.id;
  const [approve, reject] = decisionButtons(action);
  switch (name) {
    case 'approve':
      return approve;
    case 'reject':
      return reject;
    case 'withdraw':
      return button({
        actionId: BUTTONS.cancel,
        label: 'Withdraw or cancel',
        value,
        spoken: spoken('Withdraw or cancel', action),
      });
    case 'cancel':
      return button({ actionId: BUTTONS.cancel, label: 'Cancel this action', value, spoken: spoken('Cancel', action) });
    case 'details':
      return detailsButton(action);
    case 'ask_again':
      return askAgainButton(action);
    case 'more':
      return moreMenu(action);
  }
}

/** What is asked for less often. */
function moreMenu(action: ActionView): ActionsBlockElement {
  const words = Object.entries(MENU_WORDS).filter(([word]) => {
    if (action.halt !== null) return word === 'why'; // the others approve
    return word !== 'approve_comment' || !opensForm(action);
  });
  return {
    type: 'overflow',
    action_id: MENU,
    options: words.map(([word, label]) => ({
      text: { type: 'plain_text', text: label, emoji: false },
      value: menuValue(word, action.id),
    })),
  };
}

/** A click on Approve alone does not approve these. */
function opensForm({ risk }: ActionView): boolean {
  return listProofs({ risk }).length > 0;
}

/** Read aloud, a button must make sense without the card around it. */
function spoken(verb: string, action: ActionView): string {
  return `${verb} ${action.playbook} on ${action.server}`;
}
