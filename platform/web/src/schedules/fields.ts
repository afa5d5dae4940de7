/** What every part of a schedule's form is given. */

import type { Draft, wrongs } from "./draft";

export interface Fields {
  readonly draft: Draft;
  /** What stands in the way, once saving was tried. */
  readonly wrong: ReturnType<typeof wrongs>;
  readonly change: (some: Partial<Draft>) => void;
}
