/** Who is signed in, and the token against forged requests. */
import { ApiFailure, call } from './api';

interface SessionWords {
  user: string | null;
  signed_in: boolean;
  modes: ('none' | 'token' | 'oidc')[];
  csrf: string;
  version: string;
  disclaimer: string;
}

class Session {
  user = $state<string | null>(null);
  signedIn = $state(false);
  known = $state(false);
  modes = $state<string[]>([]);
  version = $state('');
  disclaimer = $state('Research software. Not a medical device.');
  failure = $state.raw<ApiFailure | null>(null);
  csrf = '';

  async load(): Promise<void> {
    try {
      const words = (await (await call('/session')).json()) as SessionWords;
      this.user = words.user;
      this.signedIn = words.signed_in || words.modes.includes('none');
      this.modes = words.modes;
      this.csrf = words.csrf;
      this.version = words.version;
      this.disclaimer = words.disclaimer || this.disclaimer;
      this.known = true;
      this.failure = null;
    } catch (problem) {
      if (!(problem instanceof ApiFailure)) throw problem;
      this.failure = problem;
    }
  }

  /** Sign in by an access token; the server keeps it in a cookie that scripts cannot read. */
  async signIn(token: string): Promise<void> {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token }) };
    await call('/session', init, 0);
    await this.load();
  }

  async signOut(): Promise<void> {
    await call('/session', { method: 'DELETE' });
    await this.load();
  }

  /** The server no longer knows us: ask for signing in again, keep the page's address. */
  signedOut(): void {
    if (this.known && !this.modes.includes('none')) this.signedIn = false;
  }
}

export const session = new Session();
