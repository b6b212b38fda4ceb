/** What the server offers, and its failures in words. Every call of the front end goes through here. */
import { session } from './session.svelte';

export interface Column {
  name: string;
  unit: string;
}
export interface Table {
  columns: Column[];
  rows: unknown[][];
}
export interface Copies {
  python: string;
  command: string;
  why: string;
}
export interface Envelope<R = any> {
  schema: string;
  ok: true;
  result: R;
  tables: Record<string, Table>;
  copies: Copies | null;
  warnings: string[];
  manifest: Record<string, any>;
}
export interface Upload {
  id: string;
  name: string;
  size: number;
  sha256: string;
}
export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
export interface JobEvent {
  seq: number;
  time: string;
  fraction: number | null;
  message: string;
  data: Record<string, any>;
}
export interface JobFile {
  name: string;
  media_type: string;
  size: number;
}
export interface FailureWords {
  what: string;
  where?: string;
  hint?: string;
  kind?: string;
}
export interface Job {
  id: string;
  task: string;
  status: JobStatus;
  attempt: number;
  fraction: number | null;
  message: string;
  created: string;
  started: string | null;
  ended: string | null;
  error: FailureWords | null;
  events: JobEvent[];
  files: JobFile[];
}

/** A failure in words: what, where, and what to do. */
export class ApiFailure extends Error {
  readonly what: string;
  readonly where: string;
  readonly hint: string;
  readonly kind: string;
  readonly status: number;
  constructor(words: FailureWords, status: number) {
    super(words.what);
    this.name = 'ApiFailure';
    this.what = words.what;
    this.where = words.where ?? '';
    this.hint = words.hint ?? '';
    this.kind = words.kind ?? '';
    this.status = status;
  }
}

const PREFIX = '/api/v1';
const UNREACHABLE = { what: 'The server does not answer.', hint: 'Check that it runs, then try again.', kind: 'network' };

/** The address of something to download or to show. */
export const address = (path: string) => PREFIX + path;
export const jobFileAddress = (id: string, name: string) =>
  address(`/jobs/${id}/files/${encodeURIComponent(name)}`);

async function failureOf(response: Response): Promise<ApiFailure> {
  const body = await response.json().catch(() => null);
  const words = body?.error ?? { what: `The server answered ${response.status} ${response.statusText}.` };
  return new ApiFailure(words, response.status);
}

const pause = (milliseconds: number, signal?: AbortSignal | null) =>
  new Promise<void>((resolve, reject) => {
    const stop = () => (clearTimeout(timer), reject(signal!.reason));
    const timer = setTimeout(() => (signal?.removeEventListener('abort', stop), resolve()), milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });

/** Workers that start, or too many requests: worth another try. */
const PATIENCE_MS = 30_000;

/** @param patience how long a busy server is asked again, milliseconds */
export async function call(path: string, init: RequestInit = {}, patience = PATIENCE_MS): Promise<Response> {
  const unsafe = init.method !== undefined && init.method !== 'GET';
  const began = performance.now();
  for (let tries = 0, renewed = false; ; tries++) {
    const headers = new Headers(init.headers);
    if (unsafe && session.csrf) headers.set('X-CSRF-Token', session.csrf);
    let response: Response;
    try {
      response = await fetch(address(path), { ...init, headers, credentials: 'same-origin' });
    } catch (problem) {
      if (init.signal?.aborted) throw init.signal.reason;
      throw problem instanceof TypeError ? new ApiFailure(UNREACHABLE, 0) : problem;
    }
    if (response.ok) return response;
    const failure = await failureOf(response);
    const patient = performance.now() - began < patience;
    if ((response.status === 503 || response.status === 429) && patient) {
      const seconds = Number(response.headers.get('Retry-After'));
      await pause(seconds > 0 ? Math.min(seconds * 1000, 5000) : Math.min(250 * 2 ** tries, 2000), init.signal);
      continue;
    }
    if (response.status === 403 && failure.kind === 'csrf' && unsafe && !renewed) {
      renewed = true;
      await session.load();
      continue;
    }
    if (response.status === 401) session.signedOut();
    throw failure;
  }
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await call(path, init);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

const sending = (method: string, body?: unknown, signal?: AbortSignal): RequestInit => ({
  method,
  signal: signal ?? null,
  ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
});

export interface CallOptions {
  signal?: AbortSignal;
}

/** Compute and wait. */
export const runTask = <R = any>(name: string, request: unknown, { signal }: CallOptions = {}) =>
  json<Envelope<R>>(`/tasks/${name}`, sending('POST', request, signal));

/** Compute in the background; gives the id of the job, which belongs into the URL. */
export const startJob = async (name: string, request: unknown) =>
  (await json<{ id: string }>(`/jobs/${name}`, sending('POST', request))).id;

export const listJobs = () => json<Job[] | { jobs: Job[] }>('/jobs').then((all) => (Array.isArray(all) ? all : all.jobs));
export const readJob = (id: string, after = 0, { signal }: CallOptions = {}) =>
  json<Job>(`/jobs/${id}?after=${after}`, { signal: signal ?? null });
export const jobRequest = <Q = any>(id: string) => json<Q>(`/jobs/${id}/request`);
export const jobResult = <R = any>(id: string) => json<Envelope<R>>(`/jobs/${id}/result`);
export const cancelJob = (id: string) => json<void>(`/jobs/${id}/cancel`, sending('POST'));
export const resumeJob = (id: string) => json<void>(`/jobs/${id}/resume`, sending('POST'));
export const deleteJob = (id: string) => json<void>(`/jobs/${id}`, sending('DELETE'));

export const isOver = (status: JobStatus) => !(status === 'queued' || status === 'running');

/**
 * Follow a job until it is over; `told` gets the job with all events so far. A server that is away
 * for a while is asked again (`lost` says so). Returns what ends the watching.
 */
export function watchJob(
  id: string,
  told: (job: Job) => void,
  failed: (failure: ApiFailure) => void = () => {},
  lost: (away: boolean) => void = () => {},
): () => void {
  const stop = new AbortController();
  (async () => {
    let events: JobEvent[] = [];
    for (let round = 0; !stop.signal.aborted; round++) {
      try {
        const job = await readJob(id, events.at(-1)?.seq ?? 0, { signal: stop.signal });
        events = events.concat(job.events);
        lost(false);
        told({ ...job, events });
        if (isOver(job.status)) return;
      } catch (problem) {
        if (stop.signal.aborted) return;
        if (!(problem instanceof ApiFailure)) throw problem;
        if (problem.status !== 0 && problem.status < 500) return failed(problem);
        lost(true);
      }
      await pause(round < 20 ? 400 : 1500, stop.signal).catch(() => {});
    }
  })();
  return () => stop.abort();
}

/** Send a file; `onProgress` gets the fraction sent. (XMLHttpRequest: fetch cannot tell how far it is.) */
export function uploadFile(file: File, onProgress: (fraction: number) => void = () => {}, { signal }: CallOptions = {}) {
  return new Promise<Upload>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address('/uploads'));
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (session.csrf) request.setRequestHeader('X-CSRF-Token', session.csrf);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new ApiFailure(UNREACHABLE, 0));
    request.onabort = () => reject(signal?.reason);
    request.onload = () => {
      let body: any = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        /* no words from the server: told below */
      }
      if (request.status < 300 && body) return resolve(body);
      if (request.status === 401) session.signedOut();
      reject(new ApiFailure(body?.error ?? { what: `The server answered ${request.status}.`, where: file.name }, request.status));
    };
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
export const readUpload = (id: string) => json<Upload>(`/uploads/${id}`);
export const deleteUpload = (id: string) => json<void>(`/uploads/${id}`, sending('DELETE'));

/** The user's own saved state, where a URL must not hold it: the URL holds the id only. */
export const documents = {
  create: async (kind: string, body: unknown) => (await json<{ id: string }>('/documents', sending('POST', { kind, body }))).id,
  read: <B = any>(id: string) => json<{ id: string; kind: string; body: B }>(`/documents/${id}`),
  update: (id: string, kind: string, body: unknown) => json<void>(`/documents/${id}`, sending('PUT', { kind, body })),
  list: (kind: string) => json<any[]>(`/documents?kind=${encodeURIComponent(kind)}`),
  remove: (id: string) => json<void>(`/documents/${id}`, sending('DELETE')),
};
