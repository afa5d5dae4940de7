/** The API's bodies by the names that this program uses. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type ZoneView = Schemas["ZoneView"];
export type Segment = ZoneView["segments"][number];
export type Folder = Schemas["Folder"];
export type SignedIn = Schemas["Session"];
export type Said = Schemas["Said"];
