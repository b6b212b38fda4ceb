/** The screens, each in a chunk of its own. `:name` is a part of the path, `?` makes it optional. */
import type { Component } from 'svelte';

export interface Route {
  path: string;
  /** Where its link leads. */
  home: string;
  label: string;
  /** One sentence for the first page. */
  purpose: string;
  /** A component that may take the named parts of the path: `let { params } = $props()`. */
  load: () => Promise<{ default: Component<any> }>;
}

export const ROUTES: Route[] = [
  { path: '/drug/:drug?', home: '/drug', label: 'Drug', purpose: 'A JAK inhibitor: its facts with their sources, exposure and target inhibition at a dose.', load: () => import('./screens/Drug.svelte') },
  { path: '/simulate', home: '/simulate', label: 'Simulate', purpose: 'A population through one or more regimens: profiles with bands, and endpoints.', load: () => import('./screens/Simulate.svelte') },
  { path: '/patient', home: '/patient', label: 'One patient', purpose: 'Doses, samples and a target: forecast and dose candidates for one patient.', load: () => import('./screens/Patient.svelte') },
  { path: '/plate', home: '/plate', label: 'Plate', purpose: 'FCS files and a plate map: gates, curves and IC50.', load: () => import('./screens/Plate.svelte') },
  { path: '/fit', home: '/fit', label: 'Fit', purpose: 'A population model fitted to your data, with diagnostics.', load: () => import('./screens/Fit.svelte') },
  { path: '/evidence', home: '/evidence', label: 'Evidence', purpose: 'Trials pooled: pairwise and network meta-analysis.', load: () => import('./screens/Evidence.svelte') },
  { path: '/pathway', home: '/pathway', label: 'Pathway', purpose: 'The JAK-STAT pathway in time, with and without a drug.', load: () => import('./screens/Pathway.svelte') },
  { path: '/jobs', home: '/jobs', label: 'Jobs', purpose: 'Long computations of yours: running, finished, interrupted.', load: () => import('./screens/Jobs.svelte') },
];

/** The route of a path and the named parts of it. */
export function routeOf(path: string): { route: Route; params: Record<string, string> } | null {
  const given = path.split('/').filter(Boolean);
  for (const route of ROUTES) {
    const parts = route.path.split('/').filter(Boolean);
    if (given.length > parts.length) continue;
    const params: Record<string, string> = {};
    const fits = parts.every((part, i) => {
      if (!part.startsWith(':')) return part === given[i];
      if (given[i] === undefined) return part.endsWith('?');
      try {
        params[part.slice(1).replace('?', '')] = decodeURIComponent(given[i]);
      } catch {
        return false;
      }
      return true;
    });
    if (fits) return { route, params };
  }
  return null;
}
