import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const HERE = import.meta.dirname;
const STATIC = resolve(HERE, '../src/statera/web/static');

/** What the bundle is made from; `src` and `public` with everything below them. */
const SOURCES = [
  'index.html',
  'package-lock.json',
  'package.json',
  'public',
  'src',
  'svelte.config.js',
  'tsconfig.json',
  'vite.config.ts',
];

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

/**
 * SHA-256 over the sources in the order of their paths (bytes, `/` between folders): for each one
 * its path, a zero byte, its content, a zero byte. Whoever packs a wheel compares it.
 */
function sourcesHash(): string {
  const paths = SOURCES.flatMap((name) => filesBelow(join(HERE, name)));
  const named = paths.map((path) => [relative(HERE, path).split(sep).join('/'), path] as const);
  named.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const hash = createHash('sha256');
  for (const [name, path] of named) hash.update(`${name}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

/** Writes the hash of the sources beside the bundle, and tells how much script there is. */
function seal(): Plugin {
  let folder = STATIC;
  return {
    name: 'seal',
    apply: 'build',
    configResolved(config) {
      folder = resolve(HERE, config.build.outDir);
    },
    closeBundle() {
      const scripts = filesBelow(folder).filter((path) => path.endsWith('.js'));
      const sizes = scripts.map((path) => gzipSync(readFileSync(path), { level: 9 }).length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      writeFileSync(join(folder, 'sources.sha256'), `${sourcesHash()}\n`);
      console.log(`JavaScript in all, compressed: ${(total / 1024).toFixed(1)} KB`);
    },
  };
}

/**
 * Leaves maps and ready-made colour schemes out of the charts: Observable Plot imports all of them,
 * no screen uses them (colours come from theme.css), and together they weigh as much as a screen.
 */
function withoutMapsAndSchemes(): Plugin {
  const left = ['d3-geo', 'd3-scale-chromatic'];
  return {
    name: 'without-maps-and-schemes',
    apply: 'build',
    enforce: 'pre',
    resolveId: (id) => (left.includes(id) ? `\0left-out:${id}` : null),
    async load(id) {
      if (!id.startsWith('\0left-out:')) return null;
      const name = id.slice('\0left-out:'.length);
      const names = Object.keys(await import(name)).sort();
      const absent = `const absent = () => { throw new Error('${name} is not part of this build'); };`;
      const given: Record<string, string> = {
        // The colours that categories get unless a chart says otherwise are those of the theme.
        schemeObservable10: `[${[1, 2, 3, 4, 5, 6, 7, 8].map((i) => `'var(--series-${i})'`)}]`,
        geoTransform: '(methods) => methods', // called while the module loads
      };
      return [absent, ...names.map((one) => `export const ${one} = ${given[one] ?? 'absent'};`)].join('\n');
    },
  };
}

export default defineConfig({
  base: '/',
  plugins: [svelte(), withoutMapsAndSchemes(), seal()],
  build: {
    outDir: STATIC,
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: {
    port: 5173,
    proxy: { '/api': process.env.STATERA_SERVER ?? 'http://127.0.0.1:8000' },
  },
});
