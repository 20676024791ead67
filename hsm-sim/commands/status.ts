import { type Command, ok } from '../command.ts';
import { ErrorCode, Refusal } from '../refusal.ts';

/** Nine characters like a real one's, and unlike any real one's. */
const FIRMWARE = '0007-SIM1';

/** Connections served at once; `NO` tells it. */
export const SOCKETS = 64;

/** NC: LMK check value 16H, firmware 9A. */
const diagnostics: Command = (request, hsm) => {
  request.end();
  return ok(hsm.lmk.checkValue + FIRMWARE);
};

/** NO: mode 2N. 00: buffer 3 (32K), type 1 (TCP), sockets 2N, firmware, reserved; 01: not in PCI mode. */
const status: Command = request => {
  const mode = request.text(2);
  request.end();
  if (mode === '00') return ok(`31${SOCKETS}${FIRMWARE}00000`);
  if (mode === '01') return ok('0');
  throw new Refusal(ErrorCode.inputData);
};

/** B2: length 4H, data; both too little (80) and too much (15) are told apart. */
const echo: Command = request => {
  const data = request.text(request.length(), ErrorCode.dataLength);
  request.end();
  return ok(data);
};

export const statusCommands: Readonly<Record<string, Command>> = { NC: diagnostics, NO: status, B2: echo };
