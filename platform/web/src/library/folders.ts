/** Folders as the tree that they are. */

export interface Nestable {
  readonly id: string;
  readonly name: string;
  readonly parent_id?: string | null;
  readonly rules?: unknown;
  readonly is_system?: boolean;
}

export interface Placed<T> {
  readonly folder: T;
  /** 0 at the top. */
  readonly depth: number;
}

/** Every folder after the one that holds it, by name; what holds itself stands at the top. */
export function inOrder<T extends Nestable>(folders: readonly T[]): readonly Placed<T>[] {
  const known = new Set(folders.map(({ id }) => id));
  const inside = new Map<string, T[]>();
  for (const folder of folders) {
    const { parent_id } = folder;
    const parent = parent_id && known.has(parent_id) ? parent_id : "";
    inside.set(parent, [...(inside.get(parent) ?? []), folder]);
  }
  const found: Placed<T>[] = [];
  const seen = new Set<string>();
  const walk = (parent: string, depth: number) => {
    const here = inside.get(parent) ?? [];
    for (const folder of here.toSorted(before)) {
      if (seen.has(folder.id)) continue;
      seen.add(folder.id);
      found.push({ folder, depth });
      walk(folder.id, depth + 1);
    }
  };
  walk("", 0);
  for (const folder of folders) if (!seen.has(folder.id)) found.push({ folder, depth: 0 });
  return found;
}

/** Those of the product stand first. */
function before(a: Nestable, b: Nestable): number {
  const system = Number(b.is_system ?? false) - Number(a.is_system ?? false);
  return system || a.name.localeCompare(b.name);
}

/** The folders that tracks and folders can be put into: rules choose what is in the others. */
export function shelves<T extends Nestable>(folders: readonly T[]): readonly T[] {
  return folders.filter(({ rules }) => !rules);
}

/** Where a folder can be moved to. */
export function parents<T extends Nestable>(id: string, folders: readonly T[]): readonly T[] {
  const inside = within(id, folders);
  return shelves(folders).filter((one) => !inside.has(one.id));
}

/** A folder and all inside of it: where it cannot be moved to. */
export function within(id: string, folders: readonly Nestable[]): ReadonlySet<string> {
  const found = new Set([id]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { id: one, parent_id } of folders) if (parent_id && found.has(parent_id)) found.add(one);
  }
  return found;
}

/** `Winter › Evenings`: the way to a folder. */
export function pathOf(id: string, folders: readonly Nestable[]): string {
  const names: string[] = [];
  const seen = new Set<string>();
  for (let at: string | null | undefined = id; at && !seen.has(at); ) {
    seen.add(at);
    const folder = folders.find((one) => one.id === at);
    if (folder) names.unshift(folder.name);
    at = folder?.parent_id;
  }
  return names.join(" › ");
}

/** For a list to choose from: deeper folders stand further in. */
export function options(
  folders: readonly Nestable[],
  none?: string,
): { value: string; label: string }[] {
  const placed = inOrder(folders).map(({ folder, depth }) => ({
    value: folder.id,
    label: `${"\u2003".repeat(depth)}${folder.name}`,
  }));
  return none === undefined ? placed : [{ value: "", label: none }, ...placed];
}

/** `items` with the one at `from` at `to` instead. */
export function moved<T>(items: readonly T[], from: number, to: number): readonly T[] {
  const item = items[from];
  if (item === undefined || to < 0 || to >= items.length) return items;
  return items.toSpliced(from, 1).toSpliced(to, 0, item);
}
