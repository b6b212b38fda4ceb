/** How an inhibition in per cent is coloured and said; the numbers come from the server. */

/** Per cent; `high` is null where only one number is known: the point. */
export interface Course {
  low: number[];
  high: number[] | null;
}
export type Ends = [number, number];
export const at = (course: Course, index: number): Ends => [course.low[index], (course.high ?? course.low)[index]];

// The scale of the printed page: full signal, half, none. Apart under colour-vision deficiencies.
const STOPS: [number, number[]][] = [
  [0, [0xc2, 0x4e, 0x16]],
  [50, [0xf1, 0xe4, 0xd6]],
  [100, [0x2b, 0x6c, 0xa8]],
];
export function colour(percent: number, paleness = 0): string {
  const value = Math.min(Math.max(percent, 0), 100);
  const [[from, first], [to, second]] = value <= 50 ? STOPS.slice(0, 2) : STOPS.slice(1);
  const share = (value - from) / (to - from);
  const mixed = first.map((part, i) => part + share * (second[i] - part)).map((part) => part + paleness * (255 - part));
  return `rgb(${mixed.map(Math.round).join(' ')})`;
}
export const SCALE = `linear-gradient(to right, ${[0, 25, 50, 75, 100].map((stop) => colour(stop)).join(', ')})`;

/** "81 %", "at least 62 %"; bounds are rounded outwards, so that no more is said than is known. */
export function say(ends: Ends | null): string {
  if (!ends) return 'not known';
  const [low, high] = ends;
  if (low === high) return `${Math.round(low)} %`;
  const [least, most] = [Math.floor(low), Math.ceil(high)];
  if (least <= 0 && most >= 100) return 'not known';
  if (most >= 100) return `at least ${least} %`;
  if (least <= 0) return `at most ${most} %`;
  return `${least} to ${most} %`;
}
