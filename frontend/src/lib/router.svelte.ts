/** Which screen the address asks for. */
import { flushUrlState } from './urlState.svelte';

class Router {
  path = $state(location.pathname);
}
export const router = new Router();

addEventListener('popstate', () => (router.path = location.pathname));

/** Open another address of this app. */
export function navigate(target: string): void {
  flushUrlState();
  const url = new URL(target, location.href);
  if (url.href === location.href) return;
  history.pushState(null, '', url);
  router.path = url.pathname;
  dispatchEvent(new PopStateEvent('popstate'));
  scrollTo(0, 0);
}

/** Follow links within the app without loading the page anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
  if (!link || link.target || link.download || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/') || (link.hash && link.pathname === location.pathname)) return;
  event.preventDefault();
  navigate(link.href);
}
