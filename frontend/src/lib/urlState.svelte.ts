/** State of a screen kept in the query of its address, so that a link reproduces a view. */

type UrlValue = string | number | boolean | readonly unknown[] | Record<string, unknown>;

const writers = new Set<() => void>();

/** Write what is still waiting (before another screen is opened). */
export const flushUrlState = () => writers.forEach((write) => write());

function decode(text: string, like: UrlValue): UrlValue {
  if (typeof like === 'string') return text;
  if (typeof like === 'boolean') return text === '1';
  if (typeof like === 'number') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : like;
  try {
    const value = JSON.parse(text);
    const alike = typeof value === 'object' && value !== null && Array.isArray(value) === Array.isArray(like);
    return alike ? value : like;
  } catch {
    return like;
  }
}

function encode(value: UrlValue): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/**
 * A reactive object whose keys live in `location.search`; values equal to their default are left
 * out. Call it while a component is set up. Never put data of a patient here: use `documents`.
 */
export function urlState<T extends Record<string, any>>(defaults: T): T {
  const state = $state({ ...defaults }) as Record<string, any>;
  const plain: Record<string, string> = {};
  for (const key in defaults) plain[key] = encode(defaults[key]);

  const read = () => {
    const query = new URLSearchParams(location.search);
    for (const key in defaults) {
      const text = query.get(key);
      const value = text === null ? structuredClone(defaults[key]) : decode(text, defaults[key]);
      if (encode(value) !== encode(state[key])) state[key] = value;
    }
  };
  read();

  let waiting: ReturnType<typeof setTimeout> | undefined;
  let texts: Record<string, string> = {};
  const write = () => {
    clearTimeout(waiting);
    if (waiting === undefined) return;
    waiting = undefined;
    const query = new URLSearchParams(location.search);
    for (const key in texts) texts[key] === plain[key] ? query.delete(key) : query.set(key, texts[key]);
    const search = query.size ? `?${query}` : '';
    if (search !== location.search) history.replaceState(history.state, '', location.pathname + search + location.hash);
  };
  $effect(() => {
    texts = Object.fromEntries(Object.keys(defaults).map((key) => [key, encode(state[key])]));
    clearTimeout(waiting);
    waiting = setTimeout(write, 120);
  });
  $effect(() => {
    writers.add(write);
    addEventListener('popstate', read);
    return () => {
      clearTimeout(waiting);
      writers.delete(write);
      removeEventListener('popstate', read);
    };
  });
  return state as T;
}
