/**
 * Loaded by .taprc into every process that tap starts. tap makes each Node process that a test starts load its recorder of
 * modules, too: half a second of work, a file written at the end, signals handled its own way. With nothing to
 * record for (coverage is off), what a test starts is rather what a user starts.
 */

/** What tap adds to the environment of a child at the moment it is spawned. */
const spawning = Reflect.get(globalThis, Symbol.for('process-on-spawn@*:singletonId')) as
  | { listeners: readonly unknown[] }
  | undefined;
if (spawning !== undefined) spawning.listeners = [];

/** What it gave to this process to hand down. */
const inherited = process.env.NODE_OPTIONS ?? '';
const own = inherited.replace(/"?--import=[^"\s]*@tapjs\/processinfo[^"\s]*"?/, '').trim();
if (own === '') delete process.env.NODE_OPTIONS;
else process.env.NODE_OPTIONS = own;
