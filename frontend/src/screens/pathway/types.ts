/** What the screen for pathways gets from the API. */

export interface Choices {
  cytokines: { name: string; receptor: string; kinases: string[]; stats: string[]; half_stimulus: number; unit: string; status: string; source: string }[];
  marks: { name: string; network: string; kinases: string[]; source: string }[];
  kinases: string[];
  drugs: Drug[];
}
export interface PathwayModel {
  id: string;
  title: string;
  population: string;
  dose: string;
  covariates: { name: string; label: string; unit: string; reference: number; soft: (number | null)[]; hard: (number | null)[] }[];
  why_not: string;
}
export interface Drug {
  name: string;
  molar_mass: number | null;
  unbound: number | null;
  potencies: Record<string, number>;
  notes: string[];
  sources: string[];
  missing: string[];
  models: PathwayModel[];
}
export interface NetworkInfo {
  id: string;
  name: string;
  time_unit: string;
  species: number;
  reactions: number;
  states: { name: string; label: string }[];
  assigned: { name: string; label: string }[];
  parameters: Record<string, number>;
  kinases: string[];
  slowed: string[];
  marks_source: string;
  stimulus_unit: string;
  svg: string | null;
  alt: string;
  not_drawn: string;
}
export interface Run {
  label: string;
  status: string;
  outputs: Record<string, (number | null)[]>;
  inhibition: Record<string, (number | null)[]>;
  area_inhibition: Record<string, number | null>;
  concentration: number[];
}
export interface PathwayResult {
  name: string;
  time_unit: string;
  times: number[];
  model: string;
  unbound: number | null;
  potencies: { kinase: string; ic50: number; hill: number; basis: string }[];
  outputs: { name: string; label: string; unit: string }[];
  runs: Run[];
  shown: { columns: string[]; rows: (string | number | null)[][] };
}
