/** What speech costs, as people write it: pure. Money is millionths of a unit on the wire. */

export const MILLION = 1_000_000;

/** `1,234`. */
export function number(n: number): string {
  return n.toLocaleString("en");
}

/** Millionths as `0.21`; what is little keeps its digits. */
export function money(millionths: number): string {
  const units = millionths / MILLION;
  const digits = units !== 0 && units < 0.01 ? 4 : 2;
  return units.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: digits });
}

/** What a field says: null for nothing, NaN for what is no amount. */
export function amount(written: string, scale = 1): number | null {
  const text = written.trim().replaceAll(",", "");
  if (!text) return null;
  const read = Number(text) * scale;
  return Number.isFinite(read) && read >= 0 ? Math.round(read) : NaN;
}

/** The same the other way round. */
export function written(value: number | null, scale = 1): string {
  return value === null ? "" : String(value / scale);
}

/** Of a budget: `12 of 1,000 characters, 0.21 of 5.00`; only `12 characters` without one. */
export function spent(
  used: { readonly characters: number; readonly cost: number },
  limits: { readonly monthly_characters: number | null; readonly monthly_cost: number | null },
): string {
  const { monthly_characters: characters, monthly_cost: cost } = limits;
  const of = (limit: string | null) => (limit === null ? "" : ` of ${limit}`);
  const parts = [
    `${number(used.characters)}${of(characters === null ? null : number(characters))} characters`,
  ];
  if (used.cost > 0 || cost !== null) {
    parts.push(`cost ${money(used.cost)}${of(cost === null ? null : money(cost))}`);
  }
  return parts.join(", ");
}

