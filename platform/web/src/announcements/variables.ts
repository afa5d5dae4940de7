/** The `{{variables}}` of a text. */

const VARIABLE = /\{\{\s*([a-z][a-z0-9_]{0,39})\b[^{}]*\}\}/g;

/** Their names, each once, in their order. */
export function variablesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map(([, name]) => name ?? ""))];
}
