/** A case as the server keeps it, and small helpers of the screen. */

export type Time = number | string;
export interface Dose { time: Time; amount: number; unit: string; interval: number; additional: number; taken: boolean; steady_state: boolean; route: string; occasion: string | null }
export interface Sample { time: Time; value: number | string; unit: string; lloq: number | null; assay: string; weight: number; time_sd: number }
export interface Target { metric: string; low: number | null; high: number | null; unit: string; threshold: number | null; basis: string; grade: string }
export interface Case {
  label: string;
  patient: string;
  models: string[];
  person: Record<string, any>;
  region: string;
  indication: string;
  limit_by_label: boolean;
  indexed: string;
  absolute: string;
  covariates: { name: string; value: number; unit: string; time: Time | null }[];
  doses: Dose[];
  samples: Sample[];
  question: { time: Time | null; targets: Target[]; strengths: number[]; intervals: number[]; split: number; most_tablets: number; maximum_daily: number | null; probability: number };
  [other: string]: any;
}
export interface Step { status: 'complete' | 'warning' | 'missing'; sentence: string; remarks: string[] }
export type Options = Record<string, any>;

export const STEPS = ['patient', 'doses', 'samples', 'target', 'advice'] as const;
export type StepName = (typeof STEPS)[number];
export const TITLES: Record<StepName, string> = { patient: 'Patient', doses: 'Doses', samples: 'Samples', target: 'Target', advice: 'Advice' };
export const LOOK = { complete: 'good', warning: 'warn', missing: '' } as const;

const TEXTS = ['sex', 'creatinine', 'cystatin', 'alc', 'anc', 'plt', 'hb', 'hepatic', 'phase', 'part', 'response', 'on_dose'];

/** Fields of text hold texts: what is not known is empty there. */
export function editable(body: Case): Case {
  const copy = structuredClone(body);
  for (const key of TEXTS) copy.person[key] ??= '';
  return copy;
}

const later = (time: Time | undefined, hours: number): Time => {
  if (typeof time === 'number') return time + hours;
  const at = new Date(`${time ?? ''}`.slice(0, 16) + 'Z');
  if (!time || Number.isNaN(at.valueOf())) return new Date(Math.floor(Date.now() / 3.6e6) * 3.6e6).toISOString().slice(0, 16);
  return new Date(at.valueOf() + hours * 3.6e6).toISOString().slice(0, 16);
};
const lastDose = (body: Case): Time | undefined => {
  const dose = body.doses.at(-1);
  return dose && later(dose.time, dose.interval * dose.additional);
};
export const newDose = (body: Case): Dose => {
  const dose = body.doses.at(-1);
  return { time: later(lastDose(body), dose?.interval || 24), amount: dose?.amount ?? 1, unit: 'mg', interval: dose?.interval ?? 24, additional: 0, taken: true, steady_state: false, route: dose?.route ?? '', occasion: null };
};
export const newSample = (body: Case): Sample => ({
  time: later(body.samples.at(-1)?.time ?? lastDose(body), 2), value: '', unit: body.samples.at(-1)?.unit ?? 'ng/mL', lloq: body.samples.at(-1)?.lloq ?? null, assay: body.samples.at(-1)?.assay ?? '', weight: 1, time_sd: 0,
});
/** Rows that are still being written are not asked about. */
export const whole = (row: Dose | Sample): boolean => row.time !== '' && ('amount' in row ? row.amount > 0 : String(row.value).trim() !== '');
/** Which place a row has in what was asked: the server counts by time. */
export function placeOf(rows: (Dose | Sample)[], row: Dose | Sample): number {
  const asked = rows.filter(whole);
  const hours = (r: Dose | Sample) => (typeof r.time === 'number' ? r.time : Date.parse(r.time));
  if (asked.every((r) => !Number.isNaN(hours(r)))) asked.sort((a, b) => hours(a) - hours(b));
  return asked.indexOf(row);
}
export function askable(body: Case): Case {
  const copy = $state.snapshot(body) as Case;
  copy.samples = copy.samples.filter(whole);
  copy.doses = copy.doses.filter(whole);
  copy.question.targets = copy.question.targets.filter(({ low, high }) => low !== null || high !== null);
  return copy;
}
