export const MAX_DOCUMENT_BYTES = 64 * 1024; // the API's own limit for one request
export const DEFAULT_MAX_LENGTH = 256;
export const MAX_VALUE_LENGTH = 1024; // an argument that a person can still read in a preview
export const MAX_PARAMS = 20; // one Slack form shows them all
export const MAX_NAME_LENGTH = 64;
export const MAX_TITLE_LENGTH = 150; // a Slack header
export const MAX_DESCRIPTION_LENGTH = 2000; // fits one Slack section
export const MIN_TIMEOUT_MS = 1000;
export const MAX_TIMEOUT_MS = 86_400_000; // a repair that needs more than a day is no repair
export const MIN_WAIT_EVERY_MS = 100;
export const MIN_ATTEMPTS = 2; // one is what a playbook without `retry` has
export const MAX_ATTEMPTS = 10; // what fails ten times needs a person
export const MIN_BACKOFF_MS = 1000;
export const MAX_BACKOFF_MS = 3_600_000; // the approval was given for now, not for tomorrow
export const DEFAULT_BACKOFF_MS = 10_000; // longer than a service needs to come up
export const DEFAULT_MAX_BACKOFF_MS = 300_000; // longer than a machine needs to

export const PLAYBOOK_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
export const PARAM_NAME = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;
/** `reason` is a word of the Slack command; `constructor` is a word of JavaScript. */
export const RESERVED_PARAM_NAMES: readonly string[] = ['reason', 'constructor'];
