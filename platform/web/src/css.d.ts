import "react";

declare module "react" {
  // Custom properties, which style sheets here read; a merged interface has no other form.
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface CSSProperties extends Record<`--${string}`, string | number | undefined> {}
}
