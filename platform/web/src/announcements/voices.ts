/** Voices, as a person chooses among them. */

interface Named {
  readonly id: string;
  readonly language: string;
  readonly name: string;
  readonly provider: string;
}

interface Option {
  readonly value: string;
  readonly label: string;
}

/** `de-DE` in the reader's words; the code itself where no name is known. */
export function languageName(code: string, reader = "en"): string {
  try {
    return new Intl.DisplayNames([reader], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Groups for a list: the languages by name, the voices of each by name and, of several, whose. */
export function byLanguage(
  voices: readonly Named[],
): { group: string; items: Option[] }[] {
  const groups = new Map<string, Option[]>();
  const several = new Set(voices.map(({ provider }) => provider)).size > 1;
  for (const { id, language, name, provider } of voices.toSorted((a, b) => a.name.localeCompare(b.name))) {
    const group = languageName(language);
    groups.set(group, [...(groups.get(group) ?? []), { value: id, label: several ? `${name} (${provider})` : name }]);
  }
  return [...groups]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([group, items]) => ({ group, items }));
}
