/** The set-up cannot be done; the message is one sentence with the remedy, for the person at the terminal. */
export class SetupError extends Error {}
