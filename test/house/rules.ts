/** Who may know whom, as in `docs/architecture.md`: `main.ts` alone knows all. */

/** What an import may be: a path from the top level (a folder with `/` at its end, or a file), or a word for what is not ours. */
type Allowed = readonly string[];

interface Rule {
  /** The files it is for: those below a folder, or one file. The first rule that fits a file decides. */
  readonly of: string;
  readonly may: Allowed;
}

const NODE = 'node:';
const PACKAGES = 'packages';
const EVERYTHING = 'everything';

const COLLECTIONS = 'src/collections/';
const CODEC = 'iso8583/index.ts';
const PORTS = 'src/switch/ports.ts';

const ROOMS = [
  'terminals',
  'banks',
  'registry',
  'hsm',
  'journal',
  'postgres',
  'settlement',
  'http',
  'console',
  'telemetry',
];

const STARTERS = ['hsm', 'registry', 'banks', 'embedded', 'audit', 'postgres', 'config', 'simulators'];

/** What the terminals and banks of the simulated world stand on: nothing of the switch. */
const WORLD = ['crypto', 'faults', 'kernel', 'network', 'random', 'trace', 'ports/pin-block'].map(
  name => `test/simulation/${name}.ts`,
);

export const RULES: readonly Rule[] = [
  { of: 'iso8583/', may: ['iso8583/', NODE] },
  { of: 'hsm-sim/', may: ['hsm-sim/', NODE] },
  // The core knows no I/O: no package and nothing of Node.
  { of: 'src/switch/', may: ['src/switch/', COLLECTIONS, CODEC] },
  { of: COLLECTIONS, may: [COLLECTIONS] },
  ...ROOMS.map(room => ({
    of: `src/${room}/`,
    may: [
      `src/${room}/`,
      COLLECTIONS,
      CODEC,
      'iso8583/specs/',
      'src/telemetry/',
      'src/postgres/',
      PORTS,
      NODE,
      PACKAGES,
    ],
  })),
  // The judge shares no code with what it judges.
  { of: 'src/audit/', may: ['src/audit/', NODE, PACKAGES] },
  // The operator's hand: no part of a switch process.
  { of: 'src/cases/', may: ['src/cases/', 'src/postgres/', NODE, PACKAGES] },
  { of: 'src/embedded/', may: ['src/embedded/', NODE, PACKAGES] },
  { of: 'src/config/', may: ['src/config/', NODE] },
  { of: 'src/config.ts', may: ['src/config/', NODE] },
  // The two sides of a demo share nothing that could be wrong in both.
  { of: 'src/simulators/bank/', may: ['src/simulators/bank/', CODEC, 'iso8583/specs/', NODE, PACKAGES] },
  { of: 'src/simulators/terminal/', may: ['src/simulators/terminal/', CODEC, 'iso8583/specs/', NODE, PACKAGES] },
  {
    of: 'src/simulators/',
    may: [...STARTERS.map(room => `src/${room}/`), 'src/config.ts', PORTS, CODEC, NODE, PACKAGES],
  },
  // The composition root, and what it looks at before it lets the switch start.
  { of: 'src/main.ts', may: ['src/', 'iso8583/', NODE, PACKAGES] },
  { of: 'src/workers.ts', may: [NODE] },
  { of: 'src/start-checks.ts', may: ['src/', NODE, PACKAGES] },
  { of: 'bench/', may: [EVERYTHING] },
  // In the simulated world, who judges shares nothing with what it judges, and neither do those on the two sides of it.
  {
    of: 'test/simulation/auditor/',
    may: [
      'test/simulation/auditor/',
      CODEC,
      'test/simulation/crypto.ts',
      'test/simulation/bank/book.ts',
      'test/simulation/terminal/book.ts',
    ],
  },
  ...['bank', 'terminal'].map(side => ({
    of: `test/simulation/${side}/`,
    may: [`test/simulation/${side}/`, CODEC, ...WORLD, NODE],
  })),
  ...WORLD.map(of => ({ of, may: WORLD })),
  { of: 'test/', may: [EVERYTHING] },
];

/** What a module imports against the rules; a module that no rule is for may import nothing. */
export function forbiddenImports(path: string, imports: readonly string[], reexported: Allowed): readonly string[] {
  const rule = RULES.find(({ of }) => fits(path, of));
  return imports.filter(target => !(rule?.may ?? []).some(allowed => permits(allowed, target, reexported)));
}

function permits(allowed: string, target: string, reexported: Allowed): boolean {
  const ours = /^(src|iso8583|hsm-sim|bench|test|\.\.)\//.test(target);
  if (allowed === EVERYTHING) return true;
  if (allowed === NODE) return target.startsWith(NODE);
  if (allowed === PACKAGES) return !ours && !target.startsWith(NODE);
  return fits(target, allowed) || (allowed === PORTS && reexported.includes(target));
}

function fits(path: string, place: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place;
}
