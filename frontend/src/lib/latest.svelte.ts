/** The newest answer to a request that changes, with the last good one kept on screen meanwhile. */
import { untrack } from 'svelte';

export interface Latest<Q, V> {
  /** The last good answer. */
  readonly value: V | null;
  /** The request that `value` answers. */
  readonly of: Q | null;
  /** Why the newest request has no answer. */
  readonly failure: Error | null;
  readonly running: boolean;
  /** Ask again. */
  refresh(): void;
}

export interface LatestOptions {
  /** Quiet time before a request leaves, milliseconds. */
  delay?: number;
  /** An older call younger than this may still answer (a slider keeps moving); older ones are cancelled. */
  patience?: number;
}

/**
 * Run `run` each time that `request()` gives something else; null asks for nothing.
 * Call it while a component is set up.
 */
export function latest<Q, V>(
  request: () => Q | null,
  run: (request: Q, signal: AbortSignal) => Promise<V>,
  { delay = 0, patience = 250 }: LatestOptions = {},
): Latest<Q, V> {
  let value = $state.raw<V | null>(null);
  let of = $state.raw<Q | null>(null);
  let failure = $state.raw<Error | null>(null);
  let running = $state(false);
  let key: string | undefined;
  let next: { asked: Q } | null = null;
  let current: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const drop = () => {
    clearTimeout(timer);
    next = null;
    current?.abort();
    current = null;
  };

  async function start() {
    if (!next) return;
    const { asked } = next;
    next = null;
    current?.abort();
    const mine = (current = new AbortController());
    try {
      const answer = await run(asked, mine.signal);
      if (mine.signal.aborted) return;
      value = answer;
      of = asked;
      failure = null;
    } catch (problem) {
      if (mine.signal.aborted) return;
      failure = problem instanceof Error ? problem : new Error(String(problem));
    }
    current = null;
    clearTimeout(timer);
    if (next) start();
    else running = false;
  }

  function ask(asked: Q | null) {
    if (asked === null) {
      drop();
      value = of = failure = null;
      running = false;
      return;
    }
    next = { asked };
    running = true;
    clearTimeout(timer);
    // A call under way is waited for a little: it starts the next one when it ends.
    timer = setTimeout(start, current ? Math.max(delay, patience) : delay);
  }

  $effect(() => {
    const asked = request();
    const text = JSON.stringify(asked);
    if (text === key) return;
    key = text;
    untrack(() => ask(asked === null ? null : (JSON.parse(text) as Q)));
  });
  $effect(() => drop);

  return {
    get value() { return value; },
    get of() { return of; },
    get failure() { return failure; },
    get running() { return running; },
    refresh() { if (key !== undefined) ask(JSON.parse(key)); },
  };
}
