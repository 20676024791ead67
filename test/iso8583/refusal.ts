import { Iso8583Error } from '../../iso8583/index.ts';

/** The codec's own error, which `run` must throw: any other error passes through, and none is one too. */
export function refusal(run: () => unknown): Iso8583Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Iso8583Error) return error;
    throw error;
  }
  throw new Error('was accepted');
}
