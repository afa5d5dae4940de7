/** The API's bodies by the names that this program uses. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type ZoneView = Schemas["ZoneView"];
export type Segment = Schemas["SegmentOut"];
export type Folder = Schemas["FolderOut"];
export type SignedIn = Schemas["LoginOut"];
export type Said = Schemas["PlaysOut"];
