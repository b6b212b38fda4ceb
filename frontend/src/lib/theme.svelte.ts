/** Light or dark: as the system says, or as the reader chose. */

type Mode = 'auto' | 'light' | 'dark';
const KEY = 'statera-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

class Theme {
  mode = $state<Mode>('auto');
  #system = $state(system.matches);

  constructor() {
    const kept = localStorage.getItem(KEY);
    if (kept === 'light' || kept === 'dark') this.set(kept);
    system.addEventListener('change', () => (this.#system = system.matches));
  }

  get dark(): boolean {
    return this.mode === 'auto' ? this.#system : this.mode === 'dark';
  }

  set(mode: Mode): void {
    this.mode = mode;
    if (mode === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, mode);
    if (mode === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = mode;
  }
}
export const theme = new Theme();

let probe: HTMLElement | undefined;

/**
 * A colour as the canvas takes it: a number (series 0, 1, 2, ...), the name of a variable of
 * theme.css (`accent`) or any CSS colour; with an opacity, if given.
 */
export function colourOf(colour: number | string, opacity = 1): string {
  if (!probe) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = cssColour(colour);
  const found = getComputedStyle(probe).color;
  if (opacity === 1) return found;
  return found.replace(/^rgba?\(([^)]+)\)$/, (_, parts: string) => {
    const [red, green, blue] = parts.split(/[ ,/]+/);
    return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
  });
}

/** The same as CSS text. */
export function cssColour(colour: number | string): string {
  if (typeof colour === 'number') return `var(--series-${(colour % 8) + 1})`;
  return /^[a-z-]+(-\d)?$/.test(colour) && !CSS.supports('color', colour) ? `var(--${colour})` : colour;
}
