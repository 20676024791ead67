import type { World } from './world.ts';

/** What shows that a fault happened: names and values for the report. */
export interface Proof {
  readonly proven: boolean;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** A fault that has been brought about; ms since 1970. */
export interface Inflicted {
  /** The moment that decides who was caught. */
  readonly atMs: number;
  /** When the first thing was done to the world, where that was earlier: the load is measured before it. */
  readonly fromMs?: number;
  /** When what caused it was taken away, where something had to be. Whatever comes after it comes by itself. */
  readonly healedAtMs?: number;
  /** Asked once the world is whole again. */
  prove(): Promise<Proof>;
}

/** One kind of fault. */
export interface Fault {
  readonly name: string;
  /** For people. */
  readonly about: string;
  /** Brings it about in a world under load, and takes its cause away where nothing else would. */
  inflict(world: World): Promise<Inflicted>;
}

/** A fault that is one blow: what must be known of the time before is asked first, and then nothing is waited for. */
export interface Blow {
  strike(): void;
  prove(): Promise<Proof>;
}

export interface Kill extends Fault {
  prepare(world: World): Promise<Blow>;
}

export function kill(name: string, about: string, prepare: Kill['prepare']): Kill {
  return { name, about, prepare, inflict: async world => strike(await prepare(world)) };
}

/** Several blows at one moment, as one. */
export function together(name: string, about: string, kills: readonly Kill[]): Kill {
  return kill(name, about, async world => {
    const blows = await Promise.all(kills.map(one => one.prepare(world)));
    return {
      strike() {
        for (const blow of blows) blow.strike();
      },
      async prove() {
        const proofs = await Promise.all(blows.map(blow => blow.prove()));
        return {
          proven: proofs.every(({ proven }) => proven),
          facts: Object.assign({}, ...proofs.map(({ facts }) => facts)),
        };
      },
    };
  });
}

/** Strikes now. `fromMs`: when the first thing was done to the world, where that was earlier. */
export function strike(blow: Blow, fromMs?: number): Inflicted {
  const atMs = Date.now();
  blow.strike();
  return { atMs, fromMs: fromMs ?? atMs, prove: () => blow.prove() };
}
