/** Tables and numbers as people read them; what is printed can be pasted into a README. */

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** A column of words. */
export const left = (title: string): Column => ({ title, align: 'left' });

/** A column of figures. */
export const right = (title: string): Column => ({ title, align: 'right' });

/** An aligned Markdown table. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(3, title.length, ...rows.map(row => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = columns.map(({ align }, index) => {
      const cell = cells[index] ?? '';
      const width = widths[index] ?? 0;
      return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = columns.map(({ align }, index) => {
    const dashes = '-'.repeat((widths[index] ?? 0) - 1);
    return align === 'right' ? `${dashes}:` : `${dashes}-`;
  });
  return [line(columns.map(({ title }) => title)), line(rule), ...rows.map(line)].join('\n');
}

/** `1,234,567`, to three digits that say something. */
export function count(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}

/** Nanoseconds: whole ones from 100 up. */
export function nanoseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

/** `3 %` */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `12.3` */
export function ratio(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
