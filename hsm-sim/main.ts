import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commandCodes } from './engine.ts';
import { formKey } from './form-key.ts';
import { keyTypeNames } from './key-type.ts';
import { type Lmk, newLmkFile, readLmkFile, testLmk } from './lmk.ts';
import { startHsmSim } from './server.ts';

const HELP = `A payment HSM in software: payShield host commands over TCP.

  hsm-sim --lmk test | --lmk-file FILE [--port 1500] [--host 127.0.0.1] [--header-length 4]
      Serves. Prints {"listening":"HOST:PORT"} when ready; port 0 takes a free one. SIGTERM and SIGINT stop it and
      print {"counts":{...}}, commands by code; SIGUSR2 prints that and goes on.

  hsm-sim new-lmk FILE
      Makes a random LMK in a new file with mode 0600 and prints its check value, as NC shows it.

  hsm-sim form-key --lmk test | --lmk-file FILE --type 000 --scheme U [COMPONENT...]
      XORs clear components and prints the key under the LMK and its check value: how a ZMK enters a real HSM.
      Without components on the command line they are read from standard input, one on a line.

LMK:      --lmk test is the public test LMK: keys under it are as good as clear.
Schemes:  Z single; X, U double; Y, T triple (U, T: with variants).
Commands: ${commandCodes().join(' ')}
Key types:
${keyTypeNames()
  .map(([code, name]) => `  ${code}  ${name}`)
  .join('\n')}
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  lmk: { type: 'string' },
  'lmk-file': { type: 'string' },
  port: { type: 'string', default: '1500' },
  host: { type: 'string', default: '127.0.0.1' },
  'header-length': { type: 'string', default: '4' },
  type: { type: 'string' },
  scheme: { type: 'string' },
} as const;

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function chooseLmk(name: string | undefined, file: string | undefined): Lmk {
  if (name !== undefined && file !== undefined) throw new Error('--lmk and --lmk-file are one or the other');
  if (file !== undefined) return readLmkFile(file);
  if (name === 'test') return testLmk;
  throw new Error('say which LMK: --lmk test (public, for tests) or --lmk-file FILE');
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most)
    throw new Error(`--${option} ${text} is not a whole number from 0 to ${most}`);
  return value;
}

async function serve(lmk: Lmk, host: string, port: number, headerLength: number): Promise<void> {
  const hsm = await startHsmSim({ lmk, host, port, headerLength });
  const stop = async (): Promise<void> => {
    await hsm.close();
    print({ counts: hsm.counts() });
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  process.on('SIGUSR2', () => print({ counts: hsm.counts() }));
  print({ listening: `${host}:${hsm.port}` });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [subCommand, ...rest] = positionals;
  switch (subCommand) {
    case undefined: {
      const port = wholeNumber('port', values.port, 65_535);
      const headerLength = wholeNumber('header-length', values['header-length'], 255);
      return serve(chooseLmk(values.lmk, values['lmk-file']), values.host, port, headerLength);
    }
    case 'new-lmk': {
      const [file, ...more] = rest;
      if (file === undefined || more.length > 0) throw new Error('new-lmk takes one FILE');
      return print({ file, checkValue: newLmkFile(file).checkValue });
    }
    case 'form-key': {
      const { type, scheme } = values;
      if (type === undefined || scheme === undefined) throw new Error('form-key needs --type and --scheme');
      const lmk = chooseLmk(values.lmk, values['lmk-file']);
      const components = rest.length > 0 ? rest : readFileSync(0, 'latin1').split(/\s+/).filter(Boolean);
      return print(formKey({ lmk, type, scheme, components }));
    }
    default:
      throw new Error(`no sub-command ${subCommand}; --help lists them`);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`hsm-sim: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
