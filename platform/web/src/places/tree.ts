/** The places of a client: locations, their facilities and floors, and zones. */

export type PlaceKind = "location" | "facility" | "floor" | "zone";

export interface Place {
  readonly kind: PlaceKind;
  readonly id: string;
  readonly name: string;
  /** The places that hold it, if they are known. */
  readonly within: readonly string[];
  /** The clock of a location. */
  readonly timezone?: string;
}

/** A place and all that hold it. */
export function ancestry(id: string, places: readonly Place[]): readonly string[] {
  const found = new Set<string>();
  const waiting = [id];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...(places.find((place) => place.id === next)?.within ?? []));
  }
  return [...found];
}

interface Assigned {
  readonly location_id?: string | null;
  readonly facility_id?: string | null;
  readonly floor_id?: string | null;
  readonly zone_id?: string | null;
}

/** The one place that a role or token is confined to; empty for the whole client. */
export function placeOf(assigned: Assigned): string {
  const { location_id, facility_id, floor_id, zone_id } = assigned;
  return zone_id ?? floor_id ?? facility_id ?? location_id ?? "";
}

/** The same as the API takes it. */
export function toBody(id: string, places: readonly Place[]): Record<string, string> {
  const place = places.find((one) => one.id === id);
  return place ? { [`${place.kind}_id`]: place.id } : {};
}

const WORD: Record<PlaceKind, string> = {
  location: "Location",
  facility: "Facility",
  floor: "Floor",
  zone: "Zone",
};

/** `Zone Café`. */
export function placeName(id: string, places: readonly Place[]): string {
  if (!id) return "everywhere";
  const place = places.find((one) => one.id === id);
  return place ? `${WORD[place.kind]} ${place.name}` : "one place";
}

/** What a person can choose from, the whole client first. */
export function choices(places: readonly Place[]): { value: string; label: string }[] {
  return [
    { value: "", label: "Everywhere" },
    ...places.map(({ id }) => ({ value: id, label: placeName(id, places) })),
  ];
}

/** What a list is narrowed to; null for everywhere. */
export type Narrowed = Pick<Place, "kind" | "id"> | null;

const GROUPS = [
  { kind: "location", group: "Locations" },
  { kind: "floor", group: "Floors" },
  { kind: "zone", group: "Zones" },
] as const;

/** Places to narrow a list to, by kind; a name alone does not tell the floors of many shops apart. */
export function grouped(
  places: readonly Place[],
  kinds: readonly PlaceKind[] = ["location", "floor", "zone"],
): { group: string; items: { value: string; label: string }[] }[] {
  const locations = places.filter(({ kind }) => kind === "location");
  const where = ({ kind, name, within }: Place) => {
    const there = locations.find(({ id }) => within.includes(id));
    return kind === "location" || locations.length < 2 || !there ? name : `${there.name} › ${name}`;
  };
  return GROUPS.filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, group }) => ({
      group,
      items: places
        .filter((one) => one.kind === kind)
        .map((one) => ({ value: one.id, label: where(one) }))
        .toSorted((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true })),
    }))
    .filter(({ items }) => items.length > 0);
}
