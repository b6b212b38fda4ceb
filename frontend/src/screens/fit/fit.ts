/** What the parts of the screen share: the request of a fit, methods in words, the course of a job. */
import type { JobEvent, Table } from '../../lib/api';

export const SAMPLE = 'sample-oral-one-compartment';

export interface Settings {
  data: string;
  /** `oral-1`, `lib:baricitinib/Decker_2024` or `file:UPLOAD`. */
  model: string;
  unit: string;
  method: string;
  se: string;
  saemErrors: string;
  blq: string;
  seed: number;
  replicates: number;
  iterations: number;
  stratify: string;
  cuts: number[];
  corrected: boolean;
  report: boolean;
  draws: number;
  init: Record<string, number>;
  bounds: Record<string, [number | null, number | null]>;
  fix: string[];
  read: Reading;
  outputs: Record<string, string>;
}
export interface Reading {
  columns?: Record<string, string>;
  ignore?: string[];
  accept?: string[];
  lloq?: number;
  log_dv?: boolean;
  time_unit?: string;
  amount_unit?: string;
}
export const DEFAULTS: Settings = {
  data: '', model: 'oral-1', unit: 'mg/L', method: 'focei', se: 'sandwich', saemErrors: 'sampled', blq: 'M3', seed: 1, replicates: 500,
  iterations: 300, stratify: '', cuts: [], corrected: false, report: true, draws: 1000, init: {}, bounds: {}, fix: [], read: {}, outputs: {},
};

export const TEMPLATES = [
  { value: 'oral-1', label: 'Oral, one compartment' },
  { value: 'oral-2', label: 'Oral, two compartments' },
  { value: 'iv-1', label: 'Intravenous, one compartment' },
  { value: 'iv-2', label: 'Intravenous, two compartments' },
];
const LIBRARY = [
  'abrocitinib/Wojciechowski_2022', 'baricitinib/Decker_2024', 'baricitinib/Decker_2026', 'filgotinib/Namour_2015', 'tofacitinib/Vong_2021',
  'tofacitinib/Xie_2019', 'upadacitinib/Klunder_2019',
];
export const modelOptions = (own: string) => [
  ...TEMPLATES.map((template) => ({ ...template, group: 'Plain structures' })),
  ...LIBRARY.map((name) => ({ value: `lib:${name}`, label: name, group: 'Published models' })),
  ...(own ? [{ value: own, label: 'Your file', group: 'Uploaded' }] : []),
];

/** Which one? One sentence each. */
export const METHODS = [
  { value: 'focei', label: 'FOCEI', when: 'Almost always: begin here.' },
  { value: 'foce', label: 'FOCE', when: 'For additive error only, or to compare with a FOCE run made elsewhere.' },
  { value: 'laplace', label: 'Laplace', when: 'For values below a limit of quantification and for outcomes with a likelihood of their own.' },
  { value: 'saem', label: 'SAEM', when: 'For many random effects, or where FOCEI does not converge; takes longer.' },
  { value: 'its', label: 'ITS', when: 'A quick start for FOCEI, better than FO where subjects differ much; no standard errors.' },
  { value: 'fo', label: 'FO', when: 'The quickest first look; biased where subjects differ much, so do not report it.' },
  { value: 'bayes', label: 'Bayes', when: 'For posterior intervals and prior knowledge; takes minutes, and begins anew after a cancel.' },
];

export function choiceOf(s: Pick<Settings, 'model' | 'unit'>) {
  if (s.model.startsWith('lib:')) return { kind: 'library', name: s.model.slice(4) };
  if (s.model.startsWith('file:')) return { kind: 'upload', upload: s.model.slice(5) };
  return { kind: 'template', name: s.model, concentration: s.unit };
}

export const requestOf = (s: Settings) => ({
  data: s.data, reading: s.read, model: choiceOf(s), outputs: s.outputs, method: s.method, initial: s.init, bounds: s.bounds, fixed: s.fix,
  blq: s.blq, standard_errors: s.method === 'its' ? 'none' : s.se, saem_errors: s.saemErrors, seed: s.seed, replicates: s.replicates,
  stratify: s.stratify, cuts: s.stratify ? s.cuts : [], corrected: s.corrected, iterations: s.iterations, report: s.report, draws: s.draws, tune: Math.max(20, Math.round(s.draws / 2)),
});

const USUAL: Record<string, unknown> = { time_unit: 'h', amount_unit: 'mg', log_dv: false };
const empty = (value: unknown) => value === null || value === undefined || value === '' || (typeof value === 'object' && !Object.keys(value).length);
/** What is said of the file beyond what goes without saying. */
export const plainReading = (reading: Reading): Reading =>
  Object.fromEntries(Object.entries(reading).filter(([name, value]) => !empty(value) && value !== USUAL[name]));

/** The settings of a job that was started earlier, from its request. */
export function settingsOf(request: any): Partial<Settings> {
  const { model } = request;
  return {
    data: request.data,
    model: model.kind === 'library' ? `lib:${model.name}` : model.kind === 'upload' ? `file:${model.upload}` : model.name,
    unit: model.concentration ?? 'mg/L', method: request.method, se: request.standard_errors ?? 'sandwich', saemErrors: request.saem_errors ?? 'sampled',
    blq: request.blq ?? 'M3', seed: request.seed ?? 1, replicates: request.replicates ?? 500, iterations: request.iterations ?? 300,
    stratify: request.stratify ?? '', cuts: request.cuts ?? [], corrected: request.corrected ?? false, report: request.report ?? true, draws: request.draws ?? 1000, init: request.initial ?? {}, bounds: request.bounds ?? {}, fix: request.fixed ?? [],
    read: plainReading(request.reading ?? {}), outputs: request.outputs ?? {},
  };
}

export interface Step {
  iteration: number;
  ofv: number | null;
  gradient: number | null;
  parameters: Record<string, number | null>;
}
export interface Course {
  steps: Step[];
  labels: Record<string, { shown_as: string; unit: string }>;
  /** Estimates that are told before the diagnostics are ready. */
  early: { ofv: number | null; status: string; sentence: string; estimates: any[] } | null;
  resumed: number[];
}

/** The course as its events tell it. After a resume the search goes on from its checkpoint: what came after that is replaced. */
export function courseOf(events: readonly JobEvent[]): Course {
  const course: Course = { steps: [], labels: {}, early: null, resumed: [] };
  for (const { data } of events) {
    if (data.labels) course.labels = data.labels;
    if (data.stage === 'estimates') course.early = data as Course['early'];
    if (typeof data.resumed === 'number') course.resumed.push(data.resumed), (course.early = null);
    if (typeof data.iteration !== 'number') continue;
    for (const step of [...(data.earlier ?? []), data] as Step[]) {
      while (course.steps.length && course.steps[course.steps.length - 1].iteration >= step.iteration) course.steps.pop();
      course.steps.push(step);
    }
  }
  return course;
}

/** A column of a table by its name. */
export function column<T = any>(table: Table, name: string): T[] {
  const place = table.columns.findIndex((one) => one.name === name);
  return place < 0 ? [] : table.rows.map((row) => row[place] as T);
}
/** Rows as objects. */
export const records = (table: Table): Record<string, any>[] => table.rows.map((row) => Object.fromEntries(table.columns.map(({ name }, i) => [name, row[i]])));
