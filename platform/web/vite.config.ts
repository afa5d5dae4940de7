import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv, type Plugin } from "vite";

/** What the built page may load and run: nothing but its own files and its own server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  // A recording is heard before it is sent: it has no address but this page's own.
  "media-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Writes the policy into the built page; the development server needs inline styles to reload. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
        injectTo: "head-prepend",
      },
    ],
  };
}

/** Writes each script and style once more, compressed: the platform sends these as they are. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    enforce: "post",
    generateBundle: {
      // after Vite has put the addresses of other files into each
      order: "post",
      async handler(_, bundle) {
        for (const [fileName, one] of Object.entries(bundle)) {
          if (!/\.(js|css)$/.test(fileName)) continue;
          const plain = one.type === "chunk" ? one.code : one.source;
          const packed = new Blob([plain as BlobPart]).stream().pipeThrough(new CompressionStream("gzip"));
          const source = new Uint8Array(await new Response(packed).arrayBuffer());
          this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source });
        }
      },
    },
  };
}

const PLATFORM = loadEnv("", ".", "S2G_").S2G_PUBLIC_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  plugins: [react(), contentSecurityPolicy(), compressed()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      // What others wrote changes seldom: browsers keep it while our own part is updated.
      output: { codeSplitting: { groups: [{ name: "vendor", test: /node_modules/ }] } },
    },
  },
  server: {
    proxy: {
      "/api": PLATFORM,
      "/ws": { target: PLATFORM, ws: true },
    },
  },
});
