/** Gates as the API has them, and what a pointer or a key does to them in the plane of a plot. */

export interface Scale { kind: string; numbers: Record<string, number> }
export interface Dimension { channel: string; scale: Scale | null; compensation: string; ratio?: unknown }
interface Named { name: string; parent: string }
export interface Rectangle extends Named { kind: 'rectangle'; dimensions: Dimension[]; low: (number | null)[]; high: (number | null)[]; closed: boolean }
export interface Polygon extends Named { kind: 'polygon'; dimensions: Dimension[]; vertices: Point[] }
export interface Ellipsoid extends Named { kind: 'ellipsoid'; dimensions: Dimension[]; mean: number[]; covariance: number[][]; distance_square: number }
export interface Quadrant extends Named { kind: 'quadrant'; dimensions: Dimension[]; dividers: number[][]; cells: { name: string; place: number[] }[] }
export interface Boolean extends Named { kind: 'boolean'; operation: string; of: { name: string; complement: boolean }[] }
export type Gate = Rectangle | Polygon | Ellipsoid | Quadrant | Boolean;
export type Drawn = Exclude<Gate, Boolean>;
export interface Strategy { gates: Gate[]; matrices: Record<string, unknown> }
export type Point = [number, number];
export interface PlotAxis { dimension: Dimension; label: string; low: number; high: number; ticks: { at: number; label: string }[] }
export type Plane = [PlotAxis, PlotAxis];
export type Tool = 'range' | 'rectangle' | 'polygon' | 'ellipse';

/** A corner, an end or an axis of a gate that can be moved. */
export interface Handle { at: Point; label: string; along: 'x' | 'y' | 'both' }

const same = (a: Dimension, b: Dimension) =>
  a.channel === b.channel && a.compensation === b.compensation &&
  (a.scale === b.scale || (!!a.scale && !!b.scale && a.scale.kind === b.scale.kind && Object.entries(a.scale.numbers).every(([key, value]) => b.scale!.numbers[key] === value)));

/** For each side of the plane the dimension of the gate that lies along it (-1: none); null if not all of the gate lies in it. */
export function sidesOf(gate: Gate, plane: Plane): [number, number] | null {
  if (gate.kind === 'boolean') return null;
  const [x, y] = plane.map((axis) => gate.dimensions.findIndex((dimension) => same(dimension, axis.dimension)));
  const found = new Set([x, y].filter((side) => side >= 0)).size;
  return found === gate.dimensions.length ? [x, y] : null;
}

export const populationsOf = (gate: Gate): string[] => (gate.kind === 'quadrant' ? gate.cells.map(({ name }) => name) : [gate.name]);

const toShare = (axis: PlotAxis, value: number) => (value - axis.low) / (axis.high - axis.low);
const fromShare = (axis: PlotAxis, share: number) => axis.low + share * (axis.high - axis.low);
const clamp = (value: number, low = 0, high = 1) => Math.min(Math.max(value, low), high);

/** Shares of the plot (0 to 1, y upwards) from values of the plane. */
export const shareOf = (plane: Plane, [x, y]: Point): Point => [toShare(plane[0], x), toShare(plane[1], y)];
export const valueOf = (plane: Plane, [x, y]: Point): Point => [fromShare(plane[0], x), fromShare(plane[1], y)];

/** Ends of a rectangle as shares; open ones lie on the edge of the plot. */
function box(gate: Rectangle, plane: Plane): [Point, Point] {
  const sides = sidesOf(gate, plane)!;
  const end = (ends: (number | null)[], open: number) =>
    sides.map((side, k) => (side < 0 || ends[side] === null ? open : toShare(plane[k], ends[side]!))) as Point;
  return [end(gate.low, 0), end(gate.high, 1)];
}

/** Mean and the two half axes of an ellipse, as shares. */
function ellipse(gate: Ellipsoid, plane: Plane): { mean: Point; u: Point; v: Point } {
  const [i, j] = sidesOf(gate, plane)!;
  const [w, h] = plane.map((axis) => axis.high - axis.low);
  const d = gate.distance_square;
  const a = (gate.covariance[i][i] * d) / (w * w), c = (gate.covariance[j][j] * d) / (h * h), b = (gate.covariance[i][j] * d) / (w * h);
  const middle = (a + c) / 2, off = Math.hypot((a - c) / 2, b);
  const angle = 0.5 * Math.atan2(2 * b, a - c);
  const [long, short] = [Math.sqrt(middle + off), Math.sqrt(Math.max(middle - off, 1e-12))];
  return { mean: shareOf(plane, [gate.mean[i], gate.mean[j]]), u: [long * Math.cos(angle), long * Math.sin(angle)], v: [-short * Math.sin(angle), short * Math.cos(angle)] };
}

function fromAxes(gate: Ellipsoid, plane: Plane, u: Point, v: Point): Ellipsoid {
  const sides = sidesOf(gate, plane)!;
  const size = plane.map((axis) => axis.high - axis.low);
  const covariance = gate.covariance.map((row) => [...row]);
  for (const p of [0, 1]) for (const q of [0, 1]) covariance[sides[p]][sides[q]] = ((u[p] * u[q] + v[p] * v[q]) * size[p] * size[q]) / gate.distance_square;
  return { ...gate, covariance };
}

/** Corners of a gate for drawing, as shares; dividers of quadrants are lines. */
export function outlineOf(gate: Drawn, plane: Plane): Point[][] {
  const sides = sidesOf(gate, plane);
  if (!sides) return [];
  if (gate.kind === 'polygon') return [gate.vertices.map((p) => shareOf(plane, [p[sides[0]], p[sides[1]]]))];
  if (gate.kind === 'rectangle') {
    const [low, high] = box(gate, plane);
    return [[low, [high[0], low[1]], high, [low[0], high[1]]]];
  }
  if (gate.kind === 'ellipsoid') {
    const { mean, u, v } = ellipse(gate, plane);
    return [Array.from({ length: 72 }, (_, k): Point => {
      const [c, s] = [Math.cos((k * Math.PI) / 36), Math.sin((k * Math.PI) / 36)];
      return [mean[0] + c * u[0] + s * v[0], mean[1] + c * u[1] + s * v[1]];
    })];
  }
  return sides.flatMap((side, k) => (side < 0 ? [] : gate.dividers[side].map((value): Point[] => {
    const at = toShare(plane[k], value);
    return k === 0 ? [[at, 0], [at, 1]] : [[0, at], [1, at]];
  })));
}

const within = (p: Point) => p.every((share) => share >= 0 && share <= 1);

/** Where a corner is grasped: one beyond the plot at the edge of the plot, on a side that leads to it. */
function grip(points: Point[], k: number): { at: Point; from: Point; share: number } {
  const p = points[k];
  const from = [points.at(k - 1)!, points[(k + 1) % points.length]].find(within);
  if (within(p) || !from) return { at: p.map((share) => clamp(share)) as Point, from: p, share: 1 };
  const share = Math.min(...[0, 1].map((axis) => (p[axis] > 1 ? (1 - from[axis]) / (p[axis] - from[axis]) : p[axis] < 0 ? from[axis] / (from[axis] - p[axis]) : 1)));
  return { at: [from[0] + share * (p[0] - from[0]), from[1] + share * (p[1] - from[1])], from, share: Math.max(share, 0.02) };
}

export function handlesOf(gate: Drawn, plane: Plane): Handle[] {
  const sides = sidesOf(gate, plane);
  if (!sides) return [];
  const names = plane.map((axis) => axis.label);
  if (gate.kind === 'polygon') return outlineOf(gate, plane)[0].map((p, k, all) => ({ at: grip(all, k).at, label: `Corner ${k + 1} of ${gate.vertices.length}${within(p) ? '' : ', beyond the plot'}`, along: 'both' }));
  if (gate.kind === 'rectangle') {
    const [low, high] = box(gate, plane);
    const middle = [0, 1].map((k) => (clamp(low[k]) + clamp(high[k])) / 2);
    return sides.flatMap((side, k) => (side < 0 ? [] : (['low', 'high'] as const).map((end): Handle => {
      const share = clamp((end === 'low' ? low : high)[k]);
      const open = gate[end][side] === null ? ', open' : '';
      return { at: k === 0 ? [share, middle[1]] : [middle[0], share], label: `${end === 'low' ? 'Lower' : 'Upper'} end of ${names[k]}${open}`, along: k === 0 ? 'x' : 'y' };
    })));
  }
  if (gate.kind === 'ellipsoid') {
    const { mean, u, v } = ellipse(gate, plane);
    return [u, v].flatMap((axis, k) => [1, -1].map((sign): Handle => ({ at: [mean[0] + sign * axis[0], mean[1] + sign * axis[1]], label: `End ${sign > 0 ? 1 : 2} of the ${k ? 'short' : 'long'} axis`, along: 'both' })));
  }
  return sides.flatMap((side, k) => (side < 0 ? [] : gate.dividers[side].map((value, i): Handle => {
    const at = toShare(plane[k], value);
    return { at: k === 0 ? [at, 0.5] : [0.5, at], label: `Divider ${i + 1} of ${names[k]}`, along: k === 0 ? 'x' : 'y' };
  })));
}

/** The gate with one handle moved to a place (shares of the plot). */
export function moveHandle(gate: Drawn, plane: Plane, handle: number, to: Point): Drawn {
  const sides = sidesOf(gate, plane)!;
  if (gate.kind === 'polygon') {
    const { from, share } = grip(outlineOf(gate, plane)[0], handle);
    // of a corner beyond the plot, the side that is seen follows
    const value = valueOf(plane, share < 1 ? [from[0] + (to[0] - from[0]) / share, from[1] + (to[1] - from[1]) / share] : to);
    return { ...gate, vertices: gate.vertices.map((p, k): Point => (k !== handle ? p : sides[0] === 0 ? value : [value[1], value[0]])) };
  }
  if (gate.kind === 'rectangle') {
    const k = sides[0] < 0 ? 1 : handle < 2 ? 0 : 1;
    const side = sides[k], end = handle % 2 ? 'high' : 'low', other = box(gate, plane)[end === 'low' ? 1 : 0][k];
    // at the edge of the plot the gate is open: it takes everything beyond
    const open = end === 'low' ? to[k] <= 0.002 : to[k] >= 0.998;
    const share = end === 'low' ? Math.min(to[k], other - 0.004) : Math.max(to[k], other + 0.004);
    return { ...gate, [end]: gate[end].map((value, i) => (i !== side ? value : open ? null : fromShare(plane[k], share))) };
  }
  if (gate.kind === 'ellipsoid') {
    const { mean, u, v } = ellipse(gate, plane);
    const sign = handle % 2 ? -1 : 1;
    const moved: Point = [sign * (to[0] - mean[0]), sign * (to[1] - mean[1])];
    const length = Math.max(Math.hypot(...moved), 0.005), kept = Math.hypot(...(handle < 2 ? v : u));
    const across: Point = [(-moved[1] / length) * kept, (moved[0] / length) * kept];
    return handle < 2 ? fromAxes(gate, plane, moved, across) : fromAxes(gate, plane, across, moved);
  }
  const first = sides[0] < 0 ? 0 : gate.dividers[sides[0]].length;
  const k = handle < first ? 0 : 1, i = handle < first ? handle : handle - first, row = gate.dividers[sides[k]];
  const value = clamp(fromShare(plane[k], to[k]), (row[i - 1] ?? -Infinity) + 1e-6, (row[i + 1] ?? Infinity) - 1e-6);
  return { ...gate, dividers: gate.dividers.map((values, side) => (side === sides[k] ? values.map((old, n) => (n === i ? value : old)) : values)) };
}

/** The whole gate moved by a step (shares of the plot). */
export function moveGate(gate: Drawn, plane: Plane, step: Point): Drawn {
  const sides = sidesOf(gate, plane)!;
  const by = gate.dimensions.map((_, side) => (side === sides[0] ? step[0] * (plane[0].high - plane[0].low) : step[1] * (plane[1].high - plane[1].low)));
  const shift = (values: (number | null)[]) => values.map((value, k) => (value === null ? null : value + by[k]));
  if (gate.kind === 'polygon') return { ...gate, vertices: gate.vertices.map((p) => shift(p) as Point) };
  if (gate.kind === 'rectangle') return { ...gate, low: shift(gate.low), high: shift(gate.high) };
  if (gate.kind === 'ellipsoid') return { ...gate, mean: shift(gate.mean) as number[] };
  return { ...gate, dividers: gate.dividers.map((row, k) => row.map((value) => value + by[k])) };
}

/** A corner more, half way to the next one. */
export function addCorner(gate: Polygon, after: number): Polygon {
  const [p, q] = [gate.vertices[after], gate.vertices[(after + 1) % gate.vertices.length]];
  return { ...gate, vertices: gate.vertices.toSpliced(after + 1, 0, [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2]) };
}
export const removeCorner = (gate: Polygon, k: number): Polygon => (gate.vertices.length > 3 ? { ...gate, vertices: gate.vertices.toSpliced(k, 1) } : gate);

/** A new gate from where it was drawn: two opposite corners, or all corners of a polygon (shares). */
export function drawGate(tool: Tool, points: Point[], plane: Plane, name: string, parent: string): Drawn {
  const both = plane.map(({ dimension }) => dimension);
  const [a, b] = [points[0], points[1]].map((p) => p.map((share) => clamp(share)) as Point);
  const low: Point = [Math.min(a[0], b[0]), Math.min(a[1], b[1])], high: Point = [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  if (tool === 'polygon') return { kind: 'polygon', name, parent, dimensions: both, vertices: points.map((p) => valueOf(plane, p)) };
  if (tool === 'ellipse') {
    const gate: Ellipsoid = { kind: 'ellipsoid', name, parent, dimensions: both, mean: valueOf(plane, [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2]), covariance: [[1, 0], [0, 1]], distance_square: 1 };
    return fromAxes(gate, plane, [Math.max((high[0] - low[0]) / 2, 0.01), 0], [0, Math.max((high[1] - low[1]) / 2, 0.01)]);
  }
  const n = tool === 'range' ? 1 : 2;
  const ends = (share: Point, open: number) => share.slice(0, n).map((value, k) => (Math.abs(value - open) < 0.002 ? null : fromShare(plane[k], value)));
  return { kind: 'rectangle', name, parent, dimensions: both.slice(0, n), low: ends(low, 0), high: ends(high, 1), closed: false };
}

/** The gate and everything within it. */
export function withDescendants(gates: Gate[], name: string): Set<string> {
  const found = new Set([name]);
  for (let size = 0; size < found.size; ) {
    size = found.size;
    for (const gate of gates) {
      if (found.has(gate.name)) populationsOf(gate).forEach((cell) => found.add(cell));
      else if (found.has(gate.parent)) found.add(gate.name);
    }
  }
  return found;
}

/** Strategies that were, and that were undone. Small steps at the same handle count as one. */
export class History {
  now = $state.raw<Strategy>({ gates: [], matrices: {} });
  #past = $state.raw<Strategy[]>([]);
  #future = $state.raw<Strategy[]>([]);
  #last = '';
  #time = 0;
  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }
  begin(strategy: Strategy) {
    this.now = strategy;
    this.#past = this.#future = [];
    this.#last = '';
  }
  change(strategy: Strategy, what = '') {
    const time = performance.now();
    if (!what || what !== this.#last || time - this.#time > 1500) this.#past = [...this.#past.slice(-200), this.now];
    [this.#last, this.#time, this.#future, this.now] = [what, time, [], strategy];
  }
  undo() {
    if (!this.canUndo) return;
    [this.#future, this.now, this.#past, this.#last] = [[this.now, ...this.#future], this.#past.at(-1)!, this.#past.slice(0, -1), ''];
  }
  redo() {
    if (!this.canRedo) return;
    [this.#past, this.now, this.#future, this.#last] = [[...this.#past, this.now], this.#future[0], this.#future.slice(1), ''];
  }
}
