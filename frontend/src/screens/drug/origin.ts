/** What a number of the page says about where it comes from, and how it is opened. */
import { getContext, setContext } from 'svelte';

export interface Cell {
  text: string;
  basis: 'text' | 'fact' | 'computed' | 'bound' | 'claim' | 'missing';
  sources?: string[];
  method?: string;
  facts?: string[];
  note?: string;
  tone?: string;
}
export type Part = string | Cell;

export interface Reference {
  text: string;
  url: string;
  year: number | null;
  grade: string;
  how_read: string;
}
export interface Fact {
  what: string;
  statistic: string;
  population: string;
  n: string;
  status: string;
  grade: string;
  source: string;
  locator: string;
  note: string;
  conflicts: string[];
}
export interface Conflict {
  topic: string;
  overview: string;
  sources_say: string;
  kind: string;
  rule: string;
  sources: string[];
}
/** What the marks of one answer may open. */
export interface Origins {
  references: Record<string, Reference>;
  facts?: Record<string, Fact>;
  methods?: Record<string, { title: string; text: string }>;
  conflicts?: Record<string, Conflict>;
}

/** Letter, and what it stands for. */
export const BASES: Record<string, [string, string]> = {
  fact: ['s', 'cited'],
  computed: ['c', 'computed here'],
  bound: ['b', 'known only as a bound'],
  claim: ['v', 'claim of a vendor, not verified'],
  missing: ['n', 'not retrieved: nothing is filled in'],
};

export const conflictsOf = (cell: Cell, origins: Origins) => [
  ...new Set((cell.facts ?? []).flatMap((id) => origins.facts?.[id]?.conflicts ?? [])),
];
export const opens = (cell: Cell) => Boolean(cell.sources?.length || cell.method || cell.facts?.length);

export type Open = (cell: Cell, origins: Origins, grades?: Record<string, string>) => void;
const KEY = Symbol('origin');
export const offerOrigin = (open: Open) => setContext(KEY, open);
export const originOpener = () => getContext<Open>(KEY);

export const textOf = (part: Part) => (typeof part === 'string' ? part : part.text);
