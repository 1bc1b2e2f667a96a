import { test } from '@jest/globals';
import { checkActions, checkLists } from '../support/generated-messages.ts';
import { countOf, STRESS_TIMEOUT_MS } from '../support/stress.ts';

const ACTIONS = countOf({ usual: 2_000, stress: 100_000 });
const LISTS = countOf({ usual: 60, stress: 3_000 });

test(
  `${ACTIONS} actions with hostile names, reasons and output keep Slack's limits and are nothing but text, in every message and form`,
  () => {
    checkActions(ACTIONS);
  },
  STRESS_TIMEOUT_MS,
);

test(
  `${LISTS} lists, batches and Homes do, too`,
  () => {
    checkLists(LISTS);
  },
  STRESS_TIMEOUT_MS,
);
