/** What a list of tracks is narrowed to. */

/** As its fields hold it; empty asks for nothing. */
export interface Filters {
  readonly artist: string;
  readonly album: string;
  readonly genre: string;
  readonly tag: string;
  readonly licence: string;
  readonly year_from: string;
  readonly year_to: string;
  /** Minutes, as `shorter`. */
  readonly longer: string;
  readonly shorter: string;
  readonly valid_on: string;
  readonly explicit: string;
  readonly offline_allowed: string;
  readonly duplicates: boolean;
  readonly subfolders: boolean;
}

export const NO_FILTERS: Filters = {
  artist: "",
  album: "",
  genre: "",
  tag: "",
  licence: "",
  year_from: "",
  year_to: "",
  longer: "",
  shorter: "",
  valid_on: "",
  explicit: "",
  offline_allowed: "",
  duplicates: false,
  subfolders: false,
};

export interface Query {
  artist?: string;
  album?: string;
  genre?: string;
  tag?: string;
  licence?: string;
  year_from?: number;
  year_to?: number;
  longer_than?: number;
  shorter_than?: number;
  valid_on?: string;
  explicit?: boolean;
  offline_allowed?: boolean;
  duplicates?: boolean;
  subfolders?: boolean;
}

/** The parameters of the platform for it; what is no number yet asks for nothing. */
export function query(filters: Filters): Query {
  const asked: Query = {};
  for (const name of ["artist", "album", "genre", "tag", "licence", "valid_on"] as const) {
    const value = filters[name].trim();
    if (value) asked[name] = value;
  }
  for (const name of ["year_from", "year_to"] as const) {
    const value = Number.parseInt(filters[name], 10);
    if (value >= 0) asked[name] = value;
  }
  for (const [name, parameter] of [["longer", "longer_than"], ["shorter", "shorter_than"]] as const) {
    const value = Number.parseFloat(filters[name]);
    if (value >= 0) asked[parameter] = Math.round(value * 60);
  }
  for (const name of ["explicit", "offline_allowed"] as const) {
    if (filters[name]) asked[name] = filters[name] === "true";
  }
  for (const name of ["duplicates", "subfolders"] as const) if (filters[name]) asked[name] = true;
  return asked;
}

/** How many of them ask for something. */
export function asked(filters: Filters): number {
  return Object.keys(query(filters)).length;
}
