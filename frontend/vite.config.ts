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

export default defineConfig({
  base: '/',
  plugins: [svelte(), seal()],
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
