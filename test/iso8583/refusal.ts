import { Iso8583Error, type Iso8583ErrorCode } from '../../iso8583/index.ts';

/**
 * The codec's own error that `run` throws, undefined when it throws none. Any other error passes through and fails the
 * test at its place; so does one of another code, where a `code` is asked for.
 */
export function refusalOrNone(run: () => unknown, code?: Iso8583ErrorCode): Iso8583Error | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof Iso8583Error && (code === undefined || error.code === code)) return error;
    throw error;
  }
  return undefined;
}

/** The codec's own error, which `run` must throw. */
export function refusal(run: () => unknown): Iso8583Error {
  const error = refusalOrNone(run);
  if (error === undefined) throw new Error('was accepted');
  return error;
}
