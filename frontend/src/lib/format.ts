/** Numbers as text. The numbers themselves come from the server. */

export const NO_VALUE = '–';
const MINUS = '\u2212';
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const superscript = (exponent: number) =>
  (exponent < 0 ? '⁻' : '') + [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[+digit]).join('');

/** A number with `digits` significant ones; powers of ten outside 0.001 to 1 000 000. */
export function formatNumber(value: unknown, digits = 3): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return NO_VALUE;
  if (value === 0) return '0';
  const [mantissa, power] = value.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  if (exponent < -3 || exponent > 5) {
    return `${mantissa.replace(/\.?0+$/, '').replace('-', MINUS)} × 10${superscript(exponent)}`;
  }
  // Whole digits are never rounded away: 1234 stays 1234.
  return value.toFixed(Math.max(digits - 1 - exponent, 0)).replace('-', MINUS);
}

/** Decimal places instead of significant digits. */
export function formatFixed(value: unknown, places: number): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return NO_VALUE;
  const text = value.toFixed(places);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', MINUS);
}

export const formatInteger = (value: unknown) =>
  typeof value === 'number' && Number.isFinite(value)
    ? Math.round(value).toString().replace('-', MINUS).replace(/\B(?=(\d{3})+$)/g, '\u202f')
    : NO_VALUE;

/** Numbers of a list such as "1, 2.5, 4", or why it cannot be read. A lone comma between digits may be a decimal one: it is asked about. */
export function numberList(text: string): number[] | string {
  const [unclear, more] = text.match(/\d+,\d+/g) ?? [];
  if (unclear && !more) return `Is ${unclear} one number or two? Write ${unclear.replace(',', '.')}, or ${unclear.replace(',', '; ')}.`;
  const parts = text.split(/[,;\s]+/).filter(Boolean);
  const wrong = parts.find((part) => !Number.isFinite(Number(part)));
  return wrong === undefined ? parts.map(Number) : `“${wrong}” is not a number.`;
}

/** "12.3 µg/L" */
export function withUnit(value: unknown, unit = '', digits = 3): string {
  const number = formatNumber(value, digits);
  return unit && number !== NO_VALUE ? `${number}\u00a0${formatUnit(unit)}` : number;
}

/** "0.61 to 1.24"; "to" because a dash beside a minus sign misleads. */
export const formatInterval = (low: unknown, high: unknown, digits = 3) =>
  `${formatNumber(low, digits)} to ${formatNumber(high, digits)}`;

/** A fraction as per cent. */
export const formatPercent = (fraction: unknown, places = 0) =>
  typeof fraction === 'number' && Number.isFinite(fraction) ? `${formatFixed(100 * fraction, places)}\u00a0%` : NO_VALUE;

export function formatP(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return NO_VALUE;
  return value < 0.0001 ? '< 0.0001' : value.toFixed(value < 0.1 ? 4 : 2);
}

/** Units as they are written in print: µ for u, · between factors. */
export const formatUnit = (unit: string) =>
  unit.replace(/\bu(?=(g|M|mol|L|l|m)\b)/g, 'µ').replace(/\*/g, '·').replace(/\^2\b/g, '²').replace(/\^3\b/g, '³');

export function formatBytes(size: number): string {
  for (const [unit, bytes] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) {
    if (size >= bytes) return `${formatNumber(size / bytes)} ${unit}`;
  }
  return `${size} B`;
}

/** An instant of the server in the reader's own time. */
export const formatMoment = (iso: string | null) =>
  iso ? new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }) : NO_VALUE;

/** The library's sentences begin small and have no full stop. */
export const sentence = (text: string) =>
  text ? text[0].toUpperCase() + text.slice(1) + (/[.!?:]$/.test(text) ? '' : '.') : '';

/** A value of a table's cell. */
export function formatCell(value: unknown): string {
  if (value === null || value === undefined) return NO_VALUE;
  if (typeof value === 'number') {
    // What has few digits is shown as it is: 0.5, not 0.5000.
    const exact = Math.abs(value) < 1e6 && (Number.isInteger(value) || (Math.abs(value) >= 1e-3 && Number(value.toPrecision(4)) === value));
    return exact ? String(value).replace('-', MINUS) : formatNumber(value, 4);
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.map(formatCell).join(', ') : String(value);
}

/** A table as CSV (RFC 4180), with all digits; units in the heads. */
export function toCsv(table: { columns: { name: string; unit?: string }[]; rows: unknown[][] }): string {
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? '' : Array.isArray(value) ? value.join('; ') : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const heads = table.columns.map(({ name, unit }) => cell(unit ? `${name} (${unit})` : name));
  return [heads, ...table.rows.map((row) => row.map(cell))].map((cells) => cells.join(',')).join('\r\n') + '\r\n';
}
