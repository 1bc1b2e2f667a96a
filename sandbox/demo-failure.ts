import { MedicError } from '../domain/errors.ts';

/** A demo step that did not happen as it must. */
export class DemoFailure extends MedicError {
  constructor(message: string) {
    super(message, { code: 'not_proved' });
  }
}
