/** What an analysed plate holds, as far as the screen uses it. */
import type { Gate, Strategy } from './gates.svelte';

export interface WellResult {
  name: string; plate: string; well: string; row: number; column: number; donor: string; cytokine: string; condition: string; dose_nM: number;
  status: string; remark: string; events: number; events_kept: number; flags: string[]; upload: string | null; file_name: string | null;
  removals: { rule: string; events: number; removed: boolean; sentence: string }[];
}
export interface StatisticRow { plate: string; well: string; population: string; readout: string; flags: string; [key: string]: string | number | null }
export interface Curve {
  name: string; plate: string; donor: string; cytokine: string; population: string; readout: string; dose: number[]; response: number[]; wells: string[];
  status: string; sentence: string; ic50: number | null; low: number | null; high: number | null; flags: string[];
  line_dose: number[]; line: number[]; band_low: number[]; band_high: number[];
}
export interface PlateResult {
  name: string; drug: string; level: number; scale: string; wells: WellResult[]; statistics: StatisticRow[]; curves: Curve[];
  ic50: Record<string, any>[]; donors: Record<string, any>[]; strategy: Strategy; by_well: Record<string, Record<string, Gate>>;
  populations: Record<string, string>; automatic: boolean; well_settings: any;
  confidence: { gate: string; well: string; low_confidence: boolean; sentence: string }[];
  problems: { where: string; problem: string; hint: string; severity: string }[];
}
export interface View {
  job: string; tab: string; well: string; gate: string; within: string; x: string; y: string; edit: string;
  plate: string; population: string; readout: string; cytokine: string; statistic: string; setup: string; before: string;
}

const DETERMINATION: Record<string, [string, string]> = {
  determined: ['good', 'determined'], 'at least': ['warn', 'one-sided: at least'], 'at most': ['warn', 'one-sided: at most'],
  'not determined': ['bad', 'not determined'], refused: ['bad', 'refused'],
};
export const lookOf = (status: string) => DETERMINATION[status]?.[0] ?? '';
export const wordsOf = (status: string) => DETERMINATION[status]?.[1] ?? status;
export const unique = <T>(values: Iterable<T>): T[] => [...new Set(values)];
/** What a well holds, in words. */
export const contentOf = (well: WellResult) =>
  [well.donor, well.cytokine, well.condition === 'dose' ? `${well.dose_nM} nM` : well.condition.replaceAll('_', ' ')].filter(Boolean).join(', ');
