/** What the screen for simulations holds and what the API gives it. */

export interface Potency {
  ic50: number | null;
  unit: 'nM' | 'ng/mL';
  hill: number;
  unbound: number | null;
  molar_mass: number | null;
}
export interface Arm {
  model: string;
  dose: string;
  name?: string;
  /** As typed: a value, or a distribution such as normal(74, 15). */
  covariates?: Record<string, string>;
  potency?: Potency;
}
export interface Ends extends Array<number | null> {}
export interface Covariate {
  name: string;
  label: string;
  unit: string;
  reference: number;
  soft: Ends;
  hard: Ends;
  yes_no: boolean;
  basis: string;
}
export interface Readout {
  name: string;
  cytokines: string[];
  stats: string[];
  basis: string;
  ic50: number;
  output: string;
  notes: string[];
}
export interface Model {
  id: string;
  drug: string;
  title: string;
  population: string;
  citation: string;
  url: string;
  closed_form: boolean;
  how_solved: string;
  half_life: number | null;
  example_dose: string;
  routes: string[];
  dose: { unit: string; soft: Ends; hard: Ends; basis: string };
  covariates: Covariate[];
  outputs: { name: string; label: string; unit: string }[];
  parameters: { name: string; value: number; unit: string; status: string; rse: number | null; locator: string; note: string }[];
  random_effects: { name: string; variance: number; printed: string; status: string }[];
  remarks: string[];
  gaps: string[];
  readouts: Readout[];
  molar_mass: number | null;
  unbound: number | null;
}
export interface Inhibition {
  missing?: string;
  name: string;
  /** Kinases of the receptor; empty where no cytokine is meant. */
  receptor: string;
  output: string;
  ic50: number;
  unit: string;
  hill: number;
  basis: string;
  notes: string[];
  cytokines: string[];
  bands: number[][];
}
export interface ArmResult {
  name: string;
  model: string;
  drug: string;
  dose: string;
  end: number;
  solver: string;
  failures: Record<string, number>;
  covariates: Record<string, { value: number | string; implied: boolean }>;
  notes: Record<string, string[]>;
  times: number[];
  profiles: Record<string, { label: string; unit: string; bands: number[][] }>;
  inhibition: Inhibition | null;
}
export type Entry = { window_h: [number, number]; unit: string; n: number; geometric_mean: number | null; ratio: number | null } & Record<string, any>;
export interface Result {
  percentiles: number[];
  n: number;
  arms: ArmResult[];
  endpoints: { output: string; window: string; endpoint: string; arms: (Entry | null)[] }[];
  distribution: { endpoint: string; unit: string; edges: number[]; arms: ({ name: string; share: number[] } | null)[] } | null;
}

/** "0-24, 312-336" as windows; null where it cannot be read. */
export function windows(text: string): { start: number; end: number }[] | null {
  const parts = text.split(/[,;]/).map((part) => part.trim()).filter(Boolean);
  const found = parts.map((part) => /^([\d.]+)\s*(?:-|–|to)\s*([\d.]+)$/.exec(part));
  if (found.some((match) => !match)) return null;
  const read = found.map((match) => ({ start: Number(match![1]), end: Number(match![2]) }));
  return read.every(({ start, end }) => end > start) ? read : null;
}

export const rangeText = ([low, high]: Ends) =>
  low === null && high === null ? 'not limited' : low === null ? `at most ${high}` : high === null ? `at least ${low}` : `${low} to ${high}`;

/** A copy whose percentages read as per cent: "5 to 95 %". */
export const levelText = (low: number, high: number) => `${low} to ${high} %`;
