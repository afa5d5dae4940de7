/** In which order providers are asked, and how that is changed: pure. */

import { moved } from "../library/folders";

export interface Ranked {
  readonly id: string;
  readonly is_offered: boolean;
  readonly is_default: boolean;
  readonly is_active: boolean;
  readonly priority: number;
}

/** As the platform asks (docs/announcements.md): those that are off come last, to be seen. */
export function inTurn<T extends Ranked>(providers: readonly T[], first = ""): readonly T[] {
  const rank = (one: T) => [
    !one.is_active, one.id !== first, !one.is_default, one.is_offered, one.priority,
  ];
  return providers.toSorted((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    for (const [i, value] of left.entries()) {
      const by = Number(value) - Number(right[i]);
      if (by !== 0) return by;
    }
    return a.id < b.id ? -1 : 1;
  });
}

/** Where a provider stands is only chosen among others of the same owner that are not the default. */
export function movable<T extends Ranked>(providers: readonly T[], mine: (one: T) => boolean): readonly T[] {
  return providers.filter((one) => mine(one) && !one.is_default && one.is_active);
}

/** The priorities to write so that the one at `from` stands at `to`; those that are right stay. */
export function renumbered(among: readonly Ranked[], from: number, to: number): { id: string; priority: number }[] {
  return moved(among, from, to)
    .map(({ id, priority: before }, i) => ({ id, before, priority: (i + 1) * 10 }))
    .filter(({ before, priority }) => before !== priority)
    .map(({ id, priority }) => ({ id, priority }));
}
