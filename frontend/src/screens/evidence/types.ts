/** What the tasks on evidence answer. */

export interface Remark {
  row: number | null;
  column: number | null;
  what: string;
  hint: string;
  severity: 'error' | 'warning' | 'note';
}
export interface RowEffect {
  estimate: number;
  low: number;
  high: number;
  derived_from: string;
}
export interface Check {
  columns: { name: string; role: string }[];
  rows: string[][];
  remarks: Remark[];
  kind: Kind;
  measure: string | null;
  measures: { code: string; name: string }[];
  notes: string[];
  effects: (RowEffect | null)[] | null;
}
export type Kind = 'pairwise' | 'network';
/** A table being typed: cells as texts; which rows are used. */
export interface Grid {
  columns: string[];
  rows: string[][];
  used: boolean[];
}
export interface ForestStudy {
  label: string;
  estimate: number | null;
  low: number | null;
  high: number | null;
  weight: number | null;
  columns: string[];
  risk: string[];
  text: string;
  size: number | null;
}
export interface ForestMean {
  label: string;
  estimate: number;
  low: number;
  high: number;
  weight: number | null;
  columns: string[];
  prediction: [number, number] | null;
  prediction_label: string;
  lines: string[];
}
export interface ForestGroup {
  heading: string;
  studies: ForestStudy[];
  means: ForestMean[];
  lines: string[];
}
export interface ForestOptions {
  scale: 'ratio' | 'difference';
  reference: number | null;
  x_label: string;
  row_head: string;
  estimate_head: string;
  weight_head: string;
  columns: string[];
  risk: string[];
  favours: [string, string];
  decimals: number;
}
export interface ForestData {
  groups: ForestGroup[];
  options: ForestOptions;
}

export const emptyGrid = (): Grid => ({ columns: [], rows: [], used: [] });
