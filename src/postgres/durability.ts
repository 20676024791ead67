import type pg from 'pg';

/** Whether what Postgres calls committed survives a loss of power. */
export type Durability =
  | { readonly kind: 'durable' }
  /** `setting` is what has to be changed in Postgres, or for the role or database that `DATABASE_URL` names. */
  | { readonly kind: 'not-durable'; readonly setting: string; readonly value: string };

/**
 * Asks, over a connection like any other, so that settings of role and database count. The switch refuses to
 * start on anything but 'durable': OPEN and CLOSE would promise what Postgres does not keep.
 */
export async function assertDurable(pool: pg.Pool): Promise<Durability> {
  const { rows } = await pool.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'
      order by name`,
  );
  const [off] = rows;
  return off === undefined ? { kind: 'durable' } : { kind: 'not-durable', setting: off.name, value: off.setting };
}
