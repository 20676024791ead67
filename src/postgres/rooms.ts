import { assetPath } from './assets.ts';

/** A room that keeps something in Postgres, and the folder of its numbered SQL files. */
export interface Room {
  readonly room: string;
  readonly folder: string;
}

/** Every room with tables, in the order in which they are made. A room's tables refer to those of earlier rooms only. */
export const rooms: readonly Room[] = ['hsm', 'banks', 'registry', 'journal'].map(room => ({
  room,
  folder: assetPath(import.meta.url, `../${room}/migrations`),
}));
