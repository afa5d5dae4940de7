/** Whole numbers as people write them. */

/** The number that is written, from `least` to `most`; null for anything else. */
export function whole(written: string, least: number, most: number): number | null {
  const text = written.trim();
  if (!/^\d{1,6}$/.test(text)) return null;
  const found = Number(text);
  return found >= least && found <= most ? found : null;
}
