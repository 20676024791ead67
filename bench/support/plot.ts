/** A line chart as SVG, for a page of the documentation. */

export interface Series {
  readonly name: string;
  /** x and y of each point, ascending by x. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  readonly series: readonly Series[];
}

const [width, height] = [720, 380];
const [left, right, top, bottom] = [64, 150, 40, 48];
const colours = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700'];

export function plot({ title, xName, yName, series }: Plot): string {
  const points = series.flatMap(one => one.points);
  const [xMost, yMost] = [nice(Math.max(...points.map(([x]) => x))), nice(Math.max(...points.map(([, y]) => y)))];
  const x = (value: number): string => (left + (value / xMost) * (width - left - right)).toFixed(1);
  const y = (value: number): string => (height - bottom - (value / yMost) * (height - top - bottom)).toFixed(1);
  const steps = [0, 0.25, 0.5, 0.75, 1];
  const text = (at: string, more: string, content: string): string => `<text ${at} ${more}>${content}</text>`;
  const grid = steps.flatMap(share => [
    `<line x1="${x(0)}" y1="${y(share * yMost)}" x2="${x(xMost)}" y2="${y(share * yMost)}" stroke="#d0d7de"/>`,
    text(
      `x="${left - 8}" y="${y(share * yMost)}"`,
      'text-anchor="end" dominant-baseline="middle"',
      label(share * yMost),
    ),
    text(`x="${x(share * xMost)}" y="${height - bottom + 18}"`, 'text-anchor="middle"', label(share * xMost)),
  ]);
  const lines = series.flatMap(({ name, points: own }, index) => {
    const colour = colours[index % colours.length];
    const path = own.map(([px, py]) => `${x(px)},${y(py)}`).join(' ');
    const [lastX, lastY] = own.at(-1) ?? [0, 0];
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...own.map(([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="3" fill="${colour}"/>`),
      text(`x="${Number(x(lastX)) + 8}" y="${y(lastY)}"`, `fill="${colour}" dominant-baseline="middle"`, name),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(`x="${left}" y="22"`, 'font-size="14"', title),
    ...grid,
    ...lines,
    text(`x="${(width - right + left) / 2}" y="${height - 10}"`, 'text-anchor="middle"', xName),
    text(`x="${left}" y="${top - 6}"`, 'text-anchor="end"', yName),
    '</svg>',
    '',
  ].join('\n');
}

/** The next number up that reads well. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 4, 5, 8, 10].find(step => step * power >= value) ?? 10) * power;
}

function label(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
