import type pg from 'pg';
import type { CardKind, LinkProfile, Route } from '../switch/ports.ts';

/** Links and the BIN table in Postgres. All SQL of the banks room. */

type Stored = Omit<LinkProfile, 'name'>;

export async function loadLinks(pool: pg.Pool): Promise<LinkProfile[]> {
  const { rows } = await pool.query<{ name: string; profile: Stored }>('SELECT name, profile FROM links ORDER BY name');
  return rows.map(row => ({ ...row.profile, name: row.name }));
}

export async function saveLink(pool: pg.Pool, { name, ...profile }: LinkProfile): Promise<void> {
  await pool.query(
    `INSERT INTO links (name, profile) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET profile = excluded.profile, updated_at = now()`,
    [name, JSON.stringify(profile)],
  );
}

export async function loadRoutes(pool: pg.Pool): Promise<Route[]> {
  const { rows } = await pool.query<{ bin_prefix: string; link: string; card_kind: CardKind }>(
    'SELECT bin_prefix, link, card_kind FROM routes',
  );
  return rows.map(row => ({ binPrefix: row.bin_prefix, link: row.link, cardKind: row.card_kind }));
}

export async function saveRoute(pool: pg.Pool, route: Route): Promise<void> {
  await pool.query(
    `INSERT INTO routes (bin_prefix, link, card_kind) VALUES ($1, $2, $3)
     ON CONFLICT (bin_prefix) DO UPDATE SET link = excluded.link, card_kind = excluded.card_kind`,
    [route.binPrefix, route.link, route.cardKind],
  );
}
