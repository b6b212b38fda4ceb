/** From what a screen says about a chart to what uPlot draws. */
import uPlot from 'uplot';
import { formatNumber, formatUnit, NO_VALUE } from './format';
import { colourOf, cssColour } from './theme.svelte';

export type Values = readonly (number | null)[];
export type Shape = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross';
/** A number = the colour of that series; a variable of theme.css; any CSS colour. */
export type Colour = number | string;

export interface Axis {
  label: string;
  unit?: string;
  log?: boolean;
  /** Fixed ends; null leaves an end to the data. */
  range?: [number | null, number | null];
  /** Begin at zero when all values are positive (linear y axes; default true). */
  zero?: boolean;
}
export interface Line {
  name: string;
  y: Values;
  /** Its own abscissae, where they differ from the chart's. */
  x?: Values;
  unit?: string;
  colour?: Colour;
  dash?: number[];
  width?: number;
  hidden?: boolean;
  /** Draw as steps (Kaplan-Meier, dosing rates). */
  steps?: boolean;
}
export interface Band {
  name: string;
  lower: Values;
  upper: Values;
  x?: Values;
  colour?: Colour;
  opacity?: number;
  /** Name of the line that it belongs to: shown and hidden with it. */
  of?: string;
}
export interface MarkerGroup {
  name: string;
  points: readonly { x: number; y: number; low?: number | null; high?: number | null; label?: string }[];
  shape?: Shape;
  colour?: Colour;
  hollow?: boolean;
}
export interface Threshold {
  value: number;
  label: string;
  axis?: 'x' | 'y';
  colour?: Colour;
}
export interface Chart {
  x: Axis;
  y: Axis;
  times?: Values;
  lines: Line[];
  bands: Band[];
  markers: MarkerGroup[];
  thresholds: Threshold[];
}

const DASHES = [[], [9, 4], [2, 4], [12, 4, 2, 4]];
export const lineColour = (line: Line, index: number): Colour => line.colour ?? index;
export const lineDash = (line: Line, index: number) => line.dash ?? DASHES[index % DASHES.length];
export const bandColour = (band: Band, chart: Chart): Colour => {
  const owner = chart.lines.findIndex((line) => line.name === band.of);
  return band.colour ?? (owner >= 0 ? lineColour(chart.lines[owner], owner) : 0);
};
export const markerShape = (group: MarkerGroup, index: number): Shape =>
  group.shape ?? (['circle', 'square', 'triangle', 'diamond', 'cross'] as const)[index % 5];
export const axisTitle = ({ label, unit }: Axis) => (unit ? `${label} (${formatUnit(unit)})` : label);

/** What must stay equal for an update in place. */
export const structure = ({ x, y, lines, bands }: Chart) =>
  JSON.stringify([x.log, x.unit, y.log, lines.map(({ steps, width }) => [steps, width]), bands.length]);

/** Values that a logarithmic axis cannot show become gaps. */
const shown = (values: Values, log?: boolean): Values =>
  log ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;

/** Columns for uPlot: x, then lower and upper edge of each band, then the lines. */
export function columnsOf(chart: Chart): uPlot.AlignedData {
  const parts = [
    ...chart.bands.map((band) => ({ x: band.x, ys: [band.lower, band.upper] })),
    ...chart.lines.map((line) => ({ x: line.x, ys: [line.y] })),
  ].map(({ x, ys }) => ({ x: x ?? chart.times ?? [], ys: ys.map((y) => shown(y, chart.y.log)) }));
  const first = parts[0]?.x ?? chart.times ?? [];
  const same = (a: Values, b: Values) => a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
  const whole = !parts.length || (parts.every(({ x }) => same(x, first)) && !chart.x.log);
  if (whole) return [first, ...parts.flatMap(({ ys }) => ys)] as uPlot.AlignedData;
  const positive = parts.map(({ x, ys }) => {
    const kept = chart.x.log ? x.map((value, i) => [value, i] as const).filter(([value]) => value !== null && value > 0) : null;
    return kept ? [kept.map(([value]) => value), ...ys.map((y) => kept.map(([, i]) => y[i]))] : [x, ...ys];
  });
  return uPlot.join(positive as uPlot.AlignedData[]);
}

const HOURS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 12, 24, 48, 72, 96, 168, 336, 672, 1344, 2688];

function extent(chart: Chart, low: number | null, high: number | null): [number, number] {
  const values = [low, high].filter((value): value is number => value !== null && Number.isFinite(value));
  for (const { points } of chart.markers) for (const { y, low: l, high: h } of points) values.push(y, l ?? y, h ?? y);
  for (const { value, axis } of chart.thresholds) if (axis !== 'x') values.push(value);
  const usable = chart.y.log ? values.filter((value) => value > 0) : values;
  if (!usable.length) return chart.y.log ? [0.1, 10] : [0, 1];
  return [Math.min(...usable), Math.max(...usable)];
}

function yRange(chart: Chart, dataLow: number | null, dataHigh: number | null): [number, number] {
  let [low, high] = extent(chart, dataLow, dataHigh);
  const [fixedLow, fixedHigh] = chart.y.range ?? [null, null];
  if (chart.y.log) {
    low = fixedLow ?? 10 ** (Math.floor(Math.log10(low) * 3) / 3);
    high = fixedHigh ?? 10 ** (Math.ceil(Math.log10(high) * 3) / 3);
    return low < high ? [low, high] : [low / 2, high * 2];
  }
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  const zero = chart.y.zero !== false && low >= 0;
  return [fixedLow ?? (zero ? 0 : low - pad), fixedHigh ?? high + pad];
}

function xRange(chart: Chart, dataLow: number | null, dataHigh: number | null): [number, number] {
  const xs = [dataLow, dataHigh].filter((value): value is number => value !== null && Number.isFinite(value));
  if (chart.markers.length && !chart.x.range) for (const { points } of chart.markers) for (const { x } of points) xs.push(x);
  const usable = chart.x.log ? xs.filter((value) => value > 0) : xs;
  const [fixedLow, fixedHigh] = chart.x.range ?? [null, null];
  const low = fixedLow ?? (usable.length ? Math.min(...usable) : chart.x.log ? 0.1 : 0);
  const high = fixedHigh ?? (usable.length ? Math.max(...usable) : 1);
  return low < high ? [low, high] : chart.x.log ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
}

function drawShape(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, r: number, hollow: boolean) {
  context.beginPath();
  if (shape === 'circle') context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === 'square') context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else if (shape === 'cross') {
    context.moveTo(x - r, y - r), context.lineTo(x + r, y + r), context.moveTo(x - r, y + r), context.lineTo(x + r, y - r);
    return context.stroke();
  } else {
    const corners = shape === 'triangle' ? [[0, -1.15], [1.05, 0.8], [-1.05, 0.8]] : [[0, -1.25], [1.1, 0], [0, 1.25], [-1.1, 0]];
    corners.forEach(([dx, dy], i) => context[i ? 'lineTo' : 'moveTo'](x + dx * r, y + dy * r));
    context.closePath();
  }
  if (!hollow) context.fill();
  context.stroke();
}

function drawMarks(u: uPlot, chart: Chart, hidden: ReadonlySet<string>) {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const at = (value: number, axis: 'x' | 'y') => u.valToPos(value, axis, true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  for (const { value, label, axis, colour } of chart.thresholds) {
    if (!Number.isFinite(value) || (value <= 0 && (axis === 'x' ? chart.x.log : chart.y.log))) continue;
    ctx.strokeStyle = ctx.fillStyle = colourOf(colour ?? 'ink-soft');
    ctx.lineWidth = scale;
    ctx.setLineDash([6 * scale, 4 * scale]);
    ctx.beginPath();
    if (axis === 'x') {
      const x = at(value, 'x');
      ctx.moveTo(x, bbox.top), ctx.lineTo(x, bbox.top + bbox.height);
      ctx.textAlign = 'left', ctx.textBaseline = 'top';
      ctx.fillText(label, x + 4 * scale, bbox.top + 3 * scale);
    } else {
      const y = at(value, 'y');
      ctx.moveTo(bbox.left, y), ctx.lineTo(bbox.left + bbox.width, y);
      ctx.textAlign = 'right', ctx.textBaseline = 'bottom';
      ctx.fillText(label, bbox.left + bbox.width - 4 * scale, y - 2 * scale);
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
  chart.markers.forEach((group, index) => {
    if (hidden.has(group.name)) return;
    ctx.strokeStyle = colourOf(group.colour ?? 'ink');
    ctx.fillStyle = colourOf(group.colour ?? 'ink', 0.75);
    ctx.lineWidth = 1.5 * scale;
    for (const { x, y, low, high } of group.points) {
      if (!(Number.isFinite(x) && Number.isFinite(y)) || (chart.y.log && y <= 0) || (chart.x.log && x <= 0)) continue;
      const [px, py] = [at(x, 'x'), at(y, 'y')];
      if (low != null && high != null) {
        ctx.beginPath();
        ctx.moveTo(px, at(chart.y.log ? Math.max(low, 1e-300) : low, 'y')), ctx.lineTo(px, at(high, 'y'));
        ctx.stroke();
      }
      drawShape(ctx, markerShape(group, index), px, py, 4 * scale, group.hollow ?? false);
    }
  });
  ctx.restore();
}

/** Options of uPlot; they read `chart()` anew at each drawing, so that data and colours may change. */
export function optionsOf(
  chart: () => Chart,
  hidden: () => ReadonlySet<string>,
  moved: (u: uPlot) => void,
  zoomed: (u: uPlot) => void,
  size: { width: number; height: number },
): uPlot.Options {
  const { x, y, bands, lines } = chart();
  const axis = (which: 'x' | 'y'): uPlot.Axis => ({
    stroke: () => colourOf('ink-soft'),
    grid: { stroke: () => colourOf('line'), width: 1 },
    ticks: { stroke: () => colourOf('line'), width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    label: axisTitle(chart()[which]),
    labelSize: 20,
    labelGap: 2,
    size: which === 'x' ? 30 : (_u, ticks) => 14 + 7 * Math.max(2, ...(ticks ?? []).map((tick) => tick?.length ?? 0)),
    values: (_u, splits) => splits.map((value) => (value === null ? '' : tickText(value))),
  });
  const xAxis = axis('x');
  if (x.unit === 'h' && !x.log) xAxis.incrs = HOURS;
  return {
    ...size,
    legend: { show: false },
    padding: [10, 12, 0, 0],
    scales: {
      x: { time: false, distr: x.log ? 3 : 1, range: (_u, low, high) => xRange(chart(), low, high) },
      y: { distr: y.log ? 3 : 1, range: (_u, low, high) => yRange(chart(), low, high) },
    },
    axes: [xAxis, axis('y')],
    cursor: { drag: { x: true, y: false, setScale: true }, points: { size: 7 }, focus: { prox: 24 } },
    series: [
      {},
      ...bands.flatMap(() => [0, 1].map((): uPlot.Series => ({ stroke: 'transparent', width: 0, points: { show: false } }))),
      ...lines.map(
        (line, i): uPlot.Series => ({
          stroke: () => colourOf(lineColour(chart().lines[i] ?? line, i)),
          dash: lineDash(line, i),
          width: line.width ?? 2,
          points: { show: line.y.length === 1 },
          ...(line.steps ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
        }),
      ),
    ],
    bands: bands.map((band, i) => ({
      series: [2 * i + 2, 2 * i + 1] as [number, number],
      fill: () => {
        const now = chart().bands[i] ?? band;
        return colourOf(bandColour(now, chart()), now.opacity ?? 0.18);
      },
    })),
    hooks: {
      draw: [(u) => drawMarks(u, chart(), hidden())],
      setCursor: [moved],
      setScale: [(u, key) => void (key === 'x' && zoomed(u))],
    },
  };
}

const tickText = (value: number) =>
  value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)
    ? formatNumber(value, 2)
    : Number(value.toPrecision(10)).toString().replace('-', '\u2212');

/** Index of the abscissa nearest to `x` (ascending; nulls not allowed). */
function nearest(xs: Values, x: number): number {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) <= x) low = middle;
    else high = middle;
  }
  return Math.abs((xs[high] as number) - x) < Math.abs((xs[low] as number) - x) ? high : low;
}

function valueAt(xs: Values, ys: Values, x: number): number | null {
  if (!xs.length || x < (xs[0] as number) - 1e-9 || x > (xs.at(-1) as number) + 1e-9) return null;
  return ys[nearest(xs, x)] ?? null;
}

/** What stands at `x`: for each visible line its nearest value, with its band. */
export function readOut(chart: Chart, x: number, hidden: ReadonlySet<string>) {
  const items = chart.lines.flatMap((line) => {
    if (hidden.has(line.name)) return [];
    const value = valueAt(line.x ?? chart.times ?? [], line.y, x);
    const band = chart.bands.find(({ of }) => of === line.name);
    const edge = (ys: Values) => band && valueAt(band.x ?? chart.times ?? [], ys, x);
    return [{ name: line.name, value, low: band ? edge(band.lower) : null, high: band ? edge(band.upper) : null, unit: line.unit ?? chart.y.unit ?? '' }];
  });
  const free = chart.bands.flatMap((band) => {
    if (band.of || hidden.has(band.name)) return [];
    const xs = band.x ?? chart.times ?? [];
    return [{ name: band.name, value: null, low: valueAt(xs, band.lower, x), high: valueAt(xs, band.upper, x), unit: chart.y.unit ?? '' }];
  });
  return [...items, ...free];
}

export const readOutText = (item: ReturnType<typeof readOut>[number]) => {
  const range = item.low != null && item.high != null ? `${formatNumber(item.low)} to ${formatNumber(item.high)}` : '';
  const value = item.value != null ? formatNumber(item.value) : '';
  const text = value && range ? `${value} (${range})` : value || range;
  return text ? `${text}${item.unit ? ` ${formatUnit(item.unit)}` : ''}` : NO_VALUE;
};

/** One sentence for whoever does not see the chart. */
export function summaryOf(chart: Chart): string {
  const unit = chart.y.unit ? ` ${formatUnit(chart.y.unit)}` : '';
  const parts = chart.lines.map((line) => {
    const xs = line.x ?? chart.times ?? [];
    let top = -1;
    line.y.forEach((value, i) => value !== null && (top < 0 || value > (line.y[top] as number)) && (top = i));
    if (top < 0) return `${line.name}: no values`;
    const last = line.y.findLast((value) => value !== null) ?? null;
    return `${line.name}: highest ${formatNumber(line.y[top])}${unit} at ${formatNumber(xs[top])} ${chart.x.unit ?? ''}, last ${formatNumber(last)}${unit}`;
  });
  const marks = chart.markers.filter(({ points }) => points.length).map(({ name, points }) => `${name}: ${points.length} points`);
  const limits = chart.thresholds.map(({ label, value }) => (label.includes(formatNumber(value)) ? label : `${label}: ${formatNumber(value)}`));
  return `${axisTitle(chart.y)} against ${axisTitle(chart.x)}. ${[...parts, ...marks, ...limits].join('; ')}.`;
}

/** The same numbers as a table: each line with the edges of its band behind it. */
export function tableOf(chart: Chart) {
  const data = columnsOf({ ...chart, y: { ...chart.y, log: false }, x: { ...chart.x, log: false } });
  const unit = chart.y.unit ?? '';
  const columns = [{ name: chart.x.label, unit: chart.x.unit ?? '' }];
  const order = [0];
  const edges = (of: string | undefined) =>
    chart.bands.forEach((band, i) => {
      if (band.of !== of) return;
      columns.push(...['lower', 'upper'].map((edge) => ({ name: `${of ? `${of}: ` : ''}${band.name}, ${edge}`, unit })));
      order.push(2 * i + 1, 2 * i + 2);
    });
  chart.lines.forEach((line, i) => {
    columns.push({ name: line.name, unit: line.unit ?? unit });
    order.push(1 + 2 * chart.bands.length + i);
    edges(line.name);
  });
  edges(undefined);
  const rows = Array.from(data[0], (_, row) => order.map((column) => (data[column] as Values)[row] ?? null));
  return { columns, rows };
}

export const swatch = (colour: Colour) => cssColour(colour);
